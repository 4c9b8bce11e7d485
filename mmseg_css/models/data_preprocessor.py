"""MMSeg's data preprocessor, for batches of labelled and unlabelled images."""

from typing import Any

from jaxtyping import Float
from mmseg.models import SegDataPreProcessor
from torch import Tensor

from mmseg_css.registry import MODELS


@MODELS.register_module()
class SemiDataPreprocessor(SegDataPreProcessor):
    """Normalises and pads each branch of ``{'labeled': batch, 'unlabeled': batch}`` as MMSeg does a batch.

    A batch without branches (evaluation, inference) goes through unchanged semantics: it is MMSeg's own.
    """

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        if "inputs" in data:
            return super().forward(data, training)
        branches = {name: super(SemiDataPreprocessor, self).forward(batch, training) for name, batch in data.items()}
        return {key: {name: batch[key] for name, batch in branches.items()} for key in ("inputs", "data_samples")}


def turns_channels(prepare: Any) -> bool:
    """Whether a data preprocessor turns the order of the channels round."""
    # As MMEngine and onedl-mmsegmentation call it, and upstream MMSegmentation.
    return getattr(prepare, "_channel_conversion", False) or getattr(prepare, "channel_conversion", False)


def gives_bgr(prepare: Any, images: Float[Tensor, "b c H W"]) -> bool:
    """Whether the images that a data preprocessor gives have the order blue, green, red, in which OpenMMLab reads."""
    return images.shape[1] == 3 and not turns_channels(prepare)
