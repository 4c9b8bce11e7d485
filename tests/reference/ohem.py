"""Online hard example mining (step 9, Cityscapes)."""

import math

import numpy as np
from numpy.typing import NDArray

from tests.reference.scalar import cross_entropy


def ohem_cross_entropy(
    logits: NDArray[np.float64],
    label: NDArray[np.int64],
    threshold: float = 0.7,
    min_kept: int = 50_000,
    ignore_index: int = 255,
) -> float:
    """Mean loss of the valid pixels with probability <= threshold, but at least of the min_kept * b hardest ones."""
    losses = []
    for b, i, j in np.ndindex(label.shape):
        if label[b, i, j] != ignore_index:
            losses.append(cross_entropy(logits[b, :, i, j].tolist(), int(label[b, i, j])))
    losses.sort(reverse=True)
    hard = [value for value in losses if math.exp(-value) <= threshold]
    kept = hard if len(hard) >= min_kept * len(label) else losses[: min_kept * len(label)]
    return sum(kept) / len(kept) if kept else 0.0
