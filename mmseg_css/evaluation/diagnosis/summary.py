"""From counts to what the report says, as docs/diagnosis.md describes it."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from mmseg_css.evaluation.diagnosis import quantities
from mmseg_css.evaluation.diagnosis.quantities import mean, ratio
from mmseg_css.evaluation.diagnosis.regions import BANDS, SIZES, size_terciles
from mmseg_css.evaluation.diagnosis.resampling import Resampled, estimate, resampled
from mmseg_css.evaluation.diagnosis.tally import SPACES, Tally
from mmseg_css.functional.diagnosis import BINS, CELLS

#: Confidences from which curves have a point.
THRESHOLDS: Final = tuple(round(0.01 * step, 2) for step in range(100))
#: How well an indicator finds its target.
MEASURES: Final = {"auroc": quantities.auroc, "average_precision": quantities.average_precision}
#: Pairs of classes that are named.
PAIRS: Final = 10


def summarise(tally: Tally, classes: Sequence[str], supervises: str | None, *, block: int = 1) -> dict[str, Any]:
    """What the counts of one checkpoint say.

    Args:
        tally: The counts.
        classes: Their names.
        supervises: The source that the logits learn from; None if they learn from no labels.
        block: Neighbouring images that intervals take together (frames of a video).
    """
    draws = resampled({**tally.of_images(), **_by_size(tally)}, block=block)
    sources = sorted({name.split("/")[0] for name in tally.images if name.endswith("/squares")}, key=_order)
    found: dict[str, Any] = {
        "sources": {name: _source(tally, draws, name, classes, name == supervises) for name in sources}
    }
    if "cells" in tally.images:
        found["spaces"] = _spaces(tally, draws, classes)
    found["indicators"] = {name: _indicators(tally, draws, name, classes) for name in _labellings(tally)}
    return found


def _order(source: str) -> int:
    return (*SPACES, "mix", "peer", source).index(source)


def _source(tally: Tally, draws: Resampled, name: str, classes: Sequence[str], supervises: bool) -> dict[str, Any]:
    pixels, everything = draws.total("pixels"), draws.total(f"{name}/all")
    return {
        "supervises": supervises,
        "all": _quality(everything, pixels),
        "confident": _quality(draws.total(f"{name}/confident"), pixels)
        | {"threshold": tally.threshold, "relative": name in tally.relative},
        "classes": _by_class(everything, pixels, classes),
        "curve": _curve(tally, name, classes, pixels[0]),
        "regions": _regions(tally, draws, name, classes),
        "calibration": _calibration(tally, draws, name),
    }


def _quality(counts: Float[np.ndarray, "s 3 k"], pixels: Float[np.ndarray, "s k"]) -> dict[str, Any]:
    return {name: estimate(values) for name, values in quantities.quality(counts, pixels).items()}


def _by_class(
    counts: Float[np.ndarray, "s 3 k"], pixels: Float[np.ndarray, "s k"], classes: Sequence[str]
) -> dict[str, Any]:
    labelled, right, covered = np.moveaxis(counts, 1, 0)
    parts = _ratios(labelled, right, covered, pixels)
    return {
        of_class: {name: estimate(values[:, index]) for name, values in parts.items()}
        | {"pixels": int(pixels[0, index])}
        for index, of_class in enumerate(classes)
    }


def _ratios(
    labelled: Float[np.ndarray, "..."],
    right: Float[np.ndarray, "..."],
    covered: Float[np.ndarray, "..."],
    pixels: Float[np.ndarray, "..."],
) -> dict[str, Float[np.ndarray, "..."]]:
    """From the pixels that are labelled as a class, of these the right ones, the class's own that have a label, and all
    of its own."""
    return {
        "precision": ratio(right, labelled),
        "recall": ratio(right, covered),
        "IoU": ratio(right, labelled + covered - right),
        "coverage": ratio(covered, pixels),
    }


def _curve(tally: Tally, name: str, classes: Sequence[str], pixels: Float[np.ndarray, " k"]) -> dict[str, Any]:
    """What each threshold buys."""
    step = BINS // len(THRESHOLDS)
    by_label, by_truth = (
        quantities.from_threshold(tally.totals[f"{name}/{by}"])[..., ::step].astype(np.float64)
        for by in ("by_label", "by_truth")
    )
    labelled, right, covered = by_label.sum(1), by_label[:, 1], by_truth.sum(1)
    by_class = _ratios(labelled, right, covered, pixels[:, None])
    return {
        "threshold": list(THRESHOLDS),
        "precision": ratio(right.sum(0), labelled.sum(0)).tolist(),
        "coverage": ratio(labelled.sum(0), pixels.sum()).tolist(),
        "mIoU": mean(by_class["IoU"].T).tolist(),
        "classes": {
            of_class: {key: values[index].tolist() for key, values in by_class.items()}
            for index, of_class in enumerate(classes)
        },
    }


def _regions(tally: Tally, draws: Resampled, name: str, classes: Sequence[str]) -> dict[str, Any]:
    counts, pixels = draws.total(f"{name}/band"), draws.total("band_pixels")
    found: dict[str, Any] = {
        region: _quality(counts[:, index], pixels[:, index])
        | {"pixels": int(pixels[0, index].sum()), "classes": _by_class(counts[:, index], pixels[:, index], classes)}
        for index, region in enumerate(BANDS)
    }
    counts, pixels = draws.total(f"{name}/size"), draws.total("area/size")
    found |= {region: _of_size(counts[:, index], pixels[:, index], classes) for index, region in enumerate(SIZES)}
    return found


def _of_size(
    counts: Float[np.ndarray, "s k 2"], pixels: Float[np.ndarray, "s k"], classes: Sequence[str]
) -> dict[str, Any]:
    """Of parts of one size, whose class is that of the truth. ``counts`` are of wrong and right labels."""
    labelled, right = counts.sum(-1), counts[..., 1]
    recall, coverage = ratio(right, labelled), ratio(labelled, pixels)
    return {
        "precision": estimate(ratio(right.sum(-1), labelled.sum(-1))),
        "coverage": estimate(ratio(labelled.sum(-1), pixels.sum(-1))),
        "pixels": int(pixels[0].sum()),
        "classes": {
            of_class: {
                "recall": estimate(recall[:, index]),
                "coverage": estimate(coverage[:, index]),
                "pixels": int(pixels[0, index]),
            }
            for index, of_class in enumerate(classes)
        },
    }


def _by_size(tally: Tally) -> dict[str, Int[np.ndarray, "n 3 k ..."]]:
    """What is counted of connected parts, of each image, by size (`SIZES`) and class."""
    parts = dict(tally.of_parts())
    image, of_class = parts.pop("image"), parts.pop("class")
    size = size_terciles(of_class, parts["area"])
    found = {}
    for name, values in parts.items():
        counts = np.zeros((len(tally.images["pixels"]), len(SIZES), tally.num_classes, *values.shape[1:]), np.int64)
        np.add.at(counts, (image, size, of_class), values)
        found[f"{name}/size"] = counts
    return found


def _calibration(tally: Tally, draws: Resampled, name: str) -> dict[str, Any]:
    bins = quantities.reliability(tally.totals[f"{name}/by_label"].sum(0))
    drawn = quantities.reliability(draws.total(f"{name}/curve"))
    counts = draws.total(f"{name}/all")[:, 0].sum(-1)
    return {
        "bins": [
            dict(zip(("confidence", "right", "pixels"), row, strict=True)) for row in bins[bins[:, 2] > 0].tolist()
        ],
        "ece": estimate(quantities.calibration_error(drawn), float(quantities.calibration_error(bins))),
        "brier": estimate(ratio(draws.total(f"{name}/squares"), counts)),
    }


def _spaces(tally: Tally, draws: Resampled, classes: Sequence[str]) -> dict[str, Any]:
    by_class, by_band = draws.total("cells"), draws.total("cells_band")
    together = by_class.sum(1)
    rates = quantities.corrections(together)
    corrections = {name: estimate(values) for name, values in rates.items()}
    removed = together[:, 2:].sum(-1)
    by_confidence = quantities.removed_by_confidence(draws.total("logit/curve"), removed)
    finely = quantities.removed_by_confidence(tally.totals["logit/by_label"].sum(0), removed[0])
    by_mix = rates["removed_wrong"]
    corrections["removed_wrong_by_confidence"] = estimate(by_confidence, float(finely))
    corrections["lift"] = estimate(ratio(by_mix, by_confidence), float(ratio(by_mix[0], finely)), np.inf)
    by_size = draws.total("cells/size")
    counts = {band: by_band[:, index] for index, band in enumerate(BANDS)}
    counts |= {size: by_size[:, index] for index, size in enumerate(SIZES)}
    regions = {
        region: _shares(own.sum(1))
        | {"classes": {of_class: _shares(own[:, index]) for index, of_class in enumerate(classes)}}
        for region, own in counts.items()
    }
    return {
        "pixels": int(together[0].sum()),
        "shares": _shares(together),
        "classes": {name: _shares(by_class[:, index]) for index, name in enumerate(classes)},
        "regions": regions,
        "corrections": corrections,
        "phi": estimate(quantities.phi(together)),
        "pairs": {
            name: _pairs(tally.totals[name], classes)
            for name in ("agree_wrong", "both_wrong_logit", "both_wrong_representation")
        },
    }


def _shares(counts: Float[np.ndarray, "s c"]) -> dict[str, Any]:
    shares = ratio(counts, counts.sum(-1, keepdims=True))
    return {name: estimate(shares[:, index]) for index, name in enumerate(CELLS)}


def _pairs(confusion: Int[np.ndarray, "k k"], classes: Sequence[str]) -> list[dict[str, Any]]:
    """The pairs of truth and label with the most pixels, and their share of all pixels of the kind."""
    total = max(int(confusion.sum()), 1)
    order = np.argsort(-confusion, axis=None, kind="stable")[:PAIRS]
    pairs = [np.unravel_index(index, confusion.shape) for index in order]
    return [
        {"truth": classes[truth], "label": classes[label], "share": float(confusion[truth, label]) / total}
        for truth, label in pairs
        if confusion[truth, label] > 0
    ]


def _labellings(tally: Tally) -> list[str]:
    return list(dict.fromkeys(name.split("/")[0] for name in tally.totals if name.count("/") == 2))


def _indicators(tally: Tally, draws: Resampled, labelling: str, classes: Sequence[str]) -> dict[str, Any]:
    """By what should be found: how well each indicator finds it, and the pixels that are hard by either."""
    names = [name.split("/")[1:] for name in tally.totals if name.startswith(f"{labelling}/") and name.count("/") == 2]
    found: dict[str, Any] = {}
    for target, indicator in names:
        key = f"{labelling}/{target}/{indicator}"
        histogram = tally.totals[key]
        own = found.setdefault(target, {"pixels": int(histogram.sum()), "targets": int(histogram[:, 1].sum())})
        own[indicator] = _found(tally, draws, key, classes)
    if tally.hard is not None:
        for target in found:
            found[target]["hard"] = _hard(draws.total(f"{labelling}/{target}/hard"), tally)
    return found


def _found(tally: Tally, draws: Resampled, key: str, classes: Sequence[str]) -> dict[str, Any]:
    """How well an indicator finds its target: over all pixels, by class, and in the mean of the classes."""
    histogram, (image, of_class, counts) = tally.totals[key], tally.of_classes(key)
    pooled: Any = 0.0
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in MEASURES}
    for index in range(len(classes)):  # one at a time: all draws of all classes would fill the memory
        rows = of_class == index
        of_draws = draws.total_of(image[rows], counts[rows])
        pooled = pooled + of_draws
        for name, measure in MEASURES.items():
            drawn[name].append(measure(of_draws))
    found: dict[str, Any] = {}
    for name, measure in MEASURES.items():
        exact, by_class = measure(histogram), np.stack(drawn[name], axis=1)
        found[name] = estimate(measure(pooled), float(measure(histogram.sum(0))))
        found[f"{name}_macro"] = estimate(mean(by_class), float(mean(exact)))
        found[f"{name}_classes"] = {
            of: estimate(by_class[:, index], float(exact[index])) for index, of in enumerate(classes)
        }
    return found


def _hard(counts: Float[np.ndarray, "s ..."], tally: Tally) -> dict[str, Any]:
    """Axes of ``counts`` after the first: hard by each indicator, in the tally's order, then target."""
    total = counts.reshape(len(counts), -1).sum(-1)
    indicators = list(dict.fromkeys(name.split("/")[2] for name in tally.totals if name.count("/") == 2))
    found: dict[str, Any] = {"threshold": tally.hard}
    for axis, indicator in enumerate(indicators):
        own = np.moveaxis(counts, axis + 1, 1)[:, 1].reshape(len(counts), -1, 2).sum(1)
        found[indicator] = {
            "share": estimate(ratio(own.sum(-1), total)),
            "targets": estimate(ratio(own[:, 1], own.sum(-1))),
        }
    if len(indicators) == 2:
        hard = counts.sum(-1)
        found["jaccard"] = estimate(ratio(hard[:, 1, 1], hard[:, 1].sum(-1) + hard[:, 0, 1]))
    return found
