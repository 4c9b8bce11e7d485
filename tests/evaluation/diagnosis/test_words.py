"""Words and tables of a report, of which no two numbers are alike: none can stand in the place of another."""

import re
from copy import deepcopy
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mmseg_css.evaluation.diagnosis.page import page
from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import Tally
from mmseg_css.evaluation.diagnosis.words import over, summary
from mmseg_css.evaluation.json_numbers import without_nan
from tests.evaluation.diagnosis.looks import CLASSES, HARD, THRESHOLD, K, looks


def told_apart(node: Any, numbers: count) -> Any:
    """With another value for every estimate, in steps of 0.2 %, and an interval of its own around it."""
    if isinstance(node, dict) and {*node} == {"value", "interval"}:
        value = next(numbers) / 500
        return {"value": value, "interval": [value - 0.001, value + 0.001]}
    if isinstance(node, dict):
        return {key: told_apart(value, numbers) for key, value in node.items()}
    return node


@pytest.fixture(scope="module")
def made_up() -> dict[str, Any]:
    """A report of the shape of a real one."""
    tally = Tally(num_classes=K, threshold=THRESHOLD, hard=HARD, radius=1)
    for one in looks(0, "nothing special"):
        tally.add(one)
    found = without_nan(summarise(tally, CLASSES, "mix"))
    # What is not said is left out, so that there are numbers enough.
    for source in found["sources"].values():
        del source["regions"]
    for key in ("classes", "regions"):
        del found["spaces"][key]
    found = told_apart(found, count(1))
    for index, one in enumerate(found["spaces"]["pairs"]["agree_wrong"]):
        one["share"] = 0.9713 - 0.1 * index
    rates = found["spaces"]["corrections"] | {"phi": found["spaces"]["phi"]}
    for number, name in enumerate(("lift", "phi")):  # said with two digits
        value = 0.53 + 0.31 * number
        rates[name].update(value=value, interval=[value - 0.07, value + 0.12])
    return {
        "method": "CSS",
        "config": "some/config.py",
        "images": 4,
        "looked_at": "test images",
        "norm_layers": "as in evaluation",
        "block": 1,
        "classes": [*CLASSES],
        "thresholds": {"supervision": THRESHOLD, "contrast": None, "hard": HARD},
        "indicator": "similarity",
        "checkpoints": [
            {
                "checkpoint": "iter_4.pth",
                "iteration": 4,
                "prototypes": 3,
                "highest_similarity": 0.948,
                "worst": {},
                **found,
            }
        ],
        "made_with": {"version": "0", "commit": None, "torch": "2"},
    }


@pytest.fixture
def report(made_up: dict[str, Any]) -> dict[str, Any]:
    """One to change."""
    return deepcopy(made_up)


def percent(estimate: dict[str, Any]) -> str:
    value, (low, high) = estimate["value"], estimate["interval"]
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def plain(value: float) -> str:
    return f"{100 * value:.1f} %"


def number(estimate: dict[str, Any]) -> str:
    low, high = estimate["interval"]
    return f"{estimate['value']:.2f} ({low:.2f} to {high:.2f})"


def values_of(node: Any) -> list[float]:
    if isinstance(node, dict) and {*node} == {"value", "interval"}:
        return [node["value"]]
    return [value for child in node.values() for value in values_of(child)] if isinstance(node, dict) else []


def test_no_two_numbers_are_alike(report: dict[str, Any]) -> None:
    values = [round(value, 4) for value in values_of(report["checkpoints"][0])]
    assert len(values) == len({*values}) > 80 and max(values) < 1


def test_what_supervises(report: dict[str, Any]) -> None:
    text = " ".join(summary(report))
    source = report["checkpoints"][0]["sources"]["mix"]
    everything, sure = source["all"], source["confident"]
    coverage, precision = percent(everything["coverage"]), percent(everything["precision"])
    assert f"CSS learns from the labels called mix: they cover {coverage} of the pixels" in text
    assert f"and {precision} of them are right." in text
    assert f"its threshold of 0.4 on, {percent(sure['precision'])} of {percent(sure['coverage'])} are." in text


@pytest.mark.parametrize("worst", CLASSES)
def test_the_weakest_class(report: dict[str, Any], worst: str) -> None:
    classes = report["checkpoints"][0]["sources"]["mix"]["classes"]
    classes[worst]["IoU"] = {"value": 0.0013, "interval": [0.0011, 0.0029]}
    parts = ", ".join(f"{name} {percent(classes[worst][name])}" for name in ("IoU", "precision", "recall"))
    parts += f", all three of the {percent(classes[worst]['coverage'])} of its pixels that have a label"
    assert f"The weakest class is {worst}: {parts}." in " ".join(summary(report))
    assert "Never found" not in " ".join(summary(report))
    other = CLASSES[CLASSES.index(worst) - 1]
    classes[other]["recall"] = {"value": 0.0, "interval": [0.0, 0.0]}
    assert f"Never found: {other}." in " ".join(summary(report))


def test_agreement(report: dict[str, Any]) -> None:
    text = " ".join(summary(report))
    spaces = report["checkpoints"][0]["spaces"]
    share = {name: one["value"] for name, one in spaces["shares"].items()}
    agree = share["agree_right"] + share["agree_wrong"]
    assert f"agree on {plain(agree)} of the pixels; of these {plain(share['agree_wrong'] / agree)} are wrong" in text
    first = spaces["pairs"]["agree_wrong"][0]
    assert f"(most often {first['truth']} taken for {first['label']}, {plain(first['share'])} of them)" in text
    apart = share["logit_right"] + share["representation_right"] + share["both_wrong"]
    logit, other, neither = (
        plain(share[name] / apart) for name in ("logit_right", "representation_right", "both_wrong")
    )
    assert f"logit space is right in {logit}, the representation space in {other}, neither in {neither}." in text


