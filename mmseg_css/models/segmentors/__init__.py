"""Methods: one file each."""

from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.cps import CPS
from mmseg_css.models.segmentors.css import CSS
from mmseg_css.models.segmentors.fixmatch import FixMatch
from mmseg_css.models.segmentors.pc2seg import PC2Seg
from mmseg_css.models.segmentors.telling import Diagnostics, Inspection, Progress, PseudoLabelled
from mmseg_css.models.segmentors.unimatch import UniMatch
from mmseg_css.models.segmentors.unimatch_v2 import UniMatchV2

__all__ = [
    "CPS",
    "CSS",
    "Diagnostics",
    "FixMatch",
    "Inspection",
    "PC2Seg",
    "Progress",
    "PseudoLabelled",
    "SemiSegmentor",
    "UniMatch",
    "UniMatchV2",
]
