"""Cut-mix, cut-out and class-mix (step 6)."""

import random

import numpy as np
from numpy.typing import NDArray

from tests.reference.geometry import ArrayView

Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]


def box_mask(boxes: Labels, size: tuple[int, int]) -> Mask:
    """True inside the box (top, left, height, width) of each image."""
    out = np.zeros((len(boxes), *size), dtype=bool)
    for b, i, j in np.ndindex(out.shape):
        top, left, height, width = (int(v) for v in boxes[b])
        out[b, i, j] = top <= i < top + height and left <= j < left + width
    return out


def draw_classmix_kept(labels: Labels, num_classes: int, rng: random.Random) -> list[list[int]]:
    """For each image a random half (rounded down) of the classes it shows: those it keeps."""
    kept = []
    for image in labels:
        shown = [c for c in range(num_classes) if (image == c).any()]
        kept.append(rng.sample(shown, len(shown) // 2))
    return kept


def paste_next(view: ArrayView, mask: Mask) -> ArrayView:
    """Pixels under the mask come from the next image of the batch, the last image's from the first."""
    out = view.copy()
    batch, height, width = mask.shape
    for b in range(batch):
        following = (b + 1) % batch
        for i in range(height):
            for j in range(width):
                if mask[b, i, j]:
                    out.image[b, :, i, j] = view.image[following, :, i, j]
                    out.labels[b, :, i, j] = view.labels[following, :, i, j]
                    out.confidences[b, :, i, j] = view.confidences[following, :, i, j]
                    out.valid[b, i, j] = view.valid[following, i, j]
    return out


def cut_out(view: ArrayView, mask: Mask, ignore_index: int = 255) -> ArrayView:
    """Under the mask there is no image: 0, ignored, confidence 0, not valid."""
    out = view.copy()
    for b, i, j in np.ndindex(mask.shape):
        if mask[b, i, j]:
            out.image[b, :, i, j] = 0.0
            out.labels[b, :, i, j] = ignore_index
            out.confidences[b, :, i, j] = 0.0
            out.valid[b, i, j] = False
    return out