def test_corrections(report: dict[str, Any]) -> None:
    text = " ".join(summary(report))
    spaces = report["checkpoints"][0]["spaces"]
    own = spaces["corrections"]
    removed = percent(own["removed_wrong"]), percent(own["removed_right"])
    assert (
        "Of the logit space's wrong pixels the intersection removes {}, of its right ones {}.".format(*removed) in text
    )
    as_many = percent(own["removed_wrong_by_confidence"])
    assert f"by lowest confidence would remove {as_many} of the wrong ones: a lift of {number(own['lift'])}." in text
    changed = percent(own["mended"]), percent(own["spoiled"])
    assert "would mend {} of the wrong pixels and spoil {} of the right ones.".format(*changed) in text
    assert f"correlate with phi = {number(spaces['phi'])};" in text


def test_indicators(report: dict[str, Any]) -> None:
    text = " ".join(summary(report))
    own = report["checkpoints"][0]["indicators"]["pseudo"]["student_wrong"]
    areas = ", ".join(f"a lower {name} in {percent(own[name]['auroc'])}" for name in ("similarity", "confidence"))
    assert f"the wrong one has {areas} (AUROC; 50 % is chance)." in text
    for indicator in ("similarity", "confidence"):
        report["indicator"] = indicator
        text, hard = " ".join(summary(report)), own["hard"][indicator]
        assert f"threshold of 0.3, {percent(hard['share'])} of the pixels are hard by {indicator}" in text
        assert f"and {percent(hard['targets'])} of these are wrong." in text


def test_the_ceiling_is_said_where_it_binds(report: dict[str, Any]) -> None:
    """Of similarities to the prototypes that are there; no confidence of logits has one."""
    for threshold, ending in ((0.3, "."), (0.95, ": the threshold of 0.95 makes every pixel hard.")):
        report["thresholds"]["hard"] = threshold
        assert f"With prototypes of 3 classes no similarity exceeds 0.948{ending}" in summary(report)
    report["indicator"] = "confidence"
    assert "exceeds" not in " ".join(summary(report)) and "every pixel hard" not in " ".join(summary(report))


def test_what_the_threshold_compares(report: dict[str, Any]) -> None:
    assert "beside the mean" not in " ".join(summary(report))
    report["checkpoints"][0]["sources"]["mix"]["confident"]["relative"] = True
    assert "threshold of 0.4 on (of the confidence beside the mean of its class), " in " ".join(summary(report))


def test_a_checkpoint_without_an_iteration(report: dict[str, Any], tmp_path: Path) -> None:
    assert "iter_4.pth (iteration 4), 4 test images" in page(report, [], tmp_path)
    report["checkpoints"][0]["iteration"] = None
    assert "iter_4.pth, 4 test images" in page(report, [], tmp_path)


def test_what_is_not_known_is_said_to_be(report: dict[str, Any]) -> None:
    nothing = {"value": None, "interval": [None, None]}
    spaces = report["checkpoints"][0]["spaces"]
    spaces["corrections"]["mended"] = spaces["phi"] = nothing
    text = " ".join(summary(report))
    assert "would mend unknown of the wrong pixels" in text and "phi = unknown;" in text
    spaces["shares"] = dict.fromkeys(spaces["shares"], nothing)
    assert "cannot be compared: the representation space has no prototype yet." in (text := " ".join(summary(report)))
    assert "intersection removes" not in text and "phi" not in text


@pytest.mark.parametrize(
    ("images", "block", "said"),
    [
        (101, 1, "95 % intervals over 101 images"),
        (101, 10, "95 % intervals over 101 images in 11 blocks"),
        (8, 10, "no intervals: 8 images in one block"),
        (1, 1, "no intervals: 1 image in one block"),
    ],
)
def test_what_intervals_are_over(images: int, block: int, said: str) -> None:
    assert over({"images": images, "block": block}) == said


def rows_of(text: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    return [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_tables_are_the_numbers(report: dict[str, Any], tmp_path: Path) -> None:
    """Each number stands below its name."""
    tables = re.findall(r"<h[23]>([^<]*)</h[23]><div class=\"table\">(.*?)</div>", page(report, [], tmp_path))
    [classes] = re.findall(r"<h2>By class</h2>\n<div class=\"table\">(.*?)</div>", page(report, [], tmp_path))
    head, *rows = rows_of(classes)
    assert [row[0] for row in rows] == [*CLASSES]
    for row in rows:
        own = report["checkpoints"][0]["sources"]["mix"]["classes"][row[0]]
        found = dict(zip(head, row, strict=True))
        assert found.pop("class") == row[0] and found.pop("pixels") == f"{own['pixels']:,}"
        assert found == {name: percent(own[name]) for name in ("precision", "recall", "IoU", "coverage")}
    pairs = report["checkpoints"][0]["spaces"]["pairs"]
    titled = dict(tables)
    for title, kind in (
        ("Agree and wrong", "agree_wrong"),
        ("Disagree, both wrong: the logit space", "both_wrong_logit"),
        ("Disagree, both wrong: the representation space", "both_wrong_representation"),
    ):
        expected = [[pair["truth"], pair["label"], plain(pair["share"])] for pair in pairs[kind]]
        assert rows_of(titled[title])[1:] == expected and len(expected) > 2
