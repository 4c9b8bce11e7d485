"""Which unlabelled image is worth a label: scores of an image by what networks say of it, and a choice that is spread.

Letters: b batch, k classes, h w pixels, n images, m images that are labelled, d embedding.
Sources: entropy and disagreement of Settles, *Active Learning Literature Survey* (2009), of pixels, and their mean over
the image; greedy k-centre of Sener and Savarese, *Active Learning for Convolutional Neural Networks: A Core-Set
Approach* (ICLR 2018, arXiv 1708.00489), algorithm 1. The weights of rare classes are our own.
"""

from math import log
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

#: Centres that are compared at once, so that memory does not grow with n * m.
CHUNK: Final = 256


def mean_entropy(probabilities: Float[Tensor, "b k h w"], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    r"""How undecided a network is, from 0 to 1: the mean over valid pixels of :math:`-\sum_k p_k \log p_k / \log k`.

    0 without a valid pixel, and of a single class.

    >>> probabilities = torch.tensor([0.5, 1.0, 0.5, 0.0]).reshape(1, 2, 1, 2)
    >>> mean_entropy(probabilities, torch.tensor([[[True, True]]]))
    tensor([0.5000])
    """
    entropy = torch.special.entr(probabilities).sum(1) / log(max(2, probabilities.shape[1]))
    return mean_over_pixels(entropy, valid)


def disagreement(
    first: Int[Tensor, "b h w"], second: Int[Tensor, "b h w"], valid: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """The share of the valid pixels to which two sources give different labels; 0 without a valid pixel.

    >>> disagreement(torch.tensor([[[0, 1, 2]]]), torch.tensor([[[0, 2, 0]]]), torch.tensor([[[True, True, False]]]))
    tensor([0.5000])
    """
    return mean_over_pixels((first != second).float(), valid)


def rarity(pixels: Int[Tensor, " k"]) -> Float[Tensor, " k"]:
    r"""What a pixel of each class is worth: :math:`w_k = \sum_j n_j / n_k` for :math:`n_k` labelled pixels of a class.

    A class without a labelled pixel counts as the rarest that has one: nothing is known of how rare it is, and a weight
    without bound would let the network's noise decide. All are 1 if none has one.

    >>> rarity(torch.tensor([6, 2, 0]))
    tensor([1.3333, 4.0000, 4.0000])
    """
    seen = pixels > 0
    if not seen.any():
        return torch.ones(len(pixels))
    least = pixels[seen].min()
    return (pixels.sum().double() / torch.where(seen, pixels, least)).float()


def expected_rarity(
    probabilities: Float[Tensor, "b k h w"], weights: Float[Tensor, " k"], valid: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    r"""What labels of an image are expected to bring of rare classes: the mean over valid pixels of
    :math:`\sum_k w_k p_k`; 0 without a valid pixel.

    >>> probabilities = torch.tensor([0.5, 1.0, 0.5, 0.0]).reshape(1, 2, 1, 2)
    >>> expected_rarity(probabilities, torch.tensor([1.0, 9.0]), torch.tensor([[[True, True]]]))
    tensor([3.])
    """
    return mean_over_pixels(torch.einsum("bkhw,k->bhw", probabilities, weights), valid)


def mean_over_pixels(values: Float[Tensor, "b h w"], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    """The mean of each image over its valid pixels; 0 without one.

    >>> mean_over_pixels(torch.tensor([[[1.0, 5.0]]]), torch.tensor([[[True, False]]]))
    tensor([1.])
    """
    return torch.where(valid, values, 0.0).sum((1, 2)) / valid.sum((1, 2)).clamp(min=1)


def highest(scores: Float[Tensor, " n"], number: int) -> Int[Tensor, " c"]:
    """Indices of the highest scores, highest first; of equal ones the earlier comes first.

    >>> highest(torch.tensor([1.0, 3.0, 1.0]), 2)
    tensor([1, 0])
    """
    return scores.sort(descending=True, stable=True).indices[:number]


def k_centre(
    vectors: Float[Tensor, "n d"], labelled: Float[Tensor, "m d"], number: int
) -> tuple[Int[Tensor, " c"], Float[Tensor, " c"]]:
    """Choose images one by one, each the farthest from all that are labelled or chosen before.

    Gives their indices, and how far each was when it was chosen; of equally far ones the earlier is taken, and
    without a labelled image the first one begins, infinitely far. No more than there are.

    >>> k_centre(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([[0.0]]), 2)
    (tensor([2, 1]), tensor([5., 2.]))
    """
    distances = torch.full((len(vectors),), torch.inf)
    for centres in labelled.split(CHUNK) if len(labelled) else ():
        distances = torch.minimum(distances, _distances(vectors, centres).amin(1))
    left = torch.ones(len(vectors), dtype=torch.bool)
    indices, reached = [], []
    for _ in range(min(number, len(vectors))):
        # Those that are chosen are at distance 0, as copies of them are, and must not come again.
        index = int(torch.where(left, distances, -1.0).argmax())
        indices.append(index)
        reached.append(float(distances[index]))
        left[index] = False
        distances = torch.minimum(distances, _distances(vectors, vectors[index : index + 1])[:, 0])
    return torch.tensor(indices, dtype=torch.long), torch.tensor(reached)


def _distances(vectors: Float[Tensor, "n d"], centres: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    # Without the product of matrices, whose rounding tells copies of an image apart.
    return torch.cdist(vectors, centres, compute_mode="donot_use_mm_for_euclid_dist")
