"""The gains of methods over data sets, drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mmseg_css.evaluation.comparison.curves import columns, save

MARKERS: Final = "osD^vPX<>"
#: Height of a method's row, whose middle is a whole number, that its pairs of trainings take.
SPREAD: Final = 0.5
WIDTH: Final = 8


def draw_gains(pooled: Mapping[str, Any], out: Path) -> None:
    """A file of :func:`plot_gains`, if a method is finished; otherwise none, nor one of before."""
    from matplotlib.figure import Figure  # an extra

    if not (names := compared(pooled)):
        out.unlink(missing_ok=True)
        return
    figure = Figure(figsize=(WIDTH, 1.6 + 0.55 * len(names)), layout="constrained")
    plot_gains(figure, pooled)
    save(figure, out)


def plot_gains(figure: Any, pooled: Mapping[str, Any]) -> None:
    """A row for each method but the ceiling, the best one on top: a mark for each pair of trainings, by data set; the
    mean over data sets and, where known, its interval in black. Methods that are not finished on all of these data sets
    stand below the others, being means over fewer.

    Args:
        figure: A matplotlib figure, which is empty.
        pooled: Of a part of a study.
    """
    axis, names = figure.subplots(), compared(pooled)
    sets = [data for data in pooled["data_sets"] if any(data in pooled["methods"][name]["gains"] for name in names)]
    styles = {data: _style(index) for index, data in enumerate(pooled["data_sets"])}
    for row, name in enumerate(names):
        method = pooled["methods"][name]
        for index, data in enumerate(sets):
            gains = method["gains"].get(data, [])
            height = row + SPREAD * (0.5 - (index + 1) / (len(sets) + 1))
            axis.plot(gains, [height] * len(gains), label=None if row else data, zorder=3, **styles[data])
        if None not in (interval := method["gain"]["interval"]):
            axis.plot(interval, [row, row], color="black", linewidth=1.5)
        axis.plot(method["gain"]["mean"], row, color="black", marker="|", markersize=22, markeredgewidth=2.5)
    axis.plot([], [], color="black", linewidth=1.5, label="mean over data sets, 95 % interval")
    axis.axvline(0, color="black", linewidth=0.8, linestyle="--")
    axis.set_yticks(range(len(names)), [_row(name, pooled["methods"][name], sets) for name in names])
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.set_xlabel(f"gain over {pooled['baseline']}, points of mIoU", loc="right")
    axis.grid(axis="x", alpha=0.3)
    handles, words = axis.get_legend_handles_labels()
    figure.legend(handles, words, loc="outside upper center", ncols=columns(words, WIDTH), frameon=False)


def compared(pooled: Mapping[str, Any]) -> list[str]:
    """The methods that are drawn, the last one on top. The ceiling, which gains most, would leave them little room."""
    methods = {name: method for name, method in pooled["methods"].items() if name != pooled["ceiling"]}
    return sorted(methods, key=lambda name: (len(methods[name]["gains"]), methods[name]["gain"]["mean"]))


def _style(index: int) -> dict[str, Any]:
    # matplotlib has ten colours, and begins again.
    return {"color": f"C{index % 10}", "marker": MARKERS[index % len(MARKERS)], "linestyle": "", "alpha": 0.8}


def _row(name: str, method: Mapping[str, Any], sets: Sequence[str]) -> str:
    """What stands beside a row."""
    pairs, own = method["pairs"], len(method["gains"])
    fewer = f"\non {own} of {len(sets)} sets" if own < len(sets) else ""
    return f"{name}, {pairs} pair{'' if pairs == 1 else 's'}{fewer}"
