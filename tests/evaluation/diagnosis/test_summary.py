"""What a summary of counts says, against what lists of the pixels say."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import InspectedImage, Tally
from tests.evaluation.diagnosis.looks import CASES, CLASSES, HARD, RADIUS, THRESHOLD, K, flat, looks, pixels_of
from tests.reference import diagnosis as reference
from tests.reference.diagnosis import Between

#: A bin of the histograms that a report is made of; their error is bounded by that of a bin.
WIDTH = 1 / 1000
DRAWN = [*((special, 0) for special in CASES), *(("nothing special", seed) for seed in range(1, 4))]

each = pytest.mark.parametrize(("special", "seed"), DRAWN)


@pytest.fixture(scope="module")
def summaries() -> dict[tuple[str, int], tuple[list[InspectedImage], dict[str, Any]]]:
    """Looked at, and said of it."""
    found = {}
    for special, seed in DRAWN:
        looked = looks(seed, special)
        tally = Tally(num_classes=K, threshold=THRESHOLD, hard=HARD, radius=RADIUS)
        for one in looked:
            tally.add(one)
        found[special, seed] = looked, summarise(tally, CLASSES, "mix")
    return found


def assert_says(found: Any, expected: Any, where: str = "") -> None:
    """Every number that is expected is there; of an estimate, its value."""
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            assert_says(found[key], value, f"{where}/{key}")
        return
    value = found["value"] if isinstance(found, Mapping) else found
    if isinstance(expected, Between):
        if np.isnan(expected.low):
            assert np.isnan(value), where
        else:
            assert expected.low - 1e-9 <= value <= expected.high + 1e-9, where
    else:
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True), where


def named(classes: list) -> dict[str, Any]:
    return dict(zip(CLASSES, classes, strict=True))


@each
def test_sources(summaries: dict, special: str, seed: int) -> None:
    looked, found = summaries[special, seed]
    pixels = pixels_of(looked)
    assert [*found["sources"]] == ["logit", "representation", "mix"]
    for name, source in found["sources"].items():
        everything = reference.quality(pixels, name)
        classes = named(everything.pop("classes"))
        confident = reference.quality(pixels, name, THRESHOLD)
        del confident["classes"]
        expected = {
            "all": everything,
            "confident": confident | {"threshold": THRESHOLD},
            "classes": classes,
            "regions": {
                region: own | {"classes": named(own["classes"])}
                for region, own in reference.by_region(pixels, name).items()
            },
            "calibration": {"brier": reference.brier(pixels, name)},
            "supervises": name == "mix",
        }
        assert_says(source, expected, name)


@each
def test_curves(summaries: dict, special: str, seed: int) -> None:
    """At every threshold, for all and by class."""
    looked, found = summaries[special, seed]
    pixels = pixels_of(looked)
    for name, source in found["sources"].items():
        curve = source["curve"]
        assert curve["threshold"] == [step / 100 for step in range(100)]
        for at in range(seed, 100, 7):
            expected = reference.quality(pixels, name, curve["threshold"][at])
            for key in ("precision", "coverage", "mIoU"):
                assert_says(curve[key][at], expected[key], f"{name} {key} from 0.{at:02d} on")
            for of_class, own in named(expected["classes"]).items():
                for key in ("precision", "recall", "IoU", "coverage"):
                    assert_says(curve["classes"][of_class][key][at], own[key], f"{of_class} {key} from 0.{at:02d} on")


def by_class(pixels: reference.Pixels, cell: np.ndarray, there: np.ndarray) -> dict[str, Any]:
    return named([reference.shares(cell, there & (pixels.truth == index)) for index in range(K)])


@each
def test_spaces(summaries: dict, special: str, seed: int) -> None:
    looked, found = summaries[special, seed]
    pixels, spaces = pixels_of(looked), found["spaces"]
    cell = reference.cells(pixels)
    everywhere = np.ones(len(cell), bool)
    expected = {
        "pixels": int((cell != "").sum()),
        "shares": reference.shares(cell, everywhere),
        "classes": by_class(pixels, cell, everywhere),
        "regions": {
            name: reference.shares(cell, there) | {"classes": by_class(pixels, cell, there)}
            for name, there in pixels.regions.items()
        },
        "phi": reference.phi(pixels),
    }
    assert_says(spaces, expected, "spaces")
    if special != "no prototype yet":  # where there is nothing to compare
        assert_says(spaces["corrections"], reference.corrections(pixels, WIDTH), "corrections")
    for kind, source in (
        ("agree_wrong", "logit"),
        ("both_wrong_logit", "logit"),
        ("both_wrong_representation", "representation"),
    ):
        there = cell == kind.removesuffix(f"_{source}")
        named_pairs = reference.pairs(pixels.truth, pixels.labels[source], there)
        assert [(pair["truth"], pair["label"]) for pair in spaces["pairs"][kind]] == [
            (CLASSES[truth], CLASSES[label]) for truth, label, _ in named_pairs
        ]
        assert [pair["share"] for pair in spaces["pairs"][kind]] == pytest.approx([own for *_, own in named_pairs])


def indicator(values: np.ndarray, labels: np.ndarray, target: np.ndarray) -> dict[str, Any]:
    """How well a low value finds the target, among pixels with a label and a known truth."""
    areas, precisions = (
        [find(values[labels == index], target[labels == index], WIDTH) for index in range(K)]
        for find in (reference.auroc, reference.average_precision)
    )
    return {
        "auroc": reference.auroc(values, target, WIDTH),
        "auroc_macro": reference.macro(areas),
        "auroc_classes": named(areas),
        "average_precision": reference.average_precision(values, target, WIDTH),
        "average_precision_macro": reference.macro(precisions),
        "average_precision_classes": named(precisions),
    }


@each
def test_indicators(summaries: dict, special: str, seed: int) -> None:
    """Of pixels with their true label, and with the pseudo-label; whose student, or whose label, is wrong."""
    looked, found = summaries[special, seed]
    asked = {"truth": ["student_wrong"], "pseudo": ["student_wrong", "label_wrong"]}
    assert {name: [*own] for name, own in found["indicators"].items()} == asked
    for name, targets in asked.items():
        own = [one.labellings[name] for one in looked]
        labels = flat([one.labels for one in own])
        kept = flat([one.known for one in own]) & reference.is_class(labels, K)
        for target in targets:
            wrong = flat([one.targets[target] for one in own])[kept]
            values = {key: flat([one.indicators[key] for one in own])[kept] for key in ("similarity", "confidence")}
            hard = {key: of_pixels < np.float32(HARD) for key, of_pixels in values.items()}
            both, either = hard["similarity"] & hard["confidence"], hard["similarity"] | hard["confidence"]
            of_hard = {
                key: {"share": reference.share(own, np.ones_like(own)), "targets": reference.share(wrong, own)}
                for key, own in hard.items()
            }
            expected = {key: indicator(of_pixels, labels[kept], wrong) for key, of_pixels in values.items()}
            expected |= {"pixels": int(kept.sum()), "targets": int(wrong.sum())}
            expected["hard"] = of_hard | {"jaccard": reference.share(both, either), "threshold": HARD}
            assert_says(found["indicators"][name][target], expected, f"{name}/{target}")
