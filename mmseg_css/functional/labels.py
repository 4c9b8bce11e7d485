"""Labels that name a class, among those that do not."""

from jaxtyping import Bool, Float, Int
from torch import Tensor


def is_class(labels: Int[Tensor, "*s"], num_classes: int) -> Bool[Tensor, "*s"]:
    """Whether a value names a class.

    >>> import torch
    >>> is_class(torch.tensor([0, 2, 255]), 2)
    tensor([ True, False, False])
    """
    return (labels >= 0) & (labels < num_classes)


def share_of(valid: Bool[Tensor, "*s"], chosen: Bool[Tensor, "*s"]) -> Float[Tensor, ""]:
    """Share of the valid pixels that are chosen; 0 where none is valid.

    >>> import torch
    >>> share_of(torch.tensor([True, True, False]), torch.tensor([True, False, True]))
    tensor(0.5000)
    """
    return (chosen & valid).sum() / valid.sum().clamp(min=1)
