r"""Negatives of PC2Seg's contrast, drawn in linear cost from four exact distributions.

Letters: b images, k classes, h w pixels of the decoder's maps, m = b h w pixels of the mini-batch, a anchors, n
negatives of each anchor, c components of a mixture.

Source: PC2Seg (ICCV 2021, arXiv 2108.09025), section 3.3, which gives the probability :math:`p_{ij}` that pixel j
becomes a negative of pixel i. Written directly that is an m x m matrix: 69 GB for 8 images of 128 x 128 pixels. All
four distributions are mixtures, though,

.. math:: p_{ij} \propto 1\{j \text{ allowed for } i\} \sum_c a_{ic} b_{jc},

with one component for ``uniform`` and ``different_image``, and one per class for the debiased ones, because class
probabilities sum to one: :math:`1 - y_i \cdot y_j = \sum_c y_{ic} (1 - y_{jc})`. So a draw has two stages, first the
component with probability :math:`a_{ic} \sum_j b_{jc}`, then the pixel with probability :math:`b_{jc}`, by inverse
transform on one cumulative sum per component. An anchor's own image is a run of that sum, and is stepped over. Cost
O(m k + a n log m), memory O(m k + a n). The samplers are the paper's, the linear form is ours.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmseg_css.functional.sampling import draw_below, draw_categories

Sampler = Literal["uniform", "different_image", "pseudo_label_debiased", "different_image_debiased"]

#: Weights are summed as multiples of 2^-32: sums of integers are exact in any order, so that the bounds of an image's
#: run always fit, on a GPU too, and a pixel of weight 0 is never drawn. Room for 2^31 weights of 1.
RESOLUTION = 2**32


class Mixture(NamedTuple):
    """The distribution of the negatives of every pixel: ``p_ij`` proportional to ``sum_c anchor_ic candidate_jc``."""

    anchor: Float[Tensor, "b c h w"]
    candidate: Float[Tensor, "b c h w"]
    other_images_only: bool


class NegativeDraw(NamedTuple):
    """Negatives as indices into the flattened pixels ``(b h w)``, and which anchors have any."""

    negatives: Int[Tensor, "a n"]
    found: Bool[Tensor, " a"]


def uniform(probabilities: Float[Tensor, "b k h w"]) -> Mixture:
    """Every pixel alike: ``p_ij = 1 / m``.

    >>> uniform(torch.tensor([0.9, 0.1]).reshape(1, 2, 1, 1)).candidate.flatten().tolist()
    [1.0]
    """
    ones = torch.ones_like(probabilities[:, :1])
    return Mixture(ones, ones, other_images_only=False)


def different_image(probabilities: Float[Tensor, "b k h w"]) -> Mixture:
    """Every pixel of the other images alike: ``p_ij`` proportional to ``1{I_i != I_j}``.

    >>> different_image(torch.ones(2, 1, 1, 1)).other_images_only
    True
    """
    return uniform(probabilities)._replace(other_images_only=True)


def pseudo_label_debiased(probabilities: Float[Tensor, "b k h w"]) -> Mixture:
    """Pixels that are probably of another class: ``p_ij`` proportional to ``1 - y_i . y_j``.

    >>> mixture = pseudo_label_debiased(torch.tensor([0.75, 0.25]).reshape(1, 2, 1, 1))
    >>> mixture.anchor.flatten().tolist(), mixture.candidate.flatten().tolist()
    ([0.75, 0.25], [0.25, 0.75])
    """
    # In float32 one minus a probability near 1 would be 0, and the sum of the probabilities is not exactly 1.
    exact = probabilities.double()
    return Mixture(exact, exact.sum(dim=1, keepdim=True) - exact, other_images_only=False)


def different_image_debiased(probabilities: Float[Tensor, "b k h w"]) -> Mixture:
    """Both: ``p_ij`` proportional to ``1{I_i != I_j} (1 - y_i . y_j)``; the paper's choice.

    >>> different_image_debiased(torch.ones(2, 1, 1, 1)).other_images_only
    True
    """
    return pseudo_label_debiased(probabilities)._replace(other_images_only=True)


SAMPLERS: dict[str, Callable[[Tensor], Mixture]] = {
    "uniform": uniform,
    "different_image": different_image,
    "pseudo_label_debiased": pseudo_label_debiased,
    "different_image_debiased": different_image_debiased,
}


def draw_anchors(
    valid: Bool[Tensor, "b h w"], num_anchors: int, generator: torch.Generator | None = None
) -> Int[Tensor, "{num_anchors}"]:
    """Valid pixels, uniformly and with replacement, as indices into ``(b h w)``; all 0 when no pixel is valid.

    >>> draw_anchors(torch.tensor([[[False, True]]]), num_anchors=2).tolist()
    [1, 1]
    """
    rank = valid.flatten().long().cumsum(dim=0)
    drawn = draw_below(rank[-1].expand(num_anchors), generator)
    return torch.searchsorted(rank, drawn, right=True).clamp(max=len(rank) - 1) * (rank[-1] > 0)


def draw_negatives(
    mixture: Mixture,
    anchors: Int[Tensor, " a"],
    valid: Bool[Tensor, "b h w"],
    num_negatives: int,
    generator: torch.Generator | None = None,
) -> NegativeDraw:
    """Draw the negatives of every anchor, independently and with replacement, among the valid pixels.

    Where nothing is allowed: an anchor whose image is the only one with something to draw from (one image in the batch,
    say) draws from its own image after all. If nothing is left even so (all pixels of the anchor's class with
    probability 1, or none valid), the anchor is not ``found``, and its negatives, all 0, mean nothing. Nearly 1 is not
    1: also small doubts of a network are drawn in proportion, in steps of `RESOLUTION` (2e-10). There may be fewer
    pixels than negatives, and where p says so an anchor may be its own.

    >>> certain = torch.eye(2).reshape(2, 2, 1, 1)  # two images of one pixel, of different classes
    >>> valid = torch.ones(2, 1, 1, dtype=torch.bool)
    >>> draw_negatives(different_image_debiased(certain), torch.tensor([0, 1]), valid, 3).negatives.tolist()
    [[1, 1, 1], [0, 0, 0]]
    """
    pixels = valid.numel()
    before = _cumulative_weights(mixture.candidate, valid)
    first = torch.arange(mixture.candidate.shape[1], device=valid.device) * pixels
    low, high = before[first], before[first + pixels]
    weight = rearrange(mixture.anchor, "b c h w -> (b h w) c")[anchors].double().nan_to_num(0.0)
    skip_from, skip_to = _own_image(before, first, anchors, valid[0].numel())
    keeps_own = torch.ones_like(anchors, dtype=torch.bool)
    if mixture.other_images_only:
        keeps_own = (weight * (high - low - (skip_to - skip_from))).sum(dim=1) == 0
    skip_to = torch.where(keeps_own[:, None], skip_from, skip_to)
    total = high - low - (skip_to - skip_from)

    shares = weight * total
    component = draw_categories(shares, num_negatives, generator)
    position = draw_below(total.gather(1, component), generator) + low[component]
    start, end = skip_from.gather(1, component), skip_to.gather(1, component)
    position = torch.where(position < start, position, position + (end - start))
    index = (torch.searchsorted(before[1:], position, right=True) - component * pixels).clamp(0, pixels - 1)
    found = shares.sum(dim=1) > 0
    return NegativeDraw(torch.where(found[:, None], index, 0), found)


def _cumulative_weights(candidate: Float[Tensor, "b c h w"], valid: Bool[Tensor, "b h w"]) -> Int[Tensor, " c*b*h*w+1"]:
    """The sum of the weights before each pixel, in steps of 1 / `RESOLUTION`, and at the end that of all.

    The components lie one after the other, so that one search serves every draw.
    """
    # A network that has lost itself says NaN: such a pixel has no weight, and no index may come of it.
    weights = rearrange(candidate, "b c h w -> c (b h w)").double().nan_to_num(0.0) * valid.flatten()
    sums = (weights * RESOLUTION).round().long().flatten().cumsum(dim=0)
    return torch.cat([sums.new_zeros(1), sums])


def _own_image(
    before: Int[Tensor, " s"], first: Int[Tensor, " c"], anchors: Int[Tensor, " a"], per_image: int
) -> tuple[Int[Tensor, "a c"], Int[Tensor, "a c"]]:
    """Where the run of each anchor's own image begins and ends in the cumulative weights of each component."""
    start = first + (anchors // per_image * per_image)[:, None]
    return before[start], before[start + per_image]
