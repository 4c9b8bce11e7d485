"""Schedules of loss weights."""

import math


def exponential_rampdown(progress: float, maximum: float = 1.0, minimum: float = 0.0, mult: float = -5.0) -> float:
    r"""Weight that falls as :math:`\max(\mathrm{min}, \mathrm{max} \cdot e^{\mathrm{mult} \cdot p^2})`, and is
    ``minimum`` from the end on.

    ``progress`` p is the share of the schedule that has passed: 0 at the start, 1 at the end.

    >>> exponential_rampdown(0.0), round(exponential_rampdown(0.5), 4), exponential_rampdown(1.0)
    (1.0, 0.2865, 0.0)
    """
    if progress < 0:
        raise ValueError(f"progress must not be negative, got {progress}")
    return minimum if progress >= 1 else max(minimum, maximum * math.exp(mult * progress**2))
