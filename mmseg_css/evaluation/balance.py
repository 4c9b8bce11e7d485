"""What a network would be worth with its classes balanced, at several strengths in one pass over the images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from mmseg_css.functional.balance import balancing_shift, confusion
from mmseg_css.registry import METRICS


@METRICS.register_module()
class BalanceMetric(BaseMetric):
    """aAcc, mIoU and mAcc in percent, as MMSeg's `IoUMetric` has them, by strength: ``{"0.5/mIoU": 51.5, ...}``.

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
            counts = [confusion(logits + shift.to(logits), truth, self.ignore_index) for shift in self.shifts.values()]
            self.results.append(torch.stack(counts).cpu())

    def compute_metrics(self, results: list) -> dict[str, float]:
        found: dict[str, float] = {}
        for strength, counts in zip(self.shifts, torch.stack(results).sum(dim=0).double().numpy(), strict=True):
            right, labelled, said = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
            with np.errstate(invalid="ignore"):  # classes that no image shows
                found |= {
                    f"{strength:g}/aAcc": 100 * right.sum() / counts.sum(),
                    f"{strength:g}/mIoU": 100 * float(np.nanmean(right / (labelled + said - right))),
                    f"{strength:g}/mAcc": 100 * float(np.nanmean(right / labelled)),
                }
        return found
