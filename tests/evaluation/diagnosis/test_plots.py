"""What figures draw: the numbers of the report, named, with how many pixels or images there were."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from mmseg_css.evaluation.diagnosis import plots
from mmseg_css.evaluation.diagnosis.colours import CELL_NAMES
from tests.evaluation.diagnosis.looks import IMAGES, THRESHOLD

REGIONS = ("interior", "boundary", "small", "middle", "large")
QUESTIONS = (("truth", "student_wrong"), ("pseudo", "student_wrong"), ("pseudo", "label_wrong"))


def points(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each series with intervals, what is drawn and where its intervals begin and end; horizontal ones."""
    found = {}
    for container in axes.containers:
        line, _, (bars,) = container
        segments = np.array(bars.get_segments())
        found[container.get_label()] = line.get_xdata(), segments[:, :, 0]
    return found


def assert_drawn(axes: Axes, expected: dict[str, list[dict[str, Any]]]) -> None:
    found = points(axes)
    assert {*found} == {*expected}
    for name, estimates in expected.items():
        drawn, intervals = found[name]
        assert drawn == pytest.approx([100 * one["value"] for one in estimates]), name
        assert intervals == pytest.approx(np.array([[100 * side for side in one["interval"]] for one in estimates])), (
            name
        )


def rows(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def shown(report: dict[str, Any]) -> list[str]:
    """Classes with pixels, those with the most first."""
    pixels = {name: own["pixels"] for name, own in sources(report)["logit"]["classes"].items() if own["pixels"]}
    return sorted(pixels, key=lambda name: -pixels[name])


def counted(report: dict[str, Any], kind: str, names: Sequence[str]) -> list[str]:
    """Each with the pixels that it has in the truth."""
    return [f"{name} ({sources(report)['logit'][kind][name]['pixels']})" for name in names]


def sources(report: dict[str, Any]) -> dict[str, Any]:
    return report["checkpoints"][-1]["sources"]


def pixels(report: dict[str, Any]) -> str:
    return f"{sum(own['pixels'] for own in sources(report)['logit']['classes'].values()):,}"


def test_thresholds(report: dict[str, Any], axes: Axes) -> None:
    caption = plots.thresholds(axes, report)
    lines = {line.get_label(): line for line in axes.lines if line.get_linestyle() != "None"}
    assert [*lines] == [*sources(report)]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    for (name, source), dot in zip(sources(report).items(), dots, strict=True):
        for data, key in ((lines[name].get_xdata(), "coverage"), (lines[name].get_ydata(), "precision")):
            expected = [np.nan if value is None else 100 * value for value in source["curve"][key]]
            assert data == pytest.approx(expected, nan_ok=True)
        own = source["confident"]
        assert (*dot.get_xdata(), *dot.get_ydata()) == pytest.approx(
            (100 * own["coverage"]["value"], 100 * own["precision"]["value"])
        )
    assert pixels(report) in axes.get_xlabel() and pixels(report) in caption and f"{THRESHOLD:g}" in caption


def test_no_threshold_no_dots(report: dict[str, Any], axes: Axes) -> None:
    """Of methods that learn all labels, or none."""
    for threshold in (None, 0.0):
        caption = plots.thresholds(axes, report | {"thresholds": {"supervision": threshold}})
        assert caption.endswith("that they cover.") and not [line for line in axes.lines if line.get_marker() == "o"]


def test_a_threshold_of_relative_confidences(report: dict[str, Any], axes: Axes) -> None:
    changed = deepcopy(report)
    sources(changed)["mix"]["confident"]["relative"] = True
    caption = plots.thresholds(axes, changed)
    assert caption.endswith("which mix compares with the confidence beside the mean of its class.")


def test_classes_that_are_left_out_are_said(
    report: dict[str, Any], axes: Axes, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything, everything_counted = shown(report), counted(report, "classes", shown(report))
    assert "left out" not in plots.classes(axes, report) + plots.cells_by_class(axes, report)
    monkeypatch.setattr(plots, "CLASSES", 2)
    for draw in (plots.classes, plots.cells_by_class):
        assert f"and {len(everything) - 2} with fewer are left out" in draw(axes, report)
        assert rows(axes) == everything_counted[:2]


def test_classes(report: dict[str, Any], axes: Axes) -> None:
    caption = plots.classes(axes, report)
    assert rows(axes) == counted(report, "classes", shown(report)) and "road" not in " ".join(rows(axes))
    assert_drawn(
        axes,
        {name: [own["classes"][one]["precision"] for one in shown(report)] for name, own in sources(report).items()},
    )
    assert f"n = {IMAGES} images" in axes.get_xlabel() and f"{IMAGES} images" in caption


def test_regions(report: dict[str, Any], axes: Axes) -> None:
    caption = plots.regions(axes, report)
    assert rows(axes) == counted(report, "regions", REGIONS)
    assert_drawn(
        axes, {name: [own["regions"][one]["precision"] for one in REGIONS] for name, own in sources(report).items()}
    )
    assert f"n = {IMAGES} images" in axes.get_xlabel() and "within 1 pixels" in caption


def test_regions_of_one_source_stand_on_their_rows(report: dict[str, Any], axes: Axes) -> None:
    only = {**report["checkpoints"][-1], "sources": {"logit": sources(report)["logit"]}}
    plots.regions(axes, {**report, "checkpoints": [only]})
    [points] = [line for line in axes.lines if line.get_marker() not in ("None", "|", "_", "")]
    assert [*points.get_ydata()] == [*range(len(REGIONS))]


def test_calibration(report: dict[str, Any], axes: Axes) -> None:
    caption = plots.calibration(axes, report)
    lines = [line for line in axes.lines if line.get_marker() == "."]
    for (name, source), line in zip(sources(report).items(), lines, strict=True):
        own = source["calibration"]
        assert line.get_label().startswith(f"{name}, ECE {100 * own['ece']['value']:.1f} % (")
        assert line.get_xdata() == pytest.approx([100 * one["confidence"] for one in own["bins"]])
        assert line.get_ydata() == pytest.approx([100 * one["right"] for one in own["bins"]])
    (ceiling,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert [*ceiling.get_xdata()] == pytest.approx([94.8, 94.8]) and "94.8 %" in caption and "of 3 classes" in caption
    everything = sum(one["pixels"] for one in sources(report)["logit"]["classes"].values())
    for source, line in zip(sources(report).values(), lines, strict=True):
        labelled = round(everything * source["all"]["coverage"]["value"])
        assert line.get_label().endswith(f", n = {labelled:,}")
    assert {line.get_label().rpartition(" ")[2] for line in lines} != {pixels(report)}  # mix labels fewer


@pytest.mark.parametrize("by", ["region", "class"])
def test_cells(report: dict[str, Any], axes: Axes, by: str) -> None:
    """Bars of parts that lie end to end, from 0 to 100 percent."""
    spaces = report["checkpoints"][-1]["spaces"]
    if by == "region":
        caption = plots.cells_by_region(axes, report)
        expected = {"all": spaces["shares"]} | {name: spaces["regions"][name] for name in REGIONS}
    else:
        caption = plots.cells_by_class(axes, report)
        expected = {name: spaces["classes"][name] for name in shown(report)}
    parts = [f"all ({spaces['pixels']})", *counted(report, "regions", REGIONS)]
    assert rows(axes) == (parts if by == "region" else counted(report, "classes", shown(report)))
    bars = {container.get_label(): container.patches for container in axes.containers}
    assert [*bars] == [*CELL_NAMES.values()]
    for row, own in enumerate(expected.values()):
        at = 0.0
        for cell, name in CELL_NAMES.items():
            bar = bars[name][row]
            assert (bar.get_x(), bar.get_width()) == pytest.approx((at, 100 * own[cell]["value"]))
            at += bar.get_width()
        assert at == pytest.approx(100)
    assert caption.endswith(f"{spaces['pixels']:,} in all.")


def test_large_numbers_of_pixels_are_rounded(report: dict[str, Any], axes: Axes) -> None:
    changed = deepcopy(report)
    for region, pixels in zip(REGIONS, (999, 12_345, 999_600, 1_234_567, 0), strict=True):
        sources(changed)["logit"]["regions"][region]["pixels"] = pixels
    plots.regions(axes, changed)
    assert rows(axes) == ["interior (999)", "boundary (12 k)", "small (1 M)", "middle (1 M)", "large (0)"]


def test_indicators(report: dict[str, Any], axes: Axes) -> None:
    plots.indicators(axes, report)
    found = report["checkpoints"][-1]["indicators"]
    names = ("similarity", "confidence")
    assert_drawn(axes, {name: [found[one][target][name]["auroc"] for one, target in QUESTIONS] for name in names})
    assert f"n = {IMAGES} images" in axes.get_xlabel()
    numbers = [found[one][target]["pixels"] for one, target in QUESTIONS]
    assert [row.rpartition(" ")[2] for row in rows(axes)] == [f"({number})" for number in numbers]


def test_what_is_not_known_is_left_out(report: dict[str, Any], axes: Axes) -> None:
    changed = deepcopy(report)
    own = sources(changed)["logit"]["regions"]["small"]["precision"]
    own.update(value=None, interval=[None, None])
    plots.regions(axes, changed)
    line, _, (bars,) = axes.containers[0]
    assert np.isfinite(np.array(line.get_xdata(), float)).tolist() == [True, True, False, True, True]
    assert [len(segment) for segment in bars.get_segments()] == [2, 2, 0, 2, 2]
