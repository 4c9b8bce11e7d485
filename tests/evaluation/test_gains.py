"""The picture of gains over data sets."""

from pathlib import Path
from typing import Any

import pytest

figures = pytest.importorskip("matplotlib.figure")

from mmseg_css.evaluation.comparison.gains import draw_gains, plot_gains  # noqa: E402


def method(gains: dict[str, list[float]], mean: float, interval: tuple[float | None, float | None]) -> dict[str, Any]:
    pairs = sum(map(len, gains.values()))
    return {"gains": gains, "pairs": pairs, "gain": {"mean": mean, "interval": list(interval)}}


#: Two methods and the ceiling on streets and parts; the second one is finished on streets alone.
POOLED = {
    "baseline": "labels",
    "ceiling": "all",
    "data_sets": ["streets", "parts"],
    "methods": {
        "all": method({"streets": [30.0, 31.0], "parts": [40.0]}, 35.0, (33.0, 37.0)),
        "first": method({"streets": [1.0, 3.0], "parts": [-4.0]}, -1.0, (None, None)),
        "second": method({"streets": [2.0, 4.0]}, 3.0, (0.5, 5.5)),
    },
}


def drawn() -> Any:
    figure = figures.Figure()
    plot_gains(figure, POOLED)
    return figure


def points(axis: Any) -> list[tuple[str, float, int]]:
    """Marker, gain and row of each mark."""
    return [
        (line.get_marker(), x, round(y))
        for line in axis.lines
        for x, y in line.get_xydata()
        if line.get_linestyle() == "None" or line.get_marker() == "|"
    ]


def test_each_pair_of_trainings_is_a_mark_of_its_data_set_in_the_row_of_its_method() -> None:
    marks = sorted(points(drawn().axes[0]))
    assert marks == sorted(
        [("o", 1.0, 0), ("o", 3.0, 0), ("s", -4.0, 0), ("|", -1.0, 0), ("o", 2.0, 1), ("o", 4.0, 1), ("|", 3.0, 1)]
    )


def test_the_best_method_is_on_top_and_the_ceiling_is_none() -> None:
    (axis,) = drawn().axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["first, 3 pairs", "second, 2 pairs"]
    assert list(axis.get_yticks()) == [0, 1] and axis.get_ylim()[0] < axis.get_ylim()[1]


def test_an_interval_is_drawn_where_there_is_one() -> None:
    lines = [line for line in drawn().axes[0].lines if line.get_color() == "black" and line.get_linestyle() == "-"]
    bars = [line.get_xydata().tolist() for line in lines if len(line.get_xydata()) == 2]
    assert bars == [[[0.5, 1.0], [5.5, 1.0]]]


def test_axis_and_legend_say_what_is_seen() -> None:
    figure = drawn()
    label = figure.axes[0].get_xlabel()
    assert "gain over labels" in label and "points of mIoU" in label
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["streets", "parts"]


@pytest.mark.parametrize("finished", [["all"], ["all", "second"]])
def test_a_file_where_a_method_is_finished(finished: list[str], tmp_path: Path) -> None:
    pooled = POOLED | {"methods": {name: POOLED["methods"][name] for name in finished}}  # type: ignore[index]
    draw_gains(pooled, tmp_path / "gains.png")
    assert (tmp_path / "gains.png").exists() == ("second" in finished)
