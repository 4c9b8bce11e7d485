"""Means over a batch that several processes share."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

#: Turns how many terms a loss has in this process into what it is divided by.
Normaliser = Callable[[Tensor], Tensor]


def local(count: Tensor) -> Tensor:
    """The number of terms as it is: a mean within this process.

    >>> import torch
    >>> local(torch.tensor(3)).item()
    3
    """
    return count


def mean_of(total: Float[Tensor, ""], count: Tensor, normaliser: Normaliser = local) -> Float[Tensor, ""]:
    """``total`` divided by what the normaliser makes of ``count``; where that is 0, ``total`` itself (which is 0 then).

    >>> import torch
    >>> mean_of(torch.tensor(6.0), torch.tensor(3)).item(), mean_of(torch.tensor(0.0), torch.tensor(0)).item()
    (2.0, 0.0)
    """
    divisor = normaliser(count)
    return total / divisor.where(divisor > 0, 1)
