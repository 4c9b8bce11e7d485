"""Losses under readable names: weights and temperatures around `mmseg_css.functional`."""

from mmseg_css.models.losses.cosine_consistency import CosineConsistencyLoss
from mmseg_css.models.losses.cross_entropy import PixelCrossEntropyLoss
from mmseg_css.models.losses.ohem import OhemCrossEntropyLoss
from mmseg_css.models.losses.pixel_contrast import PixelContrastLoss
from mmseg_css.models.losses.prototype_contrast import PrototypeContrastLoss
from mmseg_css.models.losses.pseudo_label import MaskedPseudoLabelLoss, PseudoLabelLoss

__all__ = [
    "CosineConsistencyLoss",
    "MaskedPseudoLabelLoss",
    "OhemCrossEntropyLoss",
    "PixelContrastLoss",
    "PixelCrossEntropyLoss",
    "PrototypeContrastLoss",
    "PseudoLabelLoss",
]
