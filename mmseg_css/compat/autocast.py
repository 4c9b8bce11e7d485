"""Mixed precision where a network that trains is also looked at without gradients."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_gradients() -> Iterator[None]:
    """``torch.no_grad()`` for a network that will be trained in the same step.

    Why: autocast keeps the weights that it has cast, and torch 2.6 those of a pass without gradients, too, which then
    leave the passes after it without gradients (pytorch/pytorch#165068; torch 2.14 does not).
    """
    with torch.no_grad():
        yield
    torch.clear_autocast_cache()
