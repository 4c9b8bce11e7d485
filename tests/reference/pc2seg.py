"""PC2Seg's equations as they are printed: the m x m matrix of sampling probabilities, and the two losses.

Vectorised where a loop would only be slower, so that `benchmarks/negative_sampling.py` compares with a fair opponent.
"""

import math

import torch
from torch import Tensor

from tests.reference.scalar import cosine, cross_entropy


def probability_matrix(sampler: str, probabilities: Tensor, valid: Tensor) -> Tensor:
    """p[i, j], rows summing to 1, for maps "b k h w"; a row of zeros where nothing can be drawn.

    Rows of which the image condition leaves nothing are taken without it.
    """
    batch, classes = probabilities.shape[:2]
    y = probabilities.movedim(1, -1).reshape(-1, classes)
    pixels = len(y)
    image = torch.arange(batch, device=y.device).repeat_interleave(pixels // batch)
    weight = torch.ones(pixels, pixels, dtype=y.dtype, device=y.device)
    if sampler in ("pseudo_label_debiased", "different_image_debiased"):
        weight = 1 - y @ y.T
    weight = weight * valid.reshape(1, -1)
    if sampler in ("different_image", "different_image_debiased"):
        elsewhere = weight * (image[:, None] != image[None, :])
        weight = torch.where(elsewhere.sum(dim=1, keepdim=True) > 0, elsewhere, weight)
    total = weight.sum(dim=1, keepdim=True)
    return torch.where(total > 0, weight / total, 0.0)


def matrix_loss(
    sampler: str, weak: Tensor, strong: Tensor, probabilities: Tensor, num_negatives: int, temperature: float
) -> Tensor:
    """The contrastive loss over all m pixels: the matrix, a draw from each of its rows, and the equation."""
    valid = torch.ones_like(probabilities[:, 0], dtype=torch.bool)
    negatives = probability_matrix(sampler, probabilities, valid).multinomial(num_negatives, replacement=True)
    anchor, positive = (
        torch.nn.functional.normalize(maps.movedim(1, -1).reshape(-1, maps.shape[1]), dim=1) for maps in (weak, strong)
    )
    positive_logit = (anchor * positive).sum(dim=1, keepdim=True)
    negative_logits = (anchor[:, None] * anchor[negatives]).sum(dim=2)
    logits = torch.cat([positive_logit, negative_logits], dim=1) / temperature
    return -logits.log_softmax(dim=1)[:, 0].mean()


def pixel_contrast(
    weak: list[list[float]],
    strong: list[list[float]],
    pool: list[list[float]],
    anchors: list[int],
    negatives: list[list[int]],
    found: list[bool],
    temperature: float,
) -> float:
    """Mean over the anchors of -log(e^{s+} / (e^{s+} + sum_n e^{s-})); lists of pixels' embeddings."""
    total = 0.0
    for anchor, drawn, any_found in zip(anchors, negatives, found, strict=True):
        similarities = [cosine(weak[anchor], strong[anchor])]
        if any_found:
            similarities += [cosine(weak[anchor], pool[negative]) for negative in drawn]
        total += cross_entropy([s / temperature for s in similarities], 0)
    return total / len(anchors)


def cosine_consistency(weak: Tensor, strong: Tensor, valid: Tensor) -> float:
    """Mean over the valid pixels of 1 - cos(y, y+)."""
    distances = []
    batch, _, height, width = weak.shape
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                if valid[b, i, j]:
                    distances.append(1 - cosine(weak[b, :, i, j].tolist(), strong[b, :, i, j].tolist()))
    return math.fsum(distances) / len(distances) if distances else 0.0
