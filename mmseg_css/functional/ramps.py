"""Schedules of loss weights."""

import math
from typing import Any

from torch import Tensor


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


def check_rampup(length: float, name: str = "length") -> None:
    """Raise a ValueError, which calls it ``name``, unless this can be the share of a training that a ramp takes.

    >>> check_rampup(0.5)
    """
    if not 0 <= length <= 1:
        raise ValueError(f"{name} is a share of the training: it must lie in [0, 1], got {length}")


def exponential_rampup(progress: float, length: float) -> float:
    r"""Weight that rises as :math:`e^{-5 (1 - p / l)^2}` from :math:`e^{-5}` at the start to 1 at ``length`` l, and
    stays there (Laine and Aila, Temporal Ensembling, ICLR 2017).

    ``progress`` p and ``length`` are shares of the training. A length of 0 is no ramp.

    >>> round(exponential_rampup(0.25, length=0.5), 4), exponential_rampup(0.5, length=0.5)
    (0.2865, 1.0)

    Raises:
        ValueError: if ``progress`` is negative, or ``length`` lies outside [0, 1].
    """
    if progress < 0:
        raise ValueError(f"progress must not be negative: it must lie in [0, 1], got {progress}")
    check_rampup(length)
    return 1.0 if progress >= length else math.exp(-5 * (1 - progress / length) ** 2)


def ramped(loss: Any, weight: float) -> Any:
    """A loss times the weight that a ramp gives it; of one that is a list, which MMEngine sums, each term.

    >>> import torch
    >>> ramped(torch.tensor(2.0), 0.5), ramped([torch.tensor(2.0), torch.tensor(4.0)], 0.5)
    (tensor(1.), [tensor(1.), tensor(2.)])
    """
    return weight * loss if isinstance(loss, Tensor) else [weight * term for term in loss]
