"""Several configs trained with the same seeds, and what their difference is worth."""

from mmseg_css.evaluation.comparison.compare import Question, compare

__all__ = ["Question", "compare"]
