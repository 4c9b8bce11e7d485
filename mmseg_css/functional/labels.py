"""Labels that name a class, among those that do not."""

from jaxtyping import Bool, Int
from torch import Tensor


def is_class(labels: Int[Tensor, "*s"], num_classes: int) -> Bool[Tensor, "*s"]:
    """Whether a value names a class.

    >>> import torch
    >>> is_class(torch.tensor([0, 2, 255]), 2)
    tensor([ True, False, False])
    """
    return (labels >= 0) & (labels < num_classes)
