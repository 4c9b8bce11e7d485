"""What a diagnosis counts, of one image or a batch: pixels by class, by right or wrong, and by how sure the source is.

Histograms and counts only, whose sums over images are those of all pixels: precision and coverage from any threshold
on, AUROC and calibration follow from them, and no pixel is kept.

Letters: k classes, n bins, H W pixels of the image, h w pixels of the decoder's maps.
"""

from math import prod
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmseg_css.functional.labels import is_class
from mmseg_css.types import PseudoLabel

#: Bins of a confidence in [0, 1]: the thresholds in use are edges, and an AUROC is exact to half a bin.
BINS: Final = 1000
#: Every pixel that both spaces label falls into one of these.
CELLS: Final = ("agree_right", "agree_wrong", "logit_right", "representation_right", "both_wrong")


def joint_counts(where: Bool[Tensor, "*s"], *axes: tuple[Tensor, int]) -> Int[Tensor, "..."]:
    """The number of pixels by their values on several axes.

    Args:
        where: Pixels that count.
        axes: Of each axis the value of every pixel, and the number of values. What does not count may be out of range.

    >>> joint_counts(torch.tensor([True, True, False]), (torch.tensor([0, 1, 9]), 2), (torch.tensor([2, 2, 9]), 3))
    tensor([[0, 0, 1],
            [0, 0, 1]])
    """
    (values, _), *others = axes
    index = values.to(torch.int32, copy=True)  # half the memory of int64, and faster
    for values, size in others:
        index.mul_(size).add_(values)
    # What does not count goes to a bin of its own, the first: to pick out what does takes longer than to count, and to
    # fill what does not longer than to multiply.
    index.add_(1).mul_(where)
    sizes = [size for _, size in axes]
    return torch.bincount(index.flatten(), minlength=prod(sizes) + 1)[1:].reshape(sizes)


def bins_of(values: Float[Tensor, "*s"], bins: int = BINS) -> Int[Tensor, "*s"]:
    """The bin of a value in [0, 1]; bin i starts at ``i / bins``, and the last one holds 1, too.

    >>> bins_of(torch.tensor([0.0, 0.9, 1.0]), 10).tolist()
    [0, 9, 9]
    """
    # In double precision, and with a bit of room: 0.9 as a float32 is to count as 0.9.
    return (values.double() * bins).add_(1e-4).int().clamp_(0, bins - 1)


def cells(
    logit: Int[Tensor, "*s"], representation: Int[Tensor, "*s"], truth: Int[Tensor, "*s"], num_classes: int
) -> Int[Tensor, "*s"]:
    """Which of `CELLS` a pixel falls into: whether two labels agree, and which is right. -1 where a label or the truth
    is no class.

    >>> truth = torch.tensor([0, 0, 0, 0, 0, 255])
    >>> cells(torch.tensor([0, 1, 0, 1, 1, 1]), torch.tensor([0, 1, 1, 0, 2, 1]), truth, 3).tolist()
    [0, 1, 2, 3, 4, -1]
    """
    known = is_class(truth, num_classes) & is_class(logit, num_classes) & is_class(representation, num_classes)
    right = (logit == truth).int()
    disagreeing = torch.where(representation == truth, 3, 4 - 2 * right)
    return torch.where(logit == representation, 1 - right, disagreeing).masked_fill_(~known, -1)


class SourceCounts(NamedTuple):
    """Pixels that a source labels and whose truth is known. The axis of 2 is wrong, right."""

    by_label: Int[Tensor, "k 2 n"]  #: by the label
    by_truth: Int[Tensor, "k 2 n"]  #: by the truth
    #: Interior and boundary band: pixels labelled as a class, right ones, and labelled ones of the class.
    by_band: Int[Tensor, "2 3 k"]
    squares: Float[Tensor, ""]  #: sum of (confidence - right)^2, of which Brier's score is the mean


