"""Methods: one file each."""

from mmseg_css.models.segmentors.base import Diagnostics, Progress, SemiSegmentor
from mmseg_css.models.segmentors.css import CSS
from mmseg_css.models.segmentors.pc2seg import PC2Seg

__all__ = ["CSS", "Diagnostics", "PC2Seg", "Progress", "SemiSegmentor"]
