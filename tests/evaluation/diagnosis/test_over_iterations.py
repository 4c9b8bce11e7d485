"""What figures of several checkpoints draw: the numbers of the report, over the iterations."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from mmseg_css.evaluation.diagnosis import over_iterations
from mmseg_css.evaluation.diagnosis.colours import CELL_NAMES


def assert_drawn(axes: Axes, expected: dict[str, list[dict[str, Any]]], scale: int = 100) -> None:
    """A line over iterations 2 and 4 for each, with its intervals."""
    found = {container.get_label(): container for container in axes.containers}
    assert {*found} == {*expected}
    for name, estimates in expected.items():
        line, _, (bars,) = found[name]
        assert [*line.get_xdata()] == [2, 4]
        assert line.get_ydata() == pytest.approx([scale * one["value"] for one in estimates]), name
        ends = np.array(bars.get_segments())[:, :, 1]
        sides = np.array([[scale * side for side in one["interval"]] for one in estimates])
        assert ends == pytest.approx(sides), name


def test_what_supervises(report: dict[str, Any], axes: Axes) -> None:
    over_iterations.iterations(axes, report)
    own = [one["sources"]["mix"] for one in report["checkpoints"]]
    expected = {
        "precision, confident": [one["confident"]["precision"] for one in own],
        "coverage, confident": [one["confident"]["coverage"] for one in own],
        "mIoU of all labels": [one["all"]["mIoU"] for one in own],
    }
    assert_drawn(axes, expected)


def test_the_cells_of_the_two_spaces(report: dict[str, Any], axes: Axes) -> None:
    caption = over_iterations.spaces_by_iteration(axes, report)
    shares = [one["spaces"]["shares"] for one in report["checkpoints"]]
    drawn = {name: [one[cell] for one in shares] for cell, name in CELL_NAMES.items() if cell != "agree_right"}
    assert_drawn(axes, drawn)
    assert "left to 100 is agreed and right" in caption


def test_how_the_two_spaces_err(report: dict[str, Any], axes: Axes) -> None:
    caption = over_iterations.errors_by_iteration(axes, report)
    spaces = [one["spaces"] for one in report["checkpoints"]]
    expected = {
        "phi of the errors": [one["phi"] for one in spaces],
        "lift of the intersection": [one["corrections"]["lift"] for one in spaces],
    }
    assert_drawn(axes, expected, scale=1)
    assert "95 % intervals" in caption and axes.get_ylabel() == f"phi, lift, n = {report['images']} images"


@pytest.mark.parametrize("known", [["similarity", "confidence"], ["confidence"]])
def test_what_indicators_find(known: list[str], report: dict[str, Any], axes: Axes) -> None:
    """A method without prototypes has no similarity."""
    changed = deepcopy(report)
    found = [one["indicators"]["pseudo"] for one in changed["checkpoints"]]
    for target in (target for one in found for target in one.values()):
        for name in {"similarity", "confidence"} - {*known}:
            del target[name]
    over_iterations.indicators_by_iteration(axes, changed)
    asked = {"label_wrong": "pseudo-label wrong", "student_wrong": "student wrong"}
    expected = {
        f"{name}, {words}": [one[target][name]["auroc"] for one in found]
        for target, words in asked.items()
        for name in known
    }
    assert_drawn(axes, expected)


def test_checkpoints_without_iterations(report: dict[str, Any], axes: Axes) -> None:
    """One of another training's iterations is no place between numbers of checkpoints."""
    changed = deepcopy(report)
    changed["checkpoints"][1]["iteration"] = None
    over_iterations.iterations(axes, changed)
    assert [*axes.containers[0][0].get_xdata()] == [1, 2] and axes.get_xlabel() == "checkpoints, in their order"


def test_a_checkpoint_without_a_prototype_leaves_a_gap(report: dict[str, Any], axes: Axes) -> None:
    changed = deepcopy(report)
    for estimate in (*(spaces := changed["checkpoints"][0]["spaces"])["shares"].values(), spaces["phi"]):
        estimate.update(value=None, interval=[None, None])
    over_iterations.spaces_by_iteration(axes, changed)
    for container in axes.containers:
        assert np.isfinite(np.array(container[0].get_ydata(), float)).tolist() == [False, True]
