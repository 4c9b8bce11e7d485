"""``report.json``, and from it alone the figures and the page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mmseg_css.evaluation.comparison.machine import made_with
from mmseg_css.evaluation.diagnosis.figures import draw_figures
from mmseg_css.evaluation.diagnosis.page import page
from mmseg_css.evaluation.json_numbers import without_nan
from mmseg_css.files import read_json, write_text

SCHEMA: Final = 2
JSON: Final = "report.json"
PAGE: Final = "report.html"
FIGURES: Final = "figures"


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder holds no report, unless it is to be overwritten, and nothing in the way of one.

    Raises:
        FileExistsError: It does.
    """
    if (folder / JSON).exists():
        if overwrite:
            return
        raise FileExistsError(f"{folder} holds a report: name another --out, or say --overwrite")
    if taken := [path for name in (PAGE, FIGURES, pictures_of(1)) if (path := folder / name).exists()]:
        raise FileExistsError(
            f"{taken[0]} is where a report would go, and no {JSON} says that it is of one: name another --out, or "
            "delete it"
        )


def names_of_report(folder: Path) -> list[str]:
    """What makes up the report that a folder holds, if it does."""
    if not (folder / JSON).is_file():
        return []
    report = _read(folder / JSON)
    return [PAGE, JSON, FIGURES, *(pictures_of(number) for number in range(1, 1 + len(report["checkpoints"])))]


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, "name another --out, or delete what is left of the report, and diagnose again")


def pictures_of(checkpoint: int) -> str:
    """The folder of the pictures of the n-th checkpoint."""
    return f"checkpoint_{checkpoint}"


def write_report(found: Mapping[str, Any], folder: Path) -> Path:
    """Write what was found: ``report.json``, ``figures/*.png`` and ``report.html``, whose path is returned."""
    report = without_nan({"schema": SCHEMA, **found, "made_with": made_with(jobs=1)})
    path = folder / JSON
    write_text(path, json.dumps(report, indent=1) + "\n")
    return draw_report(path)


def draw_report(path: Path) -> Path:
    """Make figures and page from a ``report.json``, beside it; the page's path."""
    report = _read(path)
    figures = draw_figures(report, path.parent / FIGURES)
    out = path.with_name(PAGE)
    write_text(out, page(report, figures, path.parent))
    return out