def source_counts(
    source: PseudoLabel, truth: Int[Tensor, "*b H W"], band: Bool[Tensor, "*b H W"], num_classes: int
) -> SourceCounts:
    """What one source of pseudo-labels is worth, against a truth in which a value that is no class is unknown.

    A label that is no class is none.

    >>> source = PseudoLabel(torch.tensor([[0, 1, 255]]), torch.tensor([[0.9, 0.5, 0.0]]))
    >>> counts = source_counts(source, torch.tensor([[0, 0, 0]]), torch.tensor([[False, True, True]]), 2)
    >>> counts.by_label.sum(2)
    tensor([[0, 1],
            [1, 0]])
    """
    where = is_class(truth, num_classes) & is_class(source.label, num_classes)
    right = (source.label == truth).int()
    axes = (right, 2), (bins_of(source.confidence), BINS)
    by_label, by_truth = (
        joint_counts(where, (band, 2), (classes, num_classes), *axes) for classes in (source.label, truth)
    )
    labelled = by_label.sum(3)
    squares = torch.where(where, (source.confidence - right).square(), 0.0).sum(dtype=torch.double)
    return SourceCounts(
        by_label.sum(0),
        by_truth.sum(0),
        torch.stack([labelled.sum(2), labelled[..., 1], by_truth.sum((2, 3))], dim=1),
        squares,
    )


class SpaceCounts(NamedTuple):
    """Pixels that both spaces label and whose truth is known, c of `CELLS`."""

    by_truth: Int[Tensor, "k c"]
    by_band: Int[Tensor, "2 k c"]  #: interior and boundary band, by truth
    agree_wrong: Int[Tensor, "k k"]  #: by truth and common label
    both_wrong_logit: Int[Tensor, "k k"]  #: of the pixels where they disagree: by truth and the logit space's label
    both_wrong_representation: Int[Tensor, "k k"]  #: the same, by the representation space's


def space_counts(
    cell: Int[Tensor, "*b H W"],
    logit: Int[Tensor, "*b H W"],
    representation: Int[Tensor, "*b H W"],
    truth: Int[Tensor, "*b H W"],
    band: Bool[Tensor, "*b H W"],
    num_classes: int,
) -> SpaceCounts:
    """The labels of two spaces against each other; ``cell`` is that of `cells`.

    >>> logit, representation, truth = torch.tensor([[0, 1]]), torch.tensor([[0, 0]]), torch.tensor([[0, 0]])
    >>> cell = cells(logit, representation, truth, 2)
    >>> space_counts(cell, logit, representation, truth, truth > 0, 2).by_truth
    tensor([[1, 0, 0, 1, 0],
            [0, 0, 0, 0, 0]])
    """
    axis = (truth, num_classes)
    by_band = joint_counts(cell >= 0, (band, 2), axis, (cell, len(CELLS)))
    agree_wrong, both_wrong = (cell == CELLS.index(name) for name in ("agree_wrong", "both_wrong"))
    return SpaceCounts(
        by_band.sum(0),
        by_band,
        joint_counts(agree_wrong, axis, (logit, num_classes)),
        joint_counts(both_wrong, axis, (logit, num_classes)),
        joint_counts(both_wrong, axis, (representation, num_classes)),
    )


def indicator_counts(
    indicator: Float[Tensor, "*b h w"],
    labels: Int[Tensor, "*b h w"],
    target: Bool[Tensor, "*b h w"],
    known: Bool[Tensor, "*b h w"],
    num_classes: int,
) -> Int[Tensor, "k 2 n"]:
    """Pixels by their label, by whether they are what an indicator should find, and by the indicator.

    Args:
        indicator: In [0, 1], low where a pixel is thought to be hard.
        labels: Whose class the indicator reads; a value that is no class has none.
        target: What is to be found, e.g. pixels that the student gets wrong.
        known: Pixels of which that is known.

    >>> wrong, known = torch.tensor([[True, False]]), torch.tensor([[True, True]])
    >>> counts = indicator_counts(torch.tensor([[0.1, 0.9]]), torch.tensor([[0, 0]]), wrong, known, 1)
    >>> counts.sum(2), counts[0, 1].nonzero().item()
    (tensor([[1, 1]]), 100)
    """
    where = known & is_class(labels, num_classes)
    return joint_counts(where, (labels, num_classes), (target, 2), (bins_of(indicator), BINS))
