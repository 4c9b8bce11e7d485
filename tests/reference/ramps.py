"""The weight of the contrastive term over time (step 9), and the ramp-up of Laine and Aila (ICLR 2017)."""

import math


def exponential_rampdown(progress: float, maximum: float = 1.0, minimum: float = 0.0, mult: float = -5.0) -> float:
    """max(minimum, maximum * exp(mult * progress^2)) before the end of the ramp, the minimum from there on."""
    if progress >= 1.0:
        return minimum
    return max(minimum, maximum * math.exp(mult * progress * progress))


def exponential_rampup(progress: float, mult: float = -5.0) -> float:
    """exp(mult * (1 - progress)^2) during the ramp, 1 after it."""
    if progress >= 1.0:
        return 1.0
    return math.exp(mult * (1.0 - progress) * (1.0 - progress))
