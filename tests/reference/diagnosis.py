"""What a diagnosis says, of the pixels themselves: the definitions of docs/diagnosis.md, without histograms.

Arrays hold the pixels of all images, one after the other. Shares of nothing are NaN.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

CELLS = ("agree_right", "agree_wrong", "logit_right", "representation_right", "both_wrong")
SIZES = ("small", "middle", "large")


class Between(NamedTuple):
    """What a histogram may give whose bins are as wide as ``width`` below: it cannot tell values of one bin apart."""

    low: float
    high: float


@dataclass(frozen=True)
class Pixels:
    """Of all images; ``regions`` says of each region which pixels lie in it."""

    num_classes: int
    truth: np.ndarray
    regions: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    confidences: dict[str, np.ndarray]

    @property
    def known(self) -> np.ndarray:
        return is_class(self.truth, self.num_classes)

    def labelled(self, source: str, threshold: float = 0.0) -> np.ndarray:
        """With a known truth and a label, from a confidence on."""
        sure = self.confidences[source] >= np.float32(threshold)
        return self.known & is_class(self.labels[source], self.num_classes) & sure


def is_class(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return np.isin(labels, range(num_classes))


def share(part: np.ndarray, whole: np.ndarray) -> float:
    return (part & whole).sum() / whole.sum() if whole.any() else np.nan


def mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else np.nan


# -- where pixels lie -------------------------------------------------------------------------------------------------


def boundary_band(truth: np.ndarray, num_classes: int, radius: int) -> np.ndarray:
    """At most ``radius`` from a pixel of another class."""
    places, flat = np.argwhere(np.ones(truth.shape)), truth.ravel()
    near = ((places[:, None] - places[None]) ** 2).sum(-1) <= radius**2
    known = is_class(flat, num_classes)
    other = (flat[:, None] != flat[None]) & known[:, None] & known[None]
    return (near & other).any(1).reshape(truth.shape)


def parts(truth: np.ndarray, num_classes: int) -> list[tuple[int, list[tuple[int, int]]]]:
    """Connected parts (8 neighbours): class and places."""
    left, found = {place for place in np.ndindex(truth.shape) if 0 <= truth[place] < num_classes}, []
    while left:
        part = [left.pop()]
        for row, column in part:  # grows on the way
            around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            part += [place for place in around if truth[place] == truth[part[0]]]
            left -= {*part}
        found.append((int(truth[part[0]]), part))
    return found


def sizes(truths: list[np.ndarray], num_classes: int) -> list[np.ndarray]:
    """0 small, 1 middle, 2 large: whether a part's area is above the first and second tercile of its class's parts."""
    found = [parts(truth, num_classes) for truth in truths]
    areas: dict[int, list[int]] = {}
    for index, places in (part for of_image in found for part in of_image):
        areas.setdefault(index, []).append(len(places))
    size = [np.full(truth.shape, -1) for truth in truths]
    for of_image, into in zip(found, size, strict=True):
        for index, places in of_image:
            limits = np.quantile(areas[index], (1 / 3, 2 / 3))
            for place in places:
                into[place] = sum(len(places) > limit for limit in limits)
    return size


# -- one source -------------------------------------------------------------------------------------------------------


def quality(pixels: Pixels, source: str, threshold: float = 0.0, region: str | None = None) -> dict[str, Any]:
    """Precision, coverage and mIoU, and by class also recall and IoU, of what is labelled from a confidence on."""
    there = pixels.known if region is None else pixels.known & pixels.regions[region]
    label, truth, kept = pixels.labels[source], pixels.truth, pixels.labelled(source, threshold) & there
    classes = []
    for index in range(pixels.num_classes):
        said, true, own = kept & (label == index), kept & (truth == index), there & (truth == index)
        of_class = {"precision": share(true, said), "recall": share(said, true), "IoU": share(said & true, said | true)}
        classes.append(of_class | {"coverage": share(kept, own), "pixels": int(own.sum())})
    return {
        "precision": share(label == truth, kept),
        "coverage": share(kept, there),
        "mIoU": mean([of_class["IoU"] for of_class in classes]),
        "classes": classes,
    }


def by_region(pixels: Pixels, source: str) -> dict[str, dict[str, Any]]:
    """Of parts of the truth only what a label elsewhere does not change."""
    found = {}
    for name, there in pixels.regions.items():
        found[name] = quality(pixels, source, region=name) | {"pixels": int((pixels.known & there).sum())}
        if name in SIZES:
            del found[name]["mIoU"]
            for of_class in found[name]["classes"]:
                del of_class["precision"], of_class["IoU"]
    return found


def brier(pixels: Pixels, source: str) -> float:
    kept = pixels.labelled(source)
    right = (pixels.labels[source] == pixels.truth)[kept]
    return ((pixels.confidences[source][kept] - right) ** 2).mean(dtype=np.float64) if kept.any() else np.nan


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
    """Pixels in the order of their confidence, in bins of as many each: mean distance of confidence and right."""
    order = np.argsort(confidence, kind="stable")
    groups = [part for part in np.array_split(order, bins) if len(part)]
    return sum(len(part) * abs(confidence[part].mean() - right[part].mean()) for part in groups) / len(order)


# -- two spaces -------------------------------------------------------------------------------------------------------


def cells(pixels: Pixels) -> np.ndarray:
    """Names; empty for pixels that a space does not label, or whose truth is unknown."""
    names = []
    both = pixels.labelled("logit") & pixels.labelled("representation")
    triples = (pixels.labels["logit"], pixels.labels["representation"], pixels.truth)
    for own, other, true, there in zip(*triples, both, strict=True):
        agree, right = own == other, [own == true, other == true]
        name = ("agree_right" if right[0] else "agree_wrong") if agree else "both_wrong"
        if not agree and any(right):
            name = "logit_right" if right[0] else "representation_right"
        names.append(name if there else "")
    return np.array(names)


def shares(cell: np.ndarray, there: np.ndarray) -> dict[str, float]:
    return {name: share(cell == name, there & (cell != "")) for name in CELLS}


def corrections(pixels: Pixels, width: float) -> dict[str, float | Between]:
    """What ``mix`` removes and ``cross`` replaces of the logit space's labels, where both spaces say something."""
    both = pixels.labelled("logit") & pixels.labelled("representation")
    wrong, other_right = pixels.labels["logit"] != pixels.truth, pixels.labels["representation"] == pixels.truth
    removed = ~is_class(pixels.labels["mix"], pixels.num_classes)
    by_mix = share(removed, both & wrong)
    as_many = by_confidence(pixels.confidences["logit"][both], wrong[both], int((removed & both).sum()), width)
    lift = np.nan if np.isnan(by_mix) or not as_many.high else ratio_of(by_mix, as_many)
    return {
        "removed_wrong": by_mix,
        "removed_right": share(removed, both & ~wrong),
        "mended": share(other_right, both & wrong),
        "spoiled": share(~other_right, both & ~wrong),
        "removed_wrong_by_confidence": as_many,
        "lift": lift,
    }


