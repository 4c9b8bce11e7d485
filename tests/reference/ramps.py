"""Weights over time: CSS's contrastive term (step 9), and the ramp-up of PC2Seg's losses."""

import math


def exponential_rampdown(progress: float, maximum: float = 1.0, minimum: float = 0.0, mult: float = -5.0) -> float:
    """max(minimum, maximum * exp(mult * progress^2)) before the end of the ramp, the minimum from there on."""
    if progress >= 1.0:
        return minimum
    return max(minimum, maximum * math.exp(mult * progress * progress))


def exponential_rampup(progress: float, length: float) -> float:
    """exp(-5 (1 - progress / length)^2) until progress reaches the length, 1 from there on."""
    if progress >= length:
        return 1.0
    return math.exp(-5.0 * (1.0 - progress / length) * (1.0 - progress / length))
