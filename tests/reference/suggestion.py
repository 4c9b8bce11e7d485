"""Scores of images and the choice among them, pixel by pixel and image by image, as the definitions say it."""

import math
from collections.abc import Callable

from torch import Tensor


def mean_over(value_of: Callable[[int, int, int], float], valid: Tensor) -> list[float]:
    """Of each image the mean of a value of its valid pixels; 0 without one."""
    found = []
    for image, rows in enumerate(valid.tolist()):
        values = [value_of(image, y, x) for y, row in enumerate(rows) for x, known in enumerate(row) if known]
        found.append(sum(values) / len(values) if values else 0.0)
    return found


def mean_entropy(probabilities: Tensor, valid: Tensor) -> list[float]:
    classes = probabilities.shape[1]

    def entropy(image: int, y: int, x: int) -> float:
        shares = [p for p in probabilities[image, :, y, x].tolist() if p > 0]
        return -sum(p * math.log(p) for p in shares) / math.log(classes) if classes > 1 else 0.0

    return mean_over(entropy, valid)


def disagreement(first: Tensor, second: Tensor, valid: Tensor) -> list[float]:
    return mean_over(lambda *at: float(first[at].item() != second[at].item()), valid)


def rarity(pixels: list[int]) -> list[float]:
    least = min((n for n in pixels if n), default=None)
    return [1.0 if least is None else sum(pixels) / (n or least) for n in pixels]


def expected_rarity(probabilities: Tensor, weights: list[float], valid: Tensor) -> list[float]:
    def worth(image: int, y: int, x: int) -> float:
        return sum(w * p for w, p in zip(weights, probabilities[image, :, y, x].tolist(), strict=True))

    return mean_over(worth, valid)


def k_centre(vectors: list[list[float]], labelled: list[list[float]], number: int) -> list[int]:
    """Algorithm 1 of Sener and Savarese (2018)."""
    chosen: list[int] = []
    for _ in range(min(number, len(vectors))):
        centres = labelled + [vectors[index] for index in chosen]
        best, farthest = -1, -1.0
        for index, vector in enumerate(vectors):
            nearest = min((math.dist(vector, centre) for centre in centres), default=math.inf)
            if index not in chosen and nearest > farthest:
                best, farthest = index, nearest
        chosen.append(best)
    return chosen
