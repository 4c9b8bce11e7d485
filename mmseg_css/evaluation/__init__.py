"""Measuring: per-image results. `statistics` and the comparison of runs need the extra ``compare``."""

from mmseg_css.evaluation.balance import BalanceMetric
from mmseg_css.evaluation.per_image_iou import PerImageIoUMetric

__all__ = ["BalanceMetric", "PerImageIoUMetric"]
