"""Classes with few pixels: what their share of the labels takes from their logits, and how to give some of it back.

Letters: k classes, H W pixels.
Source: Menon et al., Long-tail learning via logit adjustment, ICLR 2021 (arXiv 2007.07314), section 4.1.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mmseg_css.functional.diagnosis import is_class


def balancing_shift(pixels: Int[Tensor, " k"], strength: float) -> Float[Tensor, " k"]:
    """What is added to the logits of each class: ``-strength * log(share of the labelled pixels)``.

    With strength 1 the most probable class becomes the one that would be most probable if all classes had as many
    pixels, which is best for the mean recall; the mean IoU, which also counts what is taken for a class, wants less.
    A class without labelled pixels gets nothing, and so falls behind all others.

    Args:
        pixels: Labelled pixels of each class.
        strength: tau of the paper; 0 changes nothing.

    Raises:
        ValueError: No class has pixels.

    >>> balancing_shift(torch.tensor([99, 1]), strength=0.5)
    tensor([0.0050, 2.3026])
    """
    if not (pixels > 0).any():
        raise ValueError("no class has labelled pixels: there are no shares to balance")
    shares = pixels.double() / pixels.sum()
    return torch.where(pixels > 0, -strength * shares.log(), 0.0).float()


def confusion(logits: Float[Tensor, "k H W"], truth: Int[Tensor, "H W"], ignore_index: int = 255) -> Int[Tensor, "k k"]:
    """Pixels of each class (rows) by what is most probable (columns), where the truth is known.

    >>> confusion(torch.tensor([[[2.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]]]), torch.tensor([[0, 0, 255]])).tolist()
    [[1, 1], [0, 0]]
    """
    classes = logits.shape[0]
    known = (truth != ignore_index) & is_class(truth, classes)
    pairs = (truth.long() * classes + logits.argmax(dim=0))[known]
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
