"""Measuring: per-image results, and the comparison of runs."""

from mmseg_css.evaluation.compare import Gain, class_iou, load_areas, paired_swap_test, paired_t_test
from mmseg_css.evaluation.per_image_iou import PerImageIoUMetric

__all__ = ["Gain", "PerImageIoUMetric", "class_iou", "load_areas", "paired_swap_test", "paired_t_test"]
