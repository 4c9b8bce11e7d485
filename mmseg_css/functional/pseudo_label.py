"""Pseudo-labels from the logit space and from the representation space, and the losses that learn from them.

Letters: b batch, k classes, d embedding, h w pixels of the decoder's maps, H W pixels of the image.
Sources: CSS (ICCV 2023, arXiv 2307.09755), sections 3.2 and 3.3; UniMatch (CVPR 2023, arXiv 2208.09910).
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.labels import is_class
from mmseg_css.functional.normalise import Normaliser, local, mean_of
from mmseg_css.functional.prototypes import check_temperature, prototype_similarity
from mmseg_css.types import PseudoLabel


def logit_pseudo_label(
    logits: Float[Tensor, "b k h w"], size: tuple[int, int], align_corners: bool = True
) -> PseudoLabel:
    """Label every pixel of the image with its most probable class; the confidence is that probability.

    The logits are upsampled first and turned into probabilities afterwards, as in the published code.

    >>> label, confidence = logit_pseudo_label(torch.tensor([2.0, 0.0]).reshape(1, 2, 1, 1), size=(2, 2))
    >>> label.shape, round(confidence[0, 0, 0].item(), 3)
    (torch.Size([1, 2, 2]), 0.881)
    """
    logits = F.interpolate(logits, size=size, mode="bilinear", align_corners=align_corners)
    confidence, label = logits.softmax(dim=1).max(dim=1)
    return PseudoLabel(label, confidence)


def prototype_pseudo_label(
    embeddings: Float[Tensor, "b d h w"],
    prototypes: Float[Tensor, "k d"],
    seen: Bool[Tensor, " k"],
    size: tuple[int, int],
    temperature: float = 0.5,
    align_corners: bool = True,
    ignore_index: int = 255,
) -> PseudoLabel:
    """Label every pixel with the class whose prototype its embedding resembles most.

    Confidence: softmax over classes of cosine / temperature, so at most ``e^(1/T) / (e^(1/T) + (k-1) e^(-1/T))``, which
    is 0.73 for 21 classes at T = 0.5.

    Deviation from the published code, which compares with zero vectors: a class without a prototype (``seen`` False)
    cannot be predicted. While no class has one, every pixel is ``ignore_index`` with confidence 0.

    Raises:
        ValueError: if ``temperature`` is not positive.

    >>> prototypes = torch.eye(2)
    >>> embeddings = torch.tensor([0.0, 3.0]).reshape(1, 2, 1, 1)
    >>> prototype_pseudo_label(embeddings, prototypes, torch.tensor([True, True]), size=(1, 1)).label
    tensor([[[1]]])
    """
    check_temperature(temperature)
    similarity = prototype_similarity(embeddings, prototypes)
    # A finite stand-in for minus infinity, which an interpolation would make nan (0 times infinity); before it, where
    # pixels are few. With no class seen what the softmax gives is overwritten below.
    lowest = torch.finfo(similarity.dtype).min / 2
    similarity = similarity.masked_fill(~seen[:, None, None], lowest)
    similarity = F.interpolate(similarity, size=size, mode="bilinear", align_corners=align_corners)
    confidence, label = (similarity / temperature).softmax(dim=1).max(dim=1)
    known = seen.any()
    return PseudoLabel(torch.where(known, label, ignore_index), torch.where(known, confidence, 0.0))


def agreement(first: PseudoLabel, second: PseudoLabel, ignore_index: int = 255) -> Int[Tensor, "b H W"]:
    """The label where both sources give the same one, ``ignore_index`` elsewhere (CSS, section 3.3, ``mix``).

    >>> a = PseudoLabel(torch.tensor([[[0, 1]]]), torch.ones(1, 1, 2))
    >>> b = PseudoLabel(torch.tensor([[[0, 2]]]), torch.ones(1, 1, 2))
    >>> agreement(a, b)
    tensor([[[  0, 255]]])
    """
    return torch.where(first.label == second.label, first.label, ignore_index)


def relative_confidence(
    confidence: Float[Tensor, "b H W"],
    label: Int[Tensor, "b H W"],
    means: Float[Tensor, " k"],
) -> Float[Tensor, "b H W"]:
    r"""Confidences as if every class were as sure as the surest is on average.

    .. math:: r_{bp} = \min(1, c_{bp} \, \max_j \mu_j / \mu_{\mathrm{label}_{bp}})

    So a threshold asks less of a class whose pixels are seldom sure (after FreeMatch, ICLR 2023, which scales the
    threshold by the mean probability of a class over all samples). Where the mean is 0, because the class has not been
    seen yet, and where the label lies outside ``[0, k)``, the confidence stays as it is.

    >>> confidence, label = torch.tensor([[[0.45, 0.9, 0.3]]]), torch.tensor([[[1, 0, 255]]])
    >>> relative_confidence(confidence, label, means=torch.tensor([0.9, 0.5]))
    tensor([[[0.8100, 0.9000, 0.3000]]])
    """
    share = torch.where(means > 0, means / means.max().clamp(min=torch.finfo(means.dtype).tiny), 1.0)
    known = is_class(label, len(means))
    divisor = torch.where(known, share.to(confidence.dtype)[torch.where(known, label, 0)], 1.0)
    return (confidence / divisor).clamp(max=1.0)


def pseudo_label_loss(
    logits: Float[Tensor, "b k H W"],
    label: Int[Tensor, "b H W"],
    confidence: Float[Tensor, "b H W"],
    threshold: float = 0.97,
    ignore_index: int = 255,
    normaliser: Normaliser = local,
) -> Float[Tensor, ""]:
    r"""Cross-entropy with pseudo-labels, each image weighted by how much of it is confident.

    .. math:: w_b = \frac{\#\{p : \mathrm{confidence}_{bp} \ge \mathrm{threshold}\}}
                         {\#\{p : \mathrm{label}_{bp} \ne \mathrm{ignore}\}},
       \qquad L = \frac{\sum_{b,p} w_b \, \mathrm{CE}_{bp}}{\#\{\mathrm{CE}_{bp} > 0\}}

    Faithful to the published code: the numerator of :math:`w_b` counts ignored pixels too, so that :math:`w_b` can
    exceed 1. Deviation: without any valid pixel the loss is 0 (attached to the graph), where that code divides by zero.
    The normaliser sees the denominator of L.

    >>> logits = torch.zeros(1, 2, 1, 2)
    >>> label, confidence = torch.tensor([[[0, 255]]]), torch.tensor([[[0.99, 0.5]]])
    >>> round(pseudo_label_loss(logits, label, confidence).item(), 4)
    0.6931
    """
    cross_entropy = F.cross_entropy(logits, label, ignore_index=ignore_index, reduction="none")
    confident = (confidence >= threshold).sum(dim=(1, 2))
    valid = (label != ignore_index).sum(dim=(1, 2))
    weight = (confident.double() / valid.clamp(min=1)).to(cross_entropy.dtype)
    return mean_of((weight[:, None, None] * cross_entropy).sum(), (cross_entropy > 0).sum(), normaliser)


def masked_pseudo_label_loss(
    logits: Float[Tensor, "b k H W"],
    label: Int[Tensor, "b H W"],
    confidence: Float[Tensor, "b H W"],
    valid: Bool[Tensor, "b H W"],
    threshold: float = 0.95,
    ignore_index: int = 255,
    normaliser: Normaliser = local,
) -> Float[Tensor, ""]:
    r"""Cross-entropy of the confident pixels, over the number of all valid ones (FixMatch, UniMatch; CPS with 0).

    .. math:: L = \frac{\sum_{bp} [\mathrm{confidence}_{bp} \ge \mathrm{threshold} \wedge \mathrm{valid}_{bp}]
                                  \, \mathrm{CE}_{bp}}{\#\{bp : \mathrm{valid}_{bp}\}}

    So it grows as confidence does. Without a valid pixel it is 0, attached to the graph.

    >>> logits, label = torch.zeros(1, 2, 1, 2), torch.zeros(1, 1, 2, dtype=torch.long)
    >>> confidence, valid = torch.tensor([[[0.99, 0.5]]]), torch.ones(1, 1, 2, dtype=torch.bool)
    >>> round(masked_pseudo_label_loss(logits, label, confidence, valid).item(), 4)
    0.3466
    """
    cross_entropy = F.cross_entropy(logits, label, ignore_index=ignore_index, reduction="none")
    learned = (confidence >= threshold) & valid
    return mean_of(torch.where(learned, cross_entropy, 0.0).sum(), valid.sum(), normaliser)
