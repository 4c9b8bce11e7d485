"""Class prototypes: the running mean of the embeddings of a class (CSS, section 3.2).

Letters: b batch, k classes, d embedding, h w pixels.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F


def prototype_similarity(
    embeddings: Float[Tensor, "b d h w"], prototypes: Float[Tensor, "k d"]
) -> Float[Tensor, "b k h w"]:
    """Cosine of each embedding with each prototype, in [-1, 1].

    >>> prototype_similarity(torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1), torch.eye(2)).flatten()
    tensor([0.6000, 0.8000])
    """
    # Divided afterwards by the lengths, so that no normalised copy of the embeddings is made.
    product = torch.einsum("bdhw,kd->bkhw", embeddings, F.normalize(prototypes, dim=1).to(embeddings.dtype))
    return product / torch.linalg.vector_norm(embeddings, dim=1, keepdim=True).clamp(min=1e-12)


def check_temperature(temperature: float, name: str = "temperature") -> None:
    """Raise a ValueError, which calls it ``name``, unless a softmax can be taken at this temperature.

    >>> check_temperature(0.5)
    """
    if temperature <= 0:
        raise ValueError(f"{name} must be positive, got {temperature}")


def highest_similarity(num_classes: int, temperature: float) -> float:
    """The most that a softmax over ``num_classes`` of cosine / T can be: at a cosine of 1, and of -1 to all others.

    >>> round(highest_similarity(21, temperature=0.5), 2)
    0.73
    """
    return 1 / (1 + (num_classes - 1) * math.exp(-2 / temperature))


def class_sums(
    embeddings: Float[Tensor, "b d h w"], labels: Int[Tensor, "b h w"], num_classes: int
) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
    """Sum of the (unnormalised) embeddings of every class, and the number of its pixels.

    Labels outside ``[0, num_classes)`` count for no class. Sums are taken in float32 at least: half precision cannot
    count past 2048.

    >>> sums, counts = class_sums(torch.tensor([[[[1.0, 2.0, 4.0]]]]), torch.tensor([[[0, 0, 255]]]), num_classes=2)
    >>> sums.flatten(), counts
    (tensor([3., 0.]), tensor([2., 0.]))
    """
    pixels = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
    # A product with the indicator of each class: one pass, deterministic on a GPU, and no synchronisation.
    member = labels[:, None] == torch.arange(num_classes, device=labels.device)[:, None, None]
    sums = torch.einsum("bkhw,bdhw->kd", member.to(pixels.dtype), pixels)
    return sums, member.sum(dim=(0, 2, 3)).to(pixels.dtype)


def ema_prototypes(
    prototypes: Float[Tensor, "k d"],
    seen: Bool[Tensor, " k"],
    sums: Float[Tensor, "k d"],
    counts: Float[Tensor, " k"],
    decay: float,
) -> tuple[Float[Tensor, "k d"], Bool[Tensor, " k"]]:
    """Blend the class means of a batch into the prototypes; a class seen for the first time takes its mean as it is.

    ``prototype = decay * prototype + (1 - decay) * mean``. A class without a pixel keeps its prototype.

    Raises:
        ValueError: if ``decay`` lies outside [0, 1].

    >>> old, seen = torch.tensor([[1.0], [0.0]]), torch.tensor([True, False])
    >>> ema_prototypes(old, seen, sums=torch.tensor([[6.0], [8.0]]), counts=torch.tensor([2.0, 2.0]), decay=0.5)
    (tensor([[2.],
            [4.]]), tensor([True, True]))
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay must lie in [0, 1], got {decay}")
    present = counts > 0
    means = sums / counts.clamp(min=1)[:, None]
    blended = torch.where(seen[:, None], decay * prototypes + (1 - decay) * means, means)
    return torch.where(present[:, None], blended, prototypes), seen | present
