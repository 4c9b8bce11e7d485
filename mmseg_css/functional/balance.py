"""Classes with few pixels: what their share of the labels takes from their logits, and how to give some of it back."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def balancing_shift(pixels: Int[Tensor, " k"], strength: float) -> Float[Tensor, " k"]:
    """What is added to the logits of each of k classes: ``-strength * log(share of the labelled pixels)``.

    Menon et al., Long-tail learning via logit adjustment, ICLR 2021 (arXiv 2007.07314), equation 9. With strength 1 the
    probabilities of a calibrated network become those of a world where all classes have as many pixels.

    A class without labelled pixels gets nothing, and so falls behind all others.

    Args:
        pixels: Labelled pixels of each class.
        strength: tau of the paper. 0 changes nothing.

    Raises:
        ValueError: No class has pixels, or the strength is no number.

    >>> balancing_shift(torch.tensor([99, 1]), strength=0.5)
    tensor([0.0050, 2.3026])
    """
    if not (pixels > 0).any():
        raise ValueError("no class has labelled pixels: there are no shares to balance")
    if not math.isfinite(strength):
        raise ValueError(f"the strength must be a number, got {strength}")
    shares = pixels.double() / pixels.sum()
    return torch.where(pixels > 0, -strength * shares.log(), 0.0).float()
