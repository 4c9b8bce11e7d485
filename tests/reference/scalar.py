"""Softmax, cosine and friends for plain lists of floats."""

import math
from collections.abc import Sequence


def softmax(values: Sequence[float]) -> list[float]:
    """exp(v_i) / sum_j exp(v_j), shifted by the maximum so that nothing overflows."""
    top = max(values)
    exponentials = [math.exp(v - top) for v in values]
    total = math.fsum(exponentials)
    return [e / total for e in exponentials]


def cross_entropy(values: Sequence[float], target: int) -> float:
    """-log softmax(values)[target], computed as log-sum-exp minus the target's value."""
    top = max(values)
    return (top - values[target]) + math.log(math.fsum(math.exp(v - top) for v in values))


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """<first, second> / (|first| |second|), and 0 where one of them is the zero vector."""
    dot = math.fsum(float(a) * float(b) for a, b in zip(first, second, strict=True))
    norm_first = math.sqrt(math.fsum(float(a) * float(a) for a in first))
    norm_second = math.sqrt(math.fsum(float(b) * float(b) for b in second))
    if norm_first == 0.0 or norm_second == 0.0:
        return 0.0
    return dot / (norm_first * norm_second)


def first_argmax(values: Sequence[float]) -> int:
    """The first index of the largest value."""
    best = 0
    for i, value in enumerate(values):
        if value > values[best]:
            best = i
    return best
