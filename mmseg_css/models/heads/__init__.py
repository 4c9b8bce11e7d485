"""Decode heads with a projection branch.

For another head of MMSeg, or one of your own, a class of one line does it; register it under its own name.
"""

from mmseg.models.decode_heads import FCNHead, PSPHead, SegformerHead, UPerHead

from mmseg_css.models.heads.deeplabv3plus import DeepLabV3PlusHead
from mmseg_css.models.heads.dpt import MapDPTHead
from mmseg_css.models.heads.projection import LinearProjection, ProjectionBranch, ProjectionMixin, check_projection
from mmseg_css.registry import MODELS


@MODELS.register_module()
class DeepLabV3PlusProjectionHead(ProjectionMixin, DeepLabV3PlusHead):
    """DeepLabV3+ exactly as in CSS: both branches read the joined map."""

    tap = DeepLabV3PlusHead.tap


@MODELS.register_module()
class FCNProjectionHead(ProjectionMixin, FCNHead):
    """MMSeg's FCN head with a projection branch."""


@MODELS.register_module()
class MapDPTProjectionHead(ProjectionMixin, MapDPTHead):
    """`MapDPTHead` with a projection branch."""


@MODELS.register_module()
class PSPProjectionHead(ProjectionMixin, PSPHead):
    """MMSeg's PSPNet head with a projection branch."""


@MODELS.register_module()
class UPerProjectionHead(ProjectionMixin, UPerHead):
    """MMSeg's UPerNet head with a projection branch."""


@MODELS.register_module()
class SegformerProjectionHead(ProjectionMixin, SegformerHead):
    """MMSeg's SegFormer head with a projection branch."""


__all__ = [
    "DeepLabV3PlusHead",
    "DeepLabV3PlusProjectionHead",
    "FCNProjectionHead",
    "LinearProjection",
    "MapDPTHead",
    "MapDPTProjectionHead",
    "PSPProjectionHead",
    "ProjectionBranch",
    "ProjectionMixin",
    "SegformerProjectionHead",
    "UPerProjectionHead",
    "check_projection",
]
