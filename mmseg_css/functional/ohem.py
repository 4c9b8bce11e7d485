"""Online hard example mining for the supervised loss (CSS on Cityscapes)."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.normalise import Normaliser, local, mean_of


def ohem_cross_entropy(
    logits: Float[Tensor, "b k H W"],
    label: Int[Tensor, "b H W"],
    threshold: float = 0.7,
    min_kept: int = 50_000,
    ignore_index: int = 255,
    normaliser: Normaliser = local,
    everywhere: Callable[[Tensor], Tensor] = local,
) -> Float[Tensor, ""]:
    """Mean cross-entropy of the valid pixels whose own class has a probability of at most ``threshold``.

    If these are fewer than ``min_kept`` per image (over the batch), the hardest so many are taken instead. Without a
    valid pixel the loss is 0, attached to the graph. With several processes, ``min_kept`` is theirs together for each
    image of one, and ``everywhere`` gathers a tensor from all of them.

    Raises:
        ValueError: if ``threshold`` lies outside (0, 1] or ``min_kept`` is not positive.

    >>> logits = torch.tensor([[4.0, 0.0], [0.0, 0.0]]).reshape(1, 2, 1, 2)
    >>> round(ohem_cross_entropy(logits, torch.tensor([[[0, 0]]]), min_kept=1).item(), 4)
    0.6931
    """
    if not 0 < threshold <= 1 or min_kept < 1:
        raise ValueError(f"threshold must lie in (0, 1] and min_kept be positive, got {threshold} and {min_kept}")
    cross_entropy = F.cross_entropy(logits, label, ignore_index=ignore_index, reduction="none")
    with torch.no_grad():
        count = min(min_kept * len(label), label.numel())
        # Ignored pixels have no loss, so they come last here and are masked out below.
        hardest = everywhere(cross_entropy.flatten().topk(count).values)
        hardest = hardest.topk(min(min_kept * len(label), len(hardest))).values[-1]
        keep = (cross_entropy >= hardest.clamp(max=-math.log(threshold))) & (label != ignore_index)
    return mean_of((cross_entropy * keep).sum(), keep.sum(), normaliser)
