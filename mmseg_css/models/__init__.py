"""The mathematics given state, in MMSeg's registries."""

from mmseg_css.models.augmentation import StrongAugmentation
from mmseg_css.models.data_preprocessor import SemiDataPreprocessor
from mmseg_css.models.heads import *  # noqa: F403
from mmseg_css.models.losses import *  # noqa: F403
from mmseg_css.models.prototype_bank import PrototypeBank
from mmseg_css.models.segmentors import CSS, PC2Seg, SemiSegmentor
from mmseg_css.models.teacher import EMATeacher

__all__ = [
    "CSS",
    "EMATeacher",
    "PC2Seg",
    "PrototypeBank",
    "SemiDataPreprocessor",
    "SemiSegmentor",
    "StrongAugmentation",
]
