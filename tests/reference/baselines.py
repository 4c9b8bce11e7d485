"""The objectives of FixMatch, UniMatch, UniMatch V2 and CPS, pixel by pixel, in torch so that autograd knows them."""

import torch
from torch import Tensor

IGNORE = 255


def cross_entropy(logits: Tensor, label: int) -> Tensor:
    """Of one pixel's logits ``(k,)``."""
    return logits.exp().sum().log() - logits[label]


def supervised(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the pixels that have a label."""
    return masked(logits, labels, torch.ones_like(labels, dtype=torch.float), labels != IGNORE, 0.0)


def masked(logits: Tensor, labels: Tensor, confidences: Tensor, valid: Tensor, threshold: float) -> Tensor:
    """Sum over the valid and confident pixels, divided by the number of valid ones."""
    total, number = logits.sum() * 0.0, 0
    batch, height, width = labels.shape
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                if not valid[b, i, j]:
                    continue
                number += 1
                if confidences[b, i, j] >= threshold:
                    total = total + cross_entropy(logits[b, :, i, j], int(labels[b, i, j]))
    return total / number if number else total


def fixmatch(labelled: Tensor, strong: Tensor) -> Tensor:
    return (labelled + strong) / 2


def unimatch(labelled: Tensor, first: Tensor, second: Tensor, feature: Tensor) -> Tensor:
    return (labelled + 0.25 * first + 0.25 * second + 0.5 * feature) / 2


def unimatch_v2(labelled: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return (labelled + (first + second) / 2) / 2


def cps(labelled: Tensor, labelled_by_peer: Tensor, of_first: Tensor, of_second: Tensor, weight: float) -> Tensor:
    return labelled + labelled_by_peer + weight * (of_first + of_second)
