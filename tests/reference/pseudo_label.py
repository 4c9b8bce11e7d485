"""Pseudo-labels of the two spaces, where they agree, and the loss they supervise (steps 2, 3, 4 and 9)."""

import numpy as np
from numpy.typing import NDArray

from tests.reference.prototypes import prototype_similarity
from tests.reference.resample import bilinear
from tests.reference.scalar import cross_entropy, first_argmax, softmax

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def logit_pseudo_label(logits: Array, size: tuple[int, int], align_corners: bool = True) -> tuple[Labels, Array]:
    """Upsample, then softmax per pixel; the most probable class and its probability."""
    large = bilinear(logits, size, align_corners=align_corners)
    batch, classes = large.shape[:2]
    label = np.zeros((batch, *size), dtype=np.int64)
    confidence = np.zeros((batch, *size), dtype=np.float64)
    for b in range(batch):
        for i in range(size[0]):
            for j in range(size[1]):
                probabilities = softmax([large[b, k, i, j] for k in range(classes)])
                label[b, i, j] = first_argmax(probabilities)
                confidence[b, i, j] = max(probabilities)
    return label, confidence


def prototype_pseudo_label(
    embeddings: Array,
    prototypes: Array,
    seen: NDArray[np.bool_],
    size: tuple[int, int],
    temperature: float = 0.5,
    align_corners: bool = True,
    ignore_index: int = 255,
) -> tuple[Labels, Array]:
    """Cosine to every prototype that exists, upsampled, then softmax(similarity / T) over those classes."""
    large = bilinear(prototype_similarity(embeddings, prototypes), size, align_corners=align_corners)
    batch, classes = large.shape[:2]
    candidates = [k for k in range(classes) if seen[k]]
    label = np.full((batch, *size), ignore_index, dtype=np.int64)
    confidence = np.zeros((batch, *size), dtype=np.float64)
    if not candidates:
        return label, confidence
    for b in range(batch):
        for i in range(size[0]):
            for j in range(size[1]):
                probabilities = softmax([large[b, k, i, j] / temperature for k in candidates])
                label[b, i, j] = candidates[first_argmax(probabilities)]
                confidence[b, i, j] = max(probabilities)
    return label, confidence


def agreement(first: Labels, second: Labels, ignore_index: int = 255) -> Labels:
    """The common label where both say the same, else ``ignore_index``."""
    out = np.full(first.shape, ignore_index, dtype=np.int64)
    for position in np.ndindex(first.shape):
        if first[position] == second[position]:
            out[position] = first[position]
    return out


def pseudo_label_loss(
    logits: Array, label: Labels, confidence: Array, threshold: float = 0.97, ignore_index: int = 255
) -> float:
    """Mean of w_b * CE over the pixels with CE > 0, w_b = #(confidence >= threshold) / #(valid label) of image b."""
    logits = np.asarray(logits, dtype=np.float64)
    batch, classes, height, width = logits.shape
    terms: list[float] = []
    for b in range(batch):
        confident = sum(bool(confidence[b, i, j] >= threshold) for i in range(height) for j in range(width))
        valid = sum(bool(label[b, i, j] != ignore_index) for i in range(height) for j in range(width))
        for i in range(height):
            for j in range(width):
                if label[b, i, j] == ignore_index:
                    continue
                value = cross_entropy([logits[b, k, i, j] for k in range(classes)], int(label[b, i, j]))
                if value > 0.0:
                    terms.append(confident / valid * value)
    return sum(terms) / len(terms) if terms else 0.0
