"""Figures of several checkpoints of a training: what the other figures say of the last one, over the iterations. Each
returns its caption."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmseg_css.evaluation.diagnosis.colours import CELL_COLOURS, CELL_NAMES, INDICATOR_COLOURS
from mmseg_css.evaluation.diagnosis.plots import INK, legend, spread
from mmseg_css.evaluation.diagnosis.words import looked_at, over


def iterations(axes: Any, report: Mapping[str, Any]) -> str:
    """Precision and coverage of what supervises."""
    own = [looked_at(one)[1] for one in report["checkpoints"]]
    lines = _Lines(axes, report)
    lines.draw([one["confident"]["precision"] for one in own], "precision, confident", "#0072B2")
    lines.draw([one["confident"]["coverage"] for one in own], "coverage, confident", "#D55E00")
    lines.draw([one["all"]["mIoU"] for one in own], "mIoU of all labels", "#009E73")
    lines.finish("percent")
    which = "pseudo-labels that supervise" if own[-1]["supervises"] else "labels"
    return f"The {which}, over the training; {over(report)}."


def spaces_by_iteration(axes: Any, report: Mapping[str, Any]) -> str:
    """Shares of the cells but that of what is agreed and right, mostly the largest, which would leave little room."""
    lines = _Lines(axes, report)
    shares = [one["spaces"]["shares"] for one in report["checkpoints"]]
    for cell, colour in CELL_COLOURS.items():
        if cell != "agree_right":
            lines.draw([own[cell] for own in shares], CELL_NAMES[cell], colour)
    lines.finish("percent")
    return (
        "The two spaces' labels against each other and the truth, over the training, in percent of the pixels; what is "
        f"left to 100 is agreed and right; {over(report)}."
    )


def errors_by_iteration(axes: Any, report: Mapping[str, Any]) -> str:
    """Whether the two spaces are two witnesses."""
    lines = _Lines(axes, report, scale=1)
    spaces = [one["spaces"] for one in report["checkpoints"]]
    lines.draw([one["phi"] for one in spaces], "phi of the errors", "#0072B2")
    lines.draw([one["corrections"]["lift"] for one in spaces], "lift of the intersection", "#D55E00")
    axes.axhline(1, color=INK, linewidth=0.7, linestyle="--")
    lines.finish("phi, lift")
    return (
        "How much the two spaces err together (phi: 0 independently, 1 always), and what their intersection removes of "
        "the wrong labels beside removing as many by lowest confidence (lift: below the dashed line confidence removes "
        f"more), over the training; {over(report)}."
    )


def indicators_by_iteration(axes: Any, report: Mapping[str, Any]) -> str:
    """AUROC of each indicator, of pseudo-labelled pixels: for wrong labels, and for what the student gets wrong."""
    lines = _Lines(axes, report)
    found = [one["indicators"]["pseudo"] for one in report["checkpoints"]]
    for target, style, asked in (("label_wrong", "-", "pseudo-label wrong"), ("student_wrong", ":", "student wrong")):
        for name, colour in INDICATOR_COLOURS.items():
            if all(name in one[target] for one in found):
                lines.draw([one[target][name]["auroc"] for one in found], f"{name}, {asked}", colour, style)
    axes.axhline(50, color=INK, linewidth=0.7, linestyle="--")
    lines.finish("AUROC, percent")
    return (
        "How well a low indicator finds wrong pseudo-labels and what the student gets wrong, among pseudo-labelled "
        f"pixels, over the training (dashed: chance); {over(report)}."
    )


class _Lines:
    """Estimates of all checkpoints.

    Args:
        axes: Where.
        report: Of the checkpoints.
        scale: What a value is multiplied by.
    """

    def __init__(self, axes: Any, report: Mapping[str, Any], scale: int = 100) -> None:
        self._axes, self._images, self._scale = axes, report["images"], scale
        noted = [one["iteration"] for one in report["checkpoints"]]
        self._ordered = None in noted  # one of another training's iterations is no place between numbers
        self._at = range(1, len(noted) + 1) if self._ordered else noted

    def draw(self, estimates: Sequence[Mapping[str, Any]], label: str, colour: str, style: str = "-") -> None:
        """A line with the intervals that are known."""
        values, reach = spread(estimates)
        self._axes.errorbar(
            self._at,
            [self._scale * value for value in values],
            yerr=[[self._scale * part for part in side] for side in reach],
            color=colour,
            linestyle=style,
            marker="o",
            markersize=4,
            label=label,
        )

    def finish(self, what: str) -> None:
        """Say what the axes are."""
        self._axes.set_xlabel("checkpoints, in their order" if self._ordered else "iterations")
        self._axes.set_ylabel(f"{what}, n = {self._images} images")
        legend(self._axes)
