"""The pixel-contrastive term of CSS: hard pixels are pulled to their class's prototype, away from other classes'
pixels.

Letters: b batch, k classes, a anchor classes (those with a hard pixel), q queries, n negatives, d embedding, h w
pixels. Source: CSS (ICCV 2023, arXiv 2307.09755), section 3.2. Parameters are drawn first (`draw_contrast`), then the
loss is a deterministic function of the draw (`prototype_contrast_loss`).
"""

from typing import Final, Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.info_nce import info_nce
from mmseg_css.functional.labels import is_class
from mmseg_css.functional.prototypes import check_temperature, prototype_similarity
from mmseg_css.functional.sampling import Groups, draw_categories, draw_members, group_indices, read_pixels

#: Each query its own negatives, or the queries of a class one draw in common.
Sharing = Literal["per_query", "per_class"]
SHARINGS: Final = ("per_query", "per_class")


class ContrastDraw(NamedTuple):
    """Which pixels take part: indices into the flattened pixels ``(b h w)``, of the pool for the negatives.

    ``r`` rows of negatives for each class: one for each query (r = q), or one that its queries share (r = 1).
    ``found`` where a class has queries and negatives; elsewhere its indices mean nothing.
    """

    classes: Int[Tensor, " a"]
    queries: Int[Tensor, "a q"]
    negatives: Int[Tensor, "a r n"]
    present: Bool[Tensor, " k"]
    found: Bool[Tensor, " a"]


def similarity_indicator(
    embeddings: Float[Tensor, "b d h w"],
    labels: Int[Tensor, "b h w"],
    prototypes: Float[Tensor, "k d"],
    seen: Bool[Tensor, " k"],
    temperature: float = 0.5,
) -> Float[Tensor, "b h w"]:
    """How clearly an embedding resembles the prototype of its own class: softmax of cosine / temperature, read there.

    0 (as hard as can be) where the label is ignored, and for a class that has no prototype yet.

    >>> embeddings = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    >>> both = torch.tensor([True, True])
    >>> round(similarity_indicator(embeddings, torch.tensor([[[0]]]), torch.eye(2), both).item(), 3)
    0.881
    """
    check_temperature(temperature)
    similarity = prototype_similarity(embeddings, prototypes) / temperature
    similarity = similarity.masked_fill(~seen[:, None, None], torch.finfo(similarity.dtype).min)
    in_range = is_class(labels, len(prototypes))
    known = in_range & seen[torch.where(in_range, labels, 0)]
    return torch.where(known, _read_at_label(similarity.softmax(dim=1), labels), 0.0)


