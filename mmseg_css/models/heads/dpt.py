"""DPT on a backbone that gives maps alone."""

from mmseg.models.decode_heads import DPTHead
from torch import Tensor

from mmseg_css.registry import MODELS


@MODELS.register_module()
class MapDPTHead(DPTHead):
    """MMSeg's DPT head without its class tokens, which it wants beside each map and by default ignores."""

    def _transform_inputs(self, inputs: list[Tensor]) -> list[tuple[Tensor, None]]:
        return [(level, None) for level in super()._transform_inputs(inputs)]
