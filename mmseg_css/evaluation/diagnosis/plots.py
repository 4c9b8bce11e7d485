"""What each figure of a report draws. Each returns its caption."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mmseg_css.evaluation.diagnosis.colours import CELL_COLOURS, CELL_NAMES, COLOURS, INDICATOR_COLOURS
from mmseg_css.evaluation.diagnosis.regions import BANDS, SIZES
from mmseg_css.evaluation.diagnosis.words import over, percent

#: Stands for the colour of the page's text, while a figure is drawn.
INK: Final = "#010203"
#: Classes of a figure by class, those with the most pixels.
CLASSES: Final = 25
REGIONS: Final = (*BANDS, *SIZES)


def thresholds(axes: Any, report: Mapping[str, Any]) -> str:
    """Precision against coverage, from all labels (right) to the surest (left)."""
    sources = report["checkpoints"][-1]["sources"]
    threshold = report["thresholds"]["supervision"]
    for name, source in sources.items():
        curve = source["curve"]
        coverage, precision = ([100 * of(value) for value in curve[key]] for key in ("coverage", "precision"))
        axes.plot(coverage, precision, color=COLOURS[name], label=name)
        if threshold:
            own = source["confident"]
            axes.plot(100 * of(own["coverage"]["value"]), 100 * of(own["precision"]["value"]), "o", color=COLOURS[name])
    axes.set_xlabel(f"coverage, percent of {_pixels(report)} pixels")
    axes.set_ylabel("precision, percent right")
    legend(axes)
    dots = f" Dots: from {threshold:g} on, the method's threshold" if threshold else ""
    if relative := [name for name, source in sources.items() if source["confident"]["relative"]]:
        dots += f", which {relative[0]} compares with the confidence beside the mean of its class"
    return (
        "What each threshold of confidence buys: precision of the pseudo-labels against the share of the "
        f"{_pixels(report)} pixels that they cover.{dots}{'.' if dots else ''}"
    )


def classes(axes: Any, report: Mapping[str, Any]) -> str:
    """Precision of each source by class."""
    sources = report["checkpoints"][-1]["sources"]
    names = _classes(report)
    _points(axes, {name: [own["classes"][one]["precision"] for one in names] for name, own in sources.items()}, COLOURS)
    _rows(axes, _counted(names, _pixels_of_classes(report)))
    axes.set_xlabel(f"precision, percent right, n = {report['images']} images")
    axes.set_xlim(0, 101)
    legend(axes)
    return (
        f"Precision by class of the pseudo-label ({over(report)}). The classes with the most pixels (in brackets) come "
        f"first{_left_out(report)}."
    )


def regions(axes: Any, report: Mapping[str, Any]) -> str:
    """Precision of each source near boundaries and in parts of each size."""
    sources = report["checkpoints"][-1]["sources"]
    found = {name: [own["regions"][region]["precision"] for region in REGIONS] for name, own in sources.items()}
    _points(axes, found, COLOURS)
    _rows(axes, _counted(REGIONS, _pixels_of_regions(report)))
    axes.set_xlabel(f"precision, percent right, n = {report['images']} images")
    legend(axes)
    return (
        f"Precision near a boundary of the truth (within {report['boundary_radius']} pixels), away from it, and in "
        f"small, middle and large connected parts of each class; pixels of each in brackets, {over(report)}."
    )


def calibration(axes: Any, report: Mapping[str, Any]) -> str:
    """Share of right pixels against confidence."""
    sources = report["checkpoints"][-1]["sources"]
    axes.plot([0, 100], [0, 100], color=INK, linewidth=0.7, linestyle="--")
    for name, source in sources.items():
        bins = source["calibration"]["bins"]
        x, y = ([100 * one[key] for one in bins] for key in ("confidence", "right"))
        ece, count = percent(source["calibration"]["ece"]), int(sum(one["pixels"] for one in bins))
        axes.plot(x, y, ".-", color=COLOURS[name], label=f"{name}, ECE {ece}, n = {count:,}")
    note = ""
    last = report["checkpoints"][-1]
    if last["highest_similarity"] is not None:
        axes.axvline(100 * last["highest_similarity"], color=COLOURS["representation"], linewidth=0.7, linestyle=":")
        note = (
            f" Dotted: {100 * last['highest_similarity']:.1f} %, which the representation space's confidence cannot "
            f"exceed with prototypes of {last['prototypes']} classes."
        )
    axes.set_xlabel("confidence, percent (n: labelled pixels)")
    axes.set_ylabel("right, percent")
    legend(axes, columns=1)
    return (
        "Calibration: bins of about equal numbers of the pixels that each source labels. Dashed: as sure as "
        f"right.{note}"
    )


def cells_by_region(axes: Any, report: Mapping[str, Any]) -> str:
    """Shares of the cells in each region."""
    spaces = report["checkpoints"][-1]["spaces"]
    rows = {"all": spaces["shares"]} | {region: spaces["regions"][region] for region in REGIONS}
    _stacked(axes, rows, {"all": spaces["pixels"], **_pixels_of_regions(report)})
    return (
        "The two spaces' labels against each other and the truth, by region, with the pixels of each; "
        f"{spaces['pixels']:,} in all."
    )


def cells_by_class(axes: Any, report: Mapping[str, Any]) -> str:
    """Shares of the cells in each class."""
    spaces = report["checkpoints"][-1]["spaces"]
    _stacked(axes, {name: spaces["classes"][name] for name in _classes(report)}, _pixels_of_classes(report))
    return f"The same by class of the truth, with the pixels of each{_left_out(report)}; {spaces['pixels']:,} in all."


def indicators(axes: Any, report: Mapping[str, Any]) -> str:
    """AUROC of each indicator for each question."""
    found = report["checkpoints"][-1]["indicators"]
    questions = [(labelling, target) for labelling, targets in found.items() for target in targets]
    asked = {
        ("truth", "student_wrong"): "student wrong,\nlabelled pixels",
        ("pseudo", "student_wrong"): "student wrong,\npseudo-labelled",
        ("pseudo", "label_wrong"): "pseudo-label\nwrong",
    }
    names = [name for name in INDICATOR_COLOURS if all(name in found[one][target] for one, target in questions)]
    estimates = {name: [found[one][target][name]["auroc"] for one, target in questions] for name in names}
    _points(axes, estimates, INDICATOR_COLOURS, apart=0.2)
    axes.axvline(50, color=INK, linewidth=0.7, linestyle="--")
    pixels = {asked[one, target]: found[one][target]["pixels"] for one, target in questions}
    _rows(axes, _counted(pixels, pixels))
    axes.set_xlabel(f"AUROC, percent, n = {report['images']} images")
    legend(axes)
    return (
        "How well a low indicator finds what it should, among pixels of the decoder's maps (in brackets; all classes "
        f"together; dashed: chance), {over(report)}."
    )


def _points(
    axes: Any, found: Mapping[str, Sequence[Mapping[str, Any]]], colours: Mapping[str, str], apart: float = 0.22
) -> None:
    """Estimates by what is compared, one of each in every row, so far apart in it."""
    for offset, (name, estimates) in enumerate(found.items()):
        values, reach = spread(estimates)
        axes.errorbar(
            [100 * value for value in values],
            [row + apart * (offset - (len(found) - 1) / 2) for row in range(len(values))],
            xerr=[[100 * part if part == part else 0.0 for part in side] for side in reach],
            fmt="o",
            markersize=4,
            color=colours[name],
            label=name,
        )


def _stacked(axes: Any, rows: Mapping[str, Mapping[str, Any]], pixels: Mapping[str, int]) -> None:
    start = [0.0] * len(rows)
    for cell, colour in CELL_COLOURS.items():
        width = [100 * (0.0 if row[cell]["value"] is None else row[cell]["value"]) for row in rows.values()]
        axes.barh(range(len(rows)), width, left=start, color=colour, label=CELL_NAMES[cell])
        start = [before + own for before, own in zip(start, width, strict=True)]
    _rows(axes, _counted(rows, pixels))
    axes.set_xlim(0, 100)
    axes.set_xlabel("percent of the pixels (n in brackets)")
    legend(axes)


def legend(axes: Any, columns: int = 2) -> None:
    """Above the axes, where it hides nothing."""
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=columns, fontsize=8)


def _rows(axes: Any, names: Any) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()


def _counted(names: Iterable[str], pixels: Mapping[str, int]) -> list[str]:
    from matplotlib.ticker import EngFormatter  # an extra

    short = EngFormatter(places=0)
    return [f"{name} ({short(pixels[name])})" for name in names]


def _pixels_of_classes(report: Mapping[str, Any]) -> dict[str, int]:
    own = next(iter(report["checkpoints"][-1]["sources"].values()))["classes"]
    return {name: one["pixels"] for name, one in own.items()}


def _pixels_of_regions(report: Mapping[str, Any]) -> dict[str, int]:
    own = next(iter(report["checkpoints"][-1]["sources"].values()))["regions"]
    return {region: own[region]["pixels"] for region in REGIONS}


def _classes(report: Mapping[str, Any]) -> list[str]:
    """The classes that the images show, those with the most pixels first."""
    return _shown(report)[:CLASSES]


def _left_out(report: Mapping[str, Any]) -> str:
    """What to say of classes that a figure by class has no room for."""
    more = len(_shown(report)) - CLASSES
    return f", and {more} with fewer are left out (report.json has all)" if more > 0 else ""


def _shown(report: Mapping[str, Any]) -> list[str]:
    own = _pixels_of_classes(report)
    return sorted((name for name in own if own[name]), key=lambda name: -own[name])


def _pixels(report: Mapping[str, Any]) -> str:
    return f"{sum(_pixels_of_classes(report).values()):,}"


def of(value: float | None) -> float:
    """A number of the report to draw: what is not known is NaN."""
    return float("nan") if value is None else value


def spread(estimates: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[list[float]]]:
    """Values, and how far their intervals reach below and above them."""
    values = [of(one["value"]) for one in estimates]
    reach = [
        [max(0.0, sign * (of(one["interval"][side]) - value)) for one, value in zip(estimates, values, strict=True)]
        for side, sign in ((0, -1), (1, 1))
    ]
    return values, reach
