"""Consistency in the label space: two views of a pixel should get the same class probabilities.

Letters: b batch, k classes, h w pixels. Source: PC2Seg (ICCV 2021, arXiv 2108.09025), section 3.1.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.normalise import Normaliser, local, mean_of


def cosine_consistency(
    weak: Float[Tensor, "b k h w"],
    strong: Float[Tensor, "b k h w"],
    valid: Bool[Tensor, "b h w"],
    normaliser: Normaliser = local,
) -> Float[Tensor, ""]:
    r"""Mean over the valid pixels of :math:`l^{cy}_i = 1 - \cos(y_i, y_i^+)`, in [0, 1].

    ``weak`` and ``strong`` are class probabilities. The weak side carries no gradient. Without a valid pixel the loss
    is 0, still attached to ``strong``.

    >>> weak, strong = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1), torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1)
    >>> cosine_consistency(weak, strong, torch.tensor([[[True]]])).item()
    1.0
    """
    distance = 1 - F.cosine_similarity(weak.detach(), strong, dim=1)
    return mean_of(torch.where(valid, distance, 0.0).sum(), valid.sum(), normaliser)
