"""What a network would be worth with its classes balanced, at several strengths in one pass over the images."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmseg_css.functional.balance import balancing_shift
from mmseg_css.functional.diagnosis import joint_counts
from mmseg_css.functional.labels import is_class
from mmseg_css.registry import METRICS

#: What is tried where nobody says otherwise.
STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@METRICS.register_module()
class BalanceMetric(BaseMetric):
    """aAcc, mIoU and mAcc in percent, as MMSeg's `IoUMetric` has them, by strength: ``{"0.5/mIoU": 51.5, ...}``.

    Classes that no mask shows count for no mean. MMSeg gives them an IoU of 0 as soon as one pixel is taken for them,
    so that strengths would be averaged over different classes.

    Args:
        pixels: Labelled pixels of each class (see `functional.balancing_shift`).
        strengths: How strongly they are balanced.
        ignore_index: Of the masks.
    """

    def __init__(self, *, pixels: Sequence[int], strengths: Sequence[float], ignore_index: int = 255) -> None:
        super().__init__()
        counts = torch.tensor(pixels)
        self.shifts = {strength: balancing_shift(counts, strength)[:, None, None] for strength in strengths}
        self.ignore_index = ignore_index

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            logits = sample["seg_logits"]["data"]
            truth = sample["gt_sem_seg"]["data"][0].to(logits.device)
            counts = [self._counts(logits + shift.to(logits), truth) for shift in self.shifts.values()]
            self.results.append(torch.stack(counts).cpu())

    def _counts(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Of each class the pixels that are right, labelled and predicted."""
        classes = logits.shape[0]
        known = (truth != self.ignore_index) & is_class(truth, classes)
        counts = joint_counts(known, (truth.long(), classes), (logits.argmax(dim=0), classes))
        return torch.stack([counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)])

    def compute_metrics(self, results: list) -> dict[str, float]:
        found: dict[str, float] = {}
        for strength, counts in zip(self.shifts, torch.stack(results).sum(dim=0).double().numpy(), strict=True):
            right, labelled, predicted = counts[:, counts[1] > 0]
            found |= {
                f"{strength:g}/mIoU": 100 * float(np.mean(right / (labelled + predicted - right))),
                f"{strength:g}/mAcc": 100 * float(np.mean(right / labelled)),
                f"{strength:g}/aAcc": 100 * float(right.sum() / labelled.sum()),
            }
        return found
