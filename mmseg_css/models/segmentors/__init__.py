"""Methods: one file each."""

from mmseg_css.models.segmentors.base import Diagnostics, Progress, SemiSegmentor
from mmseg_css.models.segmentors.css import CSS

__all__ = ["CSS", "Diagnostics", "Progress", "SemiSegmentor"]
