"""How right pseudo-labels are, where the truth is known.

Letters: k classes, H W pixels.
"""

from typing import NamedTuple

from jaxtyping import Int, Real
from torch import Tensor

from mmseg_css.functional.labels import is_class
from mmseg_css.functional.sampling import group_sizes


class QualityCounts(NamedTuple):
    """Numbers of pixels by class; sums over images are sums of these."""

    labeled: Real[Tensor, " k"]  #: pixels with this pseudo-label
    right: Real[Tensor, " k"]  #: of these, pixels that are of this class
    covered: Real[Tensor, " k"]  #: pixels of this class with any pseudo-label
    truth: Real[Tensor, " k"]  #: pixels of this class


def quality_counts(
    label: Int[Tensor, "*b H W"], truth: Int[Tensor, "*b H W"], num_classes: int, ignore_index: int = 255
) -> QualityCounts:
    """Count what precision, recall and coverage are made of, over the pixels whose truth is known.

    Precision is ``right / labeled``, recall ``right / truth``, coverage ``covered / truth``. ``ignore_index`` in
    ``label`` is no pseudo-label, and in ``truth`` an unknown truth, as is a value that is no class. Nothing is read
    back from the device.

    >>> import torch
    >>> counts = quality_counts(torch.tensor([[0, 1, 255, 1]]), torch.tensor([[0, 0, 1, 255]]), 2)
    >>> [part.tolist() for part in counts]
    [[1, 1], [1, 0], [2, 0], [2, 1]]
    """
    known = (truth != ignore_index) & is_class(truth, num_classes)
    kept = known & (label != ignore_index)

    def by_class(of: Tensor, where: Tensor) -> Tensor:
        return group_sizes(of.masked_fill(~where, num_classes).flatten(), num_classes)

    return QualityCounts(
        by_class(label, kept), by_class(label, kept & (label == truth)), by_class(truth, kept), by_class(truth, known)
    )