def ratio_of(value: float, whole: Between) -> Between:
    return Between(value / whole.high, value / whole.low if whole.low else np.inf)


def by_confidence(confidence: np.ndarray, wrong: np.ndarray, number: int, width: float) -> Between:
    """The share of the wrong pixels that are among the ``number`` least confident ones."""
    if not wrong.any():
        return Between(np.nan, np.nan)
    if not number:
        return Between(0.0, 0.0)
    last = np.sort(confidence)[number - 1]
    return Between(share(confidence <= last - width, wrong), share(confidence < last + width, wrong))


def phi(pixels: Pixels) -> float:
    """Pearson's correlation of two errors."""
    both = pixels.labelled("logit") & pixels.labelled("representation")
    errors = [(pixels.labels[name] != pixels.truth)[both] for name in ("logit", "representation")]
    if any(error.all() or not error.any() for error in errors):
        return np.nan
    return np.corrcoef(*errors)[0, 1]


def pairs(truth: np.ndarray, label: np.ndarray, there: np.ndarray, number: int = 10) -> list[tuple[int, int, float]]:
    """Which class is taken for which, most often first, and the share of these pixels."""
    found = Counter(zip(truth[there].tolist(), label[there].tolist(), strict=True))
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:number]
    return [(*pair, pixels / there.sum()) for pair, pixels in most]


# -- indicators -------------------------------------------------------------------------------------------------------


def auroc(values: np.ndarray, target: np.ndarray, width: float) -> Between:
    """The chance that a pixel of the target has a lower value than another one; in a bin it is taken for one half."""
    if target.all() or not target.any():
        return Between(np.nan, np.nan)
    low, high = values[target][:, None], values[~target][None]
    exact = (low < high).mean() + (low == high).mean() / 2
    near = abs(low - high) < width
    return Between(exact - (near & (low < high)).mean() / 2, exact + (near & (low > high)).mean() / 2)


def average_precision(values: np.ndarray, target: np.ndarray, width: float) -> Between:
    """Mean over the target's pixels of the precision down to each; more of its bin may come with it."""
    if not target.any():
        return Between(np.nan, np.nan)
    low, high = [], []
    for value in values[target]:
        taken, near = values <= value, (values > value) & (values < value + width)
        hits, number = (taken & target).sum(), taken.sum()
        low.append(hits / (number + (near & ~target).sum()))
        high.append((hits + (near & target).sum()) / (number + (near & target).sum()))
    return Between(float(np.mean(low)), float(np.mean(high)))


def macro(of_classes: list[Between]) -> Between:
    return Between(*(mean([one[side] for one in of_classes]) for side in (0, 1)))
