"""Learning curves, over iterations and over minutes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from mmseg_css.files import written


def draw_curves(results: Mapping[str, Any], out: Path) -> None:
    """A file of :func:`plot_curves`."""
    from matplotlib.figure import Figure  # an extra

    figure = Figure(figsize=(10, 4), layout="constrained")
    plot_curves(figure, results)
    save(figure, out)


def plot_curves(figure: Any, results: Mapping[str, Any]) -> None:
    """A line for the mean over seeds of each method, thin ones for the seeds; black: the baseline, dashed: the ceiling.

    Args:
        figure: A matplotlib figure or part of one, which is empty.
        results: Of a comparison.
    """
    axes, styles = figure.subplots(1, 2, sharey=True), styles_of(results)
    for axis, key, label in zip(axes, ("iteration", "minutes"), ("iterations", "minutes of one run"), strict=True):
        for name, method in results["methods"].items():
            style = styles[name]
            curves = [([point[key] for point in run], [point["mIoU"] for point in run]) for run in method["curves"]]
            for x, y in curves:
                axis.plot(x, y, linewidth=0.6, alpha=0.5, **style)
            axis.plot(*_mean(method["curves"], key), linewidth=2, label=name, **style)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mIoU, percent")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=columns(names, figure.bbox.width / figure.dpi), frameon=False
    )


def save(figure: Any, out: Path, dpi: int = 120) -> None:
    """A figure as a PNG file, which is whole or as it was before."""
    with written(out) as part:
        figure.savefig(part, format="png", dpi=dpi)


def columns(names: Sequence[str], width: float) -> int:
    """How many columns of a legend there is room for in so many inches: letters of ten points are six points wide or
    less, a line or mark and the space around it take 45."""
    return max(1, min(5, len(names), int(72 * width / (6 * max(map(len, names)) + 45))))


def styles_of(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each method's lines look like, no two alike: black ones what methods are compared with."""
    compared = [name for name in results["methods"] if name not in (results["baseline"], results["ceiling"])]
    # matplotlib has ten colours, and begins again.
    styles = {
        name: {"color": f"C{index % 10}", "linestyle": ("-", "-.", ":")[index // 10 % 3]}
        for index, name in enumerate(compared)
    }
    return styles | {
        results["baseline"]: {"color": "black", "linestyle": "-"},
        results["ceiling"]: {"color": "black", "linestyle": "--"},
    }


def _mean(curves: Sequence[Sequence[Mapping[str, float]]], key: str) -> tuple[list[float], list[float]]:
    """Over the runs, after the iterations that all were evaluated after."""
    points = [{point["iteration"]: point for point in run} for run in curves]
    common = sorted(set.intersection(*({*own} for own in points)))
    x, y = ([fmean(own[at][of] for own in points) for at in common] for of in (key, "mIoU"))
    return x, y
