"""The figures of a report, from its numbers alone. Colours are those of Okabe and Ito, which the colour-blind can tell
apart; text and axes take the colour of the page."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from mmseg_css.evaluation.diagnosis import over_iterations, plots
from mmseg_css.evaluation.diagnosis.plots import CLASSES, INK


class Figure(NamedTuple):
    """One figure.

    Attributes:
        name: Of its file.
        caption: What it shows, of how many pixels or images.
        svg: For a page of either colour.
    """

    name: str
    caption: str
    svg: str


def draw_figures(report: Mapping[str, Any], folder: Path) -> list[Figure]:
    """All figures that a report has numbers for; each is written as PNG, too."""
    import matplotlib as mpl  # an extra

    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK)
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(ink | {"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "", "legend.frameon": False}):
        return [_draw(draw, report, folder) for draw in figures_of(report)]


def figures_of(report: Mapping[str, Any]) -> Iterator[Callable]:
    """What draws the figures that a report has numbers for, in their order."""
    yield from (plots.thresholds, plots.classes, plots.regions, plots.calibration)
    last = report["checkpoints"][-1]
    if "spaces" in last:
        yield from (plots.cells_by_region, plots.cells_by_class)
    yield plots.indicators
    if len(report["checkpoints"]) > 1:
        yield over_iterations.iterations
        if "spaces" in last:
            yield from (over_iterations.spaces_by_iteration, over_iterations.errors_by_iteration)
        yield over_iterations.indicators_by_iteration


def _draw(draw: Callable, report: Mapping[str, Any], folder: Path) -> Figure:
    name = draw.__name__
    canvas, caption = canvas_of(draw, report)
    canvas.savefig(folder / f"{name}.png", dpi=160, facecolor="white")
    canvas.set_layout_engine("none")  # it has been laid out, which takes as long as to draw
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Figure(name, caption, _for_a_page(buffer.getvalue(), name, caption))


def canvas_of(draw: Callable, report: Mapping[str, Any]) -> tuple[Any, str]:
    """What a figure draws, as a matplotlib figure, and its caption."""
    from matplotlib.figure import Figure as Canvas

    rows = min(len(report["classes"]), CLASSES)
    height = 1.2 + 0.24 * rows if draw.__name__.endswith(("classes", "class")) else 3.2
    canvas = Canvas(figsize=(4.2, height), layout="constrained")
    axes = canvas.subplots()
    caption = draw(axes, report)
    # A label in the middle of axes beside long names of rows would end beyond the figure.
    axes.set_xlabel(axes.get_xlabel(), loc="right")
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    return canvas, caption


def _for_a_page(svg: str, name: str, caption: str) -> str:
    """Without prolog, as wide as it is given room, named for those who cannot see it, with ids of its own."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg, count=1)
    svg = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
