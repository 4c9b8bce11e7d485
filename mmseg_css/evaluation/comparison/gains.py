"""The gains of methods over data sets, drawn."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MARKERS: Final = "osD^vPX<>"
#: Height of a method's row, whose middle is a whole number, that its pairs of trainings take.
SPREAD: Final = 0.5


def draw_gains(pooled: Mapping[str, Any], out: Path) -> None:
    """A file of :func:`plot_gains`; none if nothing but the ceiling is finished."""
    from matplotlib.figure import Figure  # an extra

    if names := _compared(pooled):
        figure = Figure(figsize=(8, 1.6 + 0.55 * len(names)), layout="constrained")
        plot_gains(figure, pooled)
        figure.savefig(out, dpi=120)


def plot_gains(figure: Any, pooled: Mapping[str, Any]) -> None:
    """A row for each method but the ceiling, the best one on top: a mark for each pair of trainings, by data set; the
    mean over data sets and, where known, its interval in black.

    Args:
        figure: A matplotlib figure, which is empty.
        pooled: Of a part of a study.
    """
    axis, names, sets = figure.subplots(), _compared(pooled), pooled["data_sets"]
    for row, name in enumerate(names):
        method = pooled["methods"][name]
        for index, data in enumerate(sets):
            gains = method["gains"].get(data, [])
            height = row + SPREAD * (0.5 - (index + 1) / (len(sets) + 1))
            style = {"color": f"C{index % 10}", "marker": MARKERS[index % len(MARKERS)]}
            axis.plot(gains, [height] * len(gains), linestyle="", alpha=0.8, **style)
        if None not in (interval := method["gain"]["interval"]):
            axis.plot(interval, [row, row], color="black", linewidth=1.5)
        axis.plot(method["gain"]["mean"], row, color="black", marker="|", markersize=22, markeredgewidth=2.5)
    for index, data in enumerate(sets):
        axis.plot([], [], color=f"C{index % 10}", marker=MARKERS[index % len(MARKERS)], linestyle="", label=data)
    axis.axvline(0, color="black", linewidth=0.8, linestyle="--")
    axis.set_yticks(range(len(names)), [f"{name}, {pooled['methods'][name]['pairs']} pairs" for name in names])
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.set_xlabel(
        f"gain over {pooled['baseline']}, points of mIoU (black: the mean, and its 95 % interval where known)"
    )
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=min(len(sets), 5), frameon=False)


def _compared(pooled: Mapping[str, Any]) -> list[str]:
    """The ceiling, which gains most, would leave the others little room."""
    methods = pooled["methods"]
    return sorted(
        (name for name in methods if name != pooled["ceiling"]), key=lambda name: methods[name]["gain"]["mean"]
    )
