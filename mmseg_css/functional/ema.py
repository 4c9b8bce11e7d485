"""The exponential moving average that makes a teacher of a student."""

from collections.abc import Sequence

import torch
from torch import Tensor


def ema_decay(step: int, maximum: float) -> float:
    """Decay for the update number ``step``, counted from 0: ``min(1 - 1 / (step + 1), maximum)``.

    The first update copies the student, the next ones average it, until the window of ``maximum`` is reached.

    >>> [ema_decay(step, maximum=0.6) for step in range(4)]
    [0.0, 0.5, 0.6, 0.6]
    """
    if step < 0:
        raise ValueError(f"step must not be negative, got {step}")
    return min(1 - 1 / (step + 1), maximum)


@torch.no_grad()
def ema_update_(targets: Sequence[Tensor], sources: Sequence[Tensor], decay: float) -> None:
    """``target = decay * target + (1 - decay) * source``, in place, all tensors in one launch.

    >>> target = [torch.tensor([1.0])]
    >>> ema_update_(target, [torch.tensor([3.0])], decay=0.5)
    >>> target
    [tensor([2.])]
    """
    if len(targets) != len(sources) or not targets:
        raise ValueError(f"expected as many sources as targets, at least one; got {len(targets)} and {len(sources)}")
    torch._foreach_lerp_(list(targets), list(sources), 1 - decay)
