"""The picture of gains over data sets."""

from pathlib import Path
from typing import Any

import pytest

figures = pytest.importorskip("matplotlib.figure")

from mmseg_css.evaluation.comparison.curves import plot_curves  # noqa: E402
from mmseg_css.evaluation.comparison.gains import WIDTH, draw_gains, plot_gains  # noqa: E402


def method(gains: dict[str, list[float]], mean: float, interval: tuple[float | None, float | None]) -> dict[str, Any]:
    pairs = sum(map(len, gains.values()))
    return {"gains": gains, "pairs": pairs, "gain": {"mean": mean, "interval": list(interval)}}


#: Two methods and the ceiling on streets and parts; the second one is finished on streets alone.
POOLED: dict[str, Any] = {
    "baseline": "labels",
    "ceiling": "all",
    "data_sets": ["streets", "parts"],
    "methods": {
        "all": method({"streets": [30.0, 31.0], "parts": [40.0]}, 35.0, (33.0, 37.0)),
        "first": method({"streets": [1.0, 3.0], "parts": [-4.0]}, -1.0, (None, None)),
        "second": method({"streets": [2.0, 4.0]}, 3.0, (0.5, 5.5)),
    },
}


def drawn(pooled: dict[str, Any] = POOLED) -> Any:
    figure = figures.Figure(figsize=(WIDTH, 3), layout="constrained")
    plot_gains(figure, pooled)
    return figure


def points(axis: Any) -> list[tuple[str, float, int]]:
    """Marker, gain and row of each mark."""
    return [
        (line.get_marker(), x, round(y))
        for line in axis.lines
        for x, y in line.get_xydata()
        if line.get_linestyle() == "None" or line.get_marker() == "|"
    ]


def names(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_yticklabels()]


def test_each_pair_of_trainings_is_a_mark_of_its_data_set_in_the_row_of_its_method() -> None:
    marks = sorted(points(drawn().axes[0]))
    assert marks == sorted(
        [("o", 1.0, 1), ("o", 3.0, 1), ("s", -4.0, 1), ("|", -1.0, 1), ("o", 2.0, 0), ("o", 4.0, 0), ("|", 3.0, 0)]
    )


def test_means_over_fewer_data_sets_stand_below_and_the_ceiling_nowhere() -> None:
    (axis,) = drawn().axes
    assert names(axis) == ["second, 2 pairs\non 1 of 2 sets", "first, 3 pairs"]
    assert list(axis.get_yticks()) == [0, 1] and axis.get_ylim()[0] < axis.get_ylim()[1]


def test_the_best_method_is_on_top_and_sets_that_nothing_is_finished_on_are_left_out() -> None:
    worst = method({"parts": [-4.0]}, -4.0, (None, None))
    best = method({"parts": [-2.0]}, -2.0, (None, None))
    figure = drawn(POOLED | {"methods": {"all": POOLED["methods"]["all"], "best": best, "worst": worst}})
    assert names(figure.axes[0]) == ["worst, 1 pair", "best, 1 pair"]
    assert [text.get_text() for text in figure.legends[0].get_texts()][:-1] == ["parts"]
    assert {marker for marker, _, _ in points(figure.axes[0])} == {"s", "|"}  # as where streets are drawn, too


def test_an_interval_is_drawn_where_there_is_one() -> None:
    lines = [line for line in drawn().axes[0].lines if line.get_color() == "black" and line.get_linestyle() == "-"]
    bars = [line.get_xydata().tolist() for line in lines if len(line.get_xydata()) == 2]
    assert bars == [[[0.5, 0.0], [5.5, 0.0]]]


def test_axis_and_legend_say_what_is_seen() -> None:
    figure = drawn()
    assert figure.axes[0].get_xlabel() == "gain over labels, points of mIoU"
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["streets", "parts", "mean over data sets, 95 % interval"]


def test_every_word_is_within_the_figure() -> None:
    """Of many lists and long names."""
    sets = [f"labelmefacade 1-{share}" for share in (30, 16, 8, 4, 2)]
    gains = {data: [1.0] for data in sets}
    methods = {"a method with a long name": method(gains, 1.0, (0.0, 2.0))}
    figure = drawn({"baseline": "supervised on the same", "ceiling": "all", "data_sets": sets, "methods": methods})
    figure.draw_without_rendering()
    (axis,) = figure.axes
    for text in (axis.xaxis.label, *axis.get_yticklabels(), *figure.legends[0].get_texts()):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0, text.get_text()


@pytest.mark.parametrize("finished", [["all"], ["all", "second"]])
def test_a_file_where_a_method_is_finished(finished: list[str], tmp_path: Path) -> None:
    pooled = POOLED | {"methods": {name: POOLED["methods"][name] for name in finished}}
    out = tmp_path / "part" / "gains.png"
    draw_gains(POOLED, out)
    draw_gains(pooled, out)
    assert out.exists() == ("second" in finished)


@pytest.mark.parametrize("names", [["css"], ["css", "fixmatch"] * 5, ["a name of some twenty letters"] * 6])
def test_a_legend_of_curves_is_within_the_figure(names: list[str]) -> None:
    figure = figures.Figure(figsize=(10, 4), layout="constrained")
    run = [{"iteration": 1, "minutes": 1.0, "mIoU": 1.0}]
    named = {f"{name} {index}": {"curves": [run]} for index, name in enumerate(names)}
    plot_curves(figure, {"methods": named, "baseline": f"{names[0]} 0", "ceiling": None})
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.legends[0].get_texts()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
