"""The mathematics given state, in MMSeg's registries."""

from mmseg_css.models.augmentation import StrongAugmentation
from mmseg_css.models.data_preprocessor import SemiDataPreprocessor
from mmseg_css.models.heads import *  # noqa: F403
from mmseg_css.models.losses import *  # noqa: F403
from mmseg_css.models.prototype_bank import PrototypeBank
from mmseg_css.models.segmentors import CPS, CSS, FixMatch, PC2Seg, SemiSegmentor, UniMatch, UniMatchV2
from mmseg_css.models.strong_view import StrongView
from mmseg_css.models.teacher import EMATeacher

__all__ = [
    "CPS",
    "CSS",
    "EMATeacher",
    "FixMatch",
    "PC2Seg",
    "PrototypeBank",
    "SemiDataPreprocessor",
    "SemiSegmentor",
    "StrongAugmentation",
    "StrongView",
    "UniMatch",
    "UniMatchV2",
]
