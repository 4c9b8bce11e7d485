"""The weight of the contrastive term over time (step 9)."""

import math


def exponential_rampdown(progress: float, maximum: float = 1.0, minimum: float = 0.0, mult: float = -5.0) -> float:
    """max(minimum, maximum * exp(mult * progress^2)) before the end of the ramp, the minimum from there on."""
    if progress >= 1.0:
        return minimum
    return max(minimum, maximum * math.exp(mult * progress * progress))
