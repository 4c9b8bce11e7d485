"""Measuring: per-image results, and the comparison of runs."""

from mmseg_css.evaluation.per_image_iou import PerImageIoUMetric
from mmseg_css.evaluation.statistics import Gain, class_iou, load_areas, paired_swap_test, paired_t_test

__all__ = ["Gain", "PerImageIoUMetric", "class_iou", "load_areas", "paired_swap_test", "paired_t_test"]