def confidence_indicator(logits: Float[Tensor, "b k h w"], labels: Int[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    """The predicted probability of the pixel's own class; 0 where the label is ignored.

    >>> confidence_indicator(torch.zeros(1, 2, 1, 1), torch.tensor([[[1]]])).item()
    0.5
    """
    return _read_at_label(logits.softmax(dim=1), labels)


def _read_at_label(probabilities: Float[Tensor, "b k h w"], labels: Int[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    valid = is_class(labels, probabilities.shape[1])
    own = probabilities.gather(1, torch.where(valid, labels, 0)[:, None])[:, 0]
    return torch.where(valid, own, 0.0)


def negative_class_probabilities(
    prototypes: Float[Tensor, "k d"], present: Bool[Tensor, " k"], temperature: float = 0.5
) -> Float[Tensor, "k k"]:
    """From which class the negatives of a class come: softmax of the prototypes' cosine over the *other* present
    classes.

    Rows of absent classes, and all rows when fewer than two classes are present, are zero.

    >>> negative_class_probabilities(torch.eye(3), torch.tensor([True, True, True])).tolist()
    [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
    """
    check_temperature(temperature)
    normalised = F.normalize(prototypes, dim=1)
    similarity = torch.einsum("kd,jd->kj", normalised, normalised) / temperature
    allowed = present[:, None] & present[None, :]
    allowed = allowed & ~torch.eye(len(present), dtype=torch.bool, device=present.device)
    similarity = similarity.masked_fill(~allowed, torch.finfo(similarity.dtype).min)
    return torch.where(allowed, similarity.softmax(dim=1), 0.0)


def draw_contrast(
    labels: Int[Tensor, "b h w"],
    hard: Bool[Tensor, "b h w"],
    prototypes: Float[Tensor, "k d"],
    num_queries: int,
    num_negatives: int,
    temperature: float = 0.5,
    sharing: Sharing = "per_query",
    generator: torch.Generator | None = None,
    pool_labels: Int[Tensor, "p h w"] | None = None,
) -> ContrastDraw:
    """Draw the queries of every class from its hard pixels, and the negatives of every query in two stages.

    Stage one draws a class among the other present ones (`negative_class_probabilities`), stage two a valid pixel of
    that class; both with replacement. A pixel is valid if its label lies in [0, k). A class without a hard pixel has no
    queries; with fewer than two present classes nobody has. The pool is where classes are present and negatives lie:
    the pixels themselves, or those with ``pool_labels``.

    ``per_query``: independently for every query, as in the paper. ``per_class``: one draw that the queries of a class
    share. Each query's negatives have the same distribution either way, so the expected loss and gradient are the same;
    only queries of a class are no longer independent.

    >>> labels, hard = torch.tensor([[[0, 1, 255]]]), torch.tensor([[[True, False, True]]])
    >>> draw = draw_contrast(labels, hard, torch.eye(2), num_queries=1, num_negatives=2)
    >>> draw.classes.tolist(), draw.queries.tolist(), draw.negatives.tolist()
    ([0], [[0]], [[[1, 1]]])
    """
    num_classes = len(prototypes)
    valid = group_indices((labels if pool_labels is None else pool_labels).flatten(), num_classes)
    candidates = group_indices(torch.where(hard, labels, num_classes).flatten(), num_classes)
    present = valid.size > 0
    eligible = (candidates.size > 0) & (present.sum() > 1)
    classes = _drawing(eligible)

    queries = draw_members(candidates, classes[:, None].expand(len(classes), num_queries), generator)
    probabilities = negative_class_probabilities(prototypes, present, temperature)[classes]
    rows = num_queries if sharing == "per_query" else 1
    negatives = _draw_in_two_stages(probabilities, valid, rows, num_negatives, generator)
    return ContrastDraw(classes, queries, negatives, present, eligible[classes])


def _draw_in_two_stages(
    probabilities: Float[Tensor, "a k"], pixels: Groups, rows: int, count: int, generator: torch.Generator | None
) -> Int[Tensor, "a {rows} {count}"]:
    """First a class of each negative, with these probabilities, then one of its pixels, all alike."""
    classes = draw_categories(probabilities, rows * count, generator)
    return rearrange(draw_members(pixels, classes, generator), "a (r n) -> a r n", r=rows)


def _drawing(eligible: Bool[Tensor, " k"]) -> Int[Tensor, " a"]:
    """The classes that draw. A GPU would have to be waited for to count them, so that there all do."""
    classes = torch.arange(len(eligible), device=eligible.device)
    return classes[eligible] if eligible.device.type == "cpu" else classes


def prototype_contrast_loss(
    embeddings: Float[Tensor, "b d h w"],
    draw: ContrastDraw,
    prototypes: Float[Tensor, "k d"],
    temperature: float = 0.5,
    class_weights: Float[Tensor, " k"] | None = None,
    pool: Float[Tensor, "p d h w"] | None = None,
) -> Float[Tensor, ""]:
    r"""InfoNCE of each query against its class's prototype (positive) and the drawn pixels (negatives).

    .. math:: L = \frac{1}{\#\mathrm{present}} \sum_{c} \frac{1}{q} \sum_{i}
       -\log \frac{e^{s(z_{ci}, \rho_c)}}{e^{s(z_{ci}, \rho_c)} + \sum_n e^{s(z_{ci}, z^-_{cin})}},
       \qquad s(u, v) = \cos(u, v) / \tau

    Only the queries carry a gradient. Without a query the loss is 0, still attached to ``embeddings``.
    ``class_weights`` take the place of 1 / #present, ``pool`` that of ``embeddings`` as the source of negatives.

    >>> embeddings = torch.eye(2).reshape(1, 2, 1, 2)
    >>> draw = draw_contrast(torch.tensor([[[0, 1]]]), torch.tensor([[[True, True]]]), torch.eye(2), 1, 1)
    >>> round(prototype_contrast_loss(embeddings, draw, torch.eye(2)).item(), 4)  # log(1 + e^-2)
    0.1269
    """
    check_temperature(temperature)
    num_queries, rows = draw.queries.shape[1], draw.negatives.shape[1]
    if class_weights is None:
        class_weights = embeddings.new_ones(len(prototypes)) / draw.present.sum().clamp(min=1)
    weights = draw.found * class_weights.to(embeddings.dtype)[draw.classes] / num_queries
    queries = F.normalize(read_pixels(embeddings, draw.queries), dim=2)
    positives = F.normalize(prototypes.detach(), dim=1).to(queries.dtype)[draw.classes]
    pool = (embeddings if pool is None else pool).detach()
    if rows == 1:
        negatives = F.normalize(read_pixels(pool, draw.negatives[:, 0]), dim=2)
        return _info_nce_per_class(queries, positives, negatives, weights, temperature)
    pixels = F.normalize(rearrange(pool, "p d h w -> (p h w) d"), dim=1)
    positives, weights = positives.repeat_interleave(num_queries, dim=0), weights.repeat_interleave(num_queries)
    return info_nce(queries.flatten(0, 1), positives, pixels, draw.negatives.flatten(0, 1), weights, temperature)


def _info_nce_per_class(
    queries: Float[Tensor, "a q d"],
    positives: Float[Tensor, "a d"],
    negatives: Float[Tensor, "a n d"],
    weights: Float[Tensor, " a"],
    temperature: float,
) -> Float[Tensor, ""]:
    """`info_nce` where the queries of a class share their negatives, so that all products are those of matrices."""
    positive_logit = torch.einsum("aqd,ad->aq", queries, positives)
    negative_logits = torch.einsum("aqd,and->aqn", queries, negatives)
    logits = torch.cat([positive_logit[..., None], negative_logits], dim=2) / temperature
    return torch.einsum("aq,a->", logits.logsumexp(dim=2) - logits[..., 0], weights)
