"""How figures look: what they say can be read."""

import json
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.text import Text

from mmseg_css.evaluation.diagnosis import over_iterations, plots
from mmseg_css.evaluation.diagnosis.figures import canvas_of, figures_of

LAST = (
    *(plots.thresholds, plots.classes, plots.regions, plots.calibration, plots.cells_by_region),
    *(plots.cells_by_class, plots.indicators),
)
SEVERAL = (
    *(over_iterations.iterations, over_iterations.spaces_by_iteration, over_iterations.errors_by_iteration),
    over_iterations.indicators_by_iteration,
)


def test_all_figures_are_looked_at(report: dict[str, Any]) -> None:
    assert [*figures_of(report)] == [*LAST, *SEVERAL]


@pytest.mark.parametrize("draw", [*LAST, *SEVERAL], ids=lambda draw: draw.__name__)
def test_every_word_is_within_the_figure(draw: Callable, report: dict[str, Any]) -> None:
    """Of many images, and beside a long name of a class."""
    named = json.loads(json.dumps(report).replace('"sky"', '"vegetation beside the road"'))
    with mpl.rc_context({"font.size": 9}):
        canvas, _ = canvas_of(draw, named | {"images": 25_000})
        canvas.draw_without_rendering()
        (axes,) = canvas.axes
        words = [axes.xaxis.label, axes.yaxis.label, *(text for own in canvas.legends for text in own.get_texts())]
        width, height = canvas.bbox.size
        for text in filter(Text.get_text, words):
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text.get_text()
