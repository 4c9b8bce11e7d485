"""IoU as MMSeg computes it, with the areas of every image kept for a paired comparison."""

from pathlib import Path
from typing import Any

import numpy as np
from mmseg.evaluation import IoUMetric

from mmseg_css.registry import METRICS


@METRICS.register_module()
class PerImageIoUMetric(IoUMetric):
    """MMSeg's `IoUMetric` that also writes intersection and union of every image and class.

    Args:
        areas_file: ``.npz`` file with the arrays ``intersection``, ``union`` and ``label`` (the truth), images x
            classes, in pixels, images in the order of the data set (of one process).
        kwargs: arguments of `IoUMetric`.
    """

    def __init__(self, *, areas_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.areas_file = Path(areas_file)

    def compute_metrics(self, results: list) -> dict[str, float]:
        intersection, union, label = (np.stack([np.asarray(image[i]) for image in results]) for i in (0, 1, 3))
        self.areas_file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(self.areas_file, intersection=intersection, union=union, label=label)
        return super().compute_metrics(results)
