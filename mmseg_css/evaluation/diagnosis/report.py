"""``report.json``, and from it alone the figures and the page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mmseg_css.evaluation.comparison.machine import made_with
from mmseg_css.evaluation.diagnosis.figures import draw_figures
from mmseg_css.evaluation.diagnosis.page import page
from mmseg_css.evaluation.json_numbers import without_nan

SCHEMA: Final = 2


def write_report(found: Mapping[str, Any], folder: Path) -> Path:
    """Write what was found: ``report.json``, ``figures/*.png`` and ``report.html``, whose path is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    report = without_nan({"schema": SCHEMA, **found, "made_with": made_with(jobs=1)})
    path = folder / "report.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return draw_report(path)


def draw_report(path: Path) -> Path:
    """Make figures and page from a ``report.json``, beside it; the page's path."""
    report = json.loads(path.read_text(encoding="utf-8"))
    figures = draw_figures(report, path.parent / "figures")
    out = path.with_name("report.html")
    out.write_text(page(report, figures, path.parent), encoding="utf-8")
    return out
