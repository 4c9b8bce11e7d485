"""What follows from counts: precision, calibration, corrections, and whether an indicator finds its target.

Letters: s resamples (the observed images first), k classes, n bins of a value in [0, 1], c cells
(`functional.diagnosis.CELLS`). The axis of 2 is no, yes. Every function takes any leading axes; what is divided by
nothing is NaN.
"""

from typing import Final

import numpy as np
from jaxtyping import Float

#: Bins of equal numbers of pixels, of which a calibration error is made.
RELIABILITY_BINS: Final = 15

Counts = Float[np.ndarray, "..."]


def ratio(part: Counts, whole: Counts) -> Counts:
    """``part / whole``.

    >>> ratio(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def mean(values: Float[np.ndarray, "*rest k"]) -> Float[np.ndarray, "*rest"]:
    """Over the classes that have a value.

    >>> mean(np.array([0.5, np.nan, 1.0])).item()
    0.75
    """
    return ratio(np.nan_to_num(values).sum(-1), np.isfinite(values).sum(-1))


def quality(counts: Float[np.ndarray, "*rest 3 k"], pixels: Float[np.ndarray, "*rest k"]) -> dict[str, Counts]:
    """Precision, coverage and mIoU over all classes.

    Args:
        counts: Pixels labelled as a class, right ones, and labelled ones of the class.
        pixels: Of the class.

    >>> {name: value.item() for name, value in quality(np.array([[3, 1], [2, 1], [2, 2]]), np.array([4, 4])).items()}
    {'precision': 0.75, 'coverage': 0.5, 'mIoU': 0.5833333333333333}
    """
    labelled, right, covered = np.moveaxis(counts, -2, 0)
    return {
        "precision": ratio(right.sum(-1), labelled.sum(-1)),
        "coverage": ratio(labelled.sum(-1), pixels.sum(-1)),
        "mIoU": mean(ratio(right, labelled + covered - right)),
    }


def from_threshold(histogram: Float[np.ndarray, "*rest n"]) -> Float[np.ndarray, "*rest n"]:
    """The number of pixels in each bin and above.

    >>> from_threshold(np.array([1, 2, 3])).tolist()
    [6, 5, 3]
    """
    return np.flip(np.cumsum(np.flip(histogram, -1), -1), -1)


def auroc(histogram: Float[np.ndarray, "*rest 2 n"]) -> Float[np.ndarray, "*rest"]:
    """The chance that a pixel of the target has a *lower* value than one that is not, ties counted half.

    Pixels of one bin count as ties, so that it is off by at most half the chance that two pixels, one of each, share a
    bin.

    >>> auroc(np.array([[0, 1, 3], [2, 1, 0]])).item()
    0.9583333333333334
    """
    others, target = (histogram[..., index, :].astype(np.float64) for index in (0, 1))
    above = from_threshold(others) - others / 2
    return ratio((target * above).sum(-1), target.sum(-1) * others.sum(-1))


def average_precision(histogram: Float[np.ndarray, "*rest 2 n"]) -> Float[np.ndarray, "*rest"]:
    """Mean precision over the target's pixels, lowest values first; pixels of one bin come at once.

    >>> average_precision(np.array([[0, 1, 3], [2, 1, 0]])).item()
    0.9166666666666666
    """
    taken = np.cumsum(histogram, -1)
    target = histogram[..., 1, :]
    precision = ratio(taken[..., 1, :], taken.sum(-2))
    return ratio((np.where(target > 0, precision, 0.0) * target).sum(-1), target.sum(-1))


def reliability(histogram: Float[np.ndarray, "*rest 2 n"]) -> Float[np.ndarray, "*rest bins 3"]:
    """Confidence, share of right pixels and number of pixels of bins of about equal mass.

    A bin of the histogram is never split, so that some of the `RELIABILITY_BINS` are empty where one holds more than
    its share. Confidences are those of the histogram's bins' centres.
    """
    totals = histogram.sum(-2).astype(np.float64)
    middle = np.cumsum(totals, -1) - totals / 2
    place = ratio(middle, totals.sum(-1, keepdims=True)) * RELIABILITY_BINS
    group = np.minimum(np.nan_to_num(place), RELIABILITY_BINS - 1).astype(int)
    centres = (np.arange(totals.shape[-1]) + 0.5) / totals.shape[-1]
    inside = group[..., None, :] == np.arange(RELIABILITY_BINS)[:, None]
    pixels, confidence, right = (
        np.where(inside, values[..., None, :], 0.0).sum(-1)
        for values in (totals, totals * centres, histogram[..., 1, :])
    )
    return np.stack([ratio(confidence, pixels), ratio(right, pixels), pixels], axis=-1)


def calibration_error(bins: Float[np.ndarray, "*rest bins 3"]) -> Float[np.ndarray, "*rest"]:
    """Mean distance of confidence and share of right pixels, each bin weighted by its pixels (ECE).

    >>> calibration_error(np.array([[0.9, 0.8, 1.0], [0.5, 0.5, 1.0]])).item()
    0.04999999999999999
    """
    confidence, right, pixels = np.moveaxis(bins, -1, 0)
    return ratio((np.nan_to_num(np.abs(confidence - right)) * pixels).sum(-1), pixels.sum(-1))


def corrections(cells: Float[np.ndarray, "*rest c"]) -> dict[str, Float[np.ndarray, "*rest"]]:
    """What the second space does to the first one's labels.

    ``removed_wrong`` and ``removed_right`` are the shares of the logit space's wrong and right pixels that the
    intersection (``mix``) removes. ``mended`` and ``spoiled`` are the shares of its wrong pixels that the
    representation space's labels (``cross``) replace by right ones, and of its right ones by wrong ones.
    """
    agree_right, agree_wrong, logit_right, representation_right, both_wrong = np.moveaxis(cells, -1, 0)
    right = agree_right + logit_right
    wrong = agree_wrong + representation_right + both_wrong
    return {
        "removed_wrong": ratio(representation_right + both_wrong, wrong),
        "removed_right": ratio(logit_right, right),
        "mended": ratio(representation_right, wrong),
        "spoiled": ratio(logit_right, right),
    }


def phi(cells: Float[np.ndarray, "*rest c"]) -> Float[np.ndarray, "*rest"]:
    """The correlation of the two spaces' errors: 0 if they err independently, 1 if on the same pixels.

    >>> phi(np.array([1, 1, 0, 0, 0])).item(), phi(np.array([1, 0, 1, 1, 1])).item()
    (1.0, 0.0)
    """
    agree_right, agree_wrong, logit_right, representation_right, both_wrong = np.moveaxis(
        np.asarray(cells, np.float64), -1, 0
    )
    both = agree_wrong + both_wrong
    logit_wrong, representation_wrong = both + representation_right, both + logit_right
    total = agree_right + both + representation_right + logit_right
    spread = logit_wrong * (total - logit_wrong) * representation_wrong * (total - representation_wrong)
    return ratio(both * total - logit_wrong * representation_wrong, np.sqrt(spread))


def removed_by_confidence(
    histogram: Float[np.ndarray, "*rest 2 n"], removed: Float[np.ndarray, "*rest"]
) -> Float[np.ndarray, "*rest"]:
    """The share of wrong pixels among the ``removed`` least confident ones, to all wrong ones.

    Args:
        histogram: Of wrong and right pixels, by confidence. Within a bin, wrong and right ones are removed alike.
        removed: How many pixels are removed.

    >>> removed_by_confidence(np.array([[2.0, 0.0], [2.0, 4.0]]), np.array(2.0)).item()
    0.5
    """
    wrong, totals = histogram[..., 0, :].astype(np.float64), histogram.sum(-2).astype(np.float64)
    before = np.cumsum(totals, -1) - totals
    taken = np.clip(ratio(removed[..., None] - before, totals), 0.0, 1.0)
    return ratio(np.where(totals > 0, np.nan_to_num(taken) * wrong, 0.0).sum(-1), wrong.sum(-1))
