"""A report as one HTML file that loads nothing."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from mmseg_css.evaluation.diagnosis.colours import CELL_COLOURS, CELL_NAMES
from mmseg_css.evaluation.diagnosis.figures import Figure
from mmseg_css.evaluation.diagnosis.words import looked_at, over, percent, summary

KINDS: Final = {
    "confident_wrong": "Confident and wrong",
    "not_learnt_from": "Not learnt from",
    "agree_wrong": "Both spaces agree and are wrong",
    "both_wrong": "The spaces disagree, and both are wrong",
}
PAIRS: Final = {
    "agree_wrong": "Agree and wrong",
    "both_wrong_logit": "Disagree, both wrong: the logit space",
    "both_wrong_representation": "Disagree, both wrong: the representation space",
}
STYLE: Final = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #ffffff; --line: #8888; }
@media (prefers-color-scheme: dark) { :root { --text: #e8e8e8; --page: #16181b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 84rem; color: var(--text); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.2; }
.summary { max-width: 48rem; }
.grid { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
figure { margin: 0; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { font-size: 0.875rem; }
.panels { display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); }
.panels img { width: 100%; height: auto; image-rendering: pixelated; }
.table { overflow-x: auto; }
.key { white-space: nowrap; margin-right: 0.5rem; }
.key i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.3em; }
table { border-collapse: collapse; font-size: 0.875rem; white-space: nowrap; }
th, td { padding: 0.2rem 0.6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
"""


def page(report: Mapping[str, Any], figures: Sequence[Figure], folder: Path) -> str:
    """The file's text. Pictures are read from below ``folder``."""
    last = report["checkpoints"][-1]
    parts = [
        f"<h1>{escape(report['method'])}: is the pseudo-label right?</h1>",
        f"<p>{escape(_about(report))}</p>",
        *(f"<p>{escape(note)}</p>" for note in report.get("notes", ())),
        "<h2>In words</h2>",
        *(f'<p class="summary">{escape(sentence)}</p>' for sentence in summary(report)),
        "<h2>Figures</h2>",
        '<div class="grid">',
        *(f"<figure>{figure.svg}<figcaption>{escape(figure.caption)}</figcaption></figure>" for figure in figures),
        "</div>",
        "<h2>By class</h2>",
        _class_table(last),
        '<div class="grid">',
        *(_pairs(last["spaces"]["pairs"]) if "spaces" in last else ()),
        "</div>",
        "<h2>The worst images</h2>",
        _legend() if "spaces" in last else "",
        *_worst(last["worst"], folder, confident=bool(report["thresholds"]["supervision"])),
    ]
    body = "\n".join(parts)
    title = escape(f"{report['method']}, {Path(report['config']).stem}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _about(report: Mapping[str, Any]) -> str:
    last = report["checkpoints"][-1]
    made = report["made_with"]
    iteration = "" if last["iteration"] is None else f" (iteration {last['iteration']})"
    return (
        f"{report['config']}, {last['checkpoint']}{iteration}, {report['images']} "
        f"{report['looked_at']}; norm layers {report['norm_layers']}; {over(report)}. "
        f"mmseg-css {made['version']}, commit {made['commit'] or 'unknown'}, torch {made['torch']}."
    )


def _class_table(last: Mapping[str, Any]) -> str:
    _, source = looked_at(last)
    rows = [
        (name, f"{own['pixels']:,}", *(percent(own[key]) for key in ("precision", "recall", "IoU", "coverage")))
        for name, own in source["classes"].items()
    ]
    note = "<p>Precision, recall and IoU are of the pixels that have a label; coverage says how many have.</p>"
    return _table(("class", "pixels", "precision", "recall", "IoU", "coverage"), rows) + note


def _pairs(pairs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterable[str]:
    for kind, title in PAIRS.items():
        rows = [(pair["truth"], pair["label"], percent(pair["share"])) for pair in pairs[kind]]
        table = _table(("truth", "taken for", "of these pixels"), rows) if rows else "<p>None.</p>"
        yield f"<div><h3>{escape(title)}</h3>{table}</div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _legend() -> str:
    """What the colours of the agreement mean."""
    parts = (
        f'<span class="key"><i style="background:{colour}"></i>{escape(CELL_NAMES[cell])}</span>'
        for cell, colour in CELL_COLOURS.items()
    )
    return (
        f"<p>Agreement of the two spaces: {' '.join(parts)}, grey where a label or the truth is missing. Labels have "
        "the colours of the data set.</p>"
    )


def _worst(worst: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path, *, confident: bool) -> Iterable[str]:
    for kind, images in worst.items():
        # Without a threshold all labels are counted, however sure.
        heading = KINDS[kind] if confident or kind != "confident_wrong" else "Wrong"
        yield f"<h3>{escape(heading)}</h3>"
        for one in images:
            yield f"<p>{escape(one['image'])}: {percent(one['share'])} of its pixels</p>"
            yield '<div class="panels">'
            for panel, path in one["pictures"].items():
                data = base64.b64encode((folder / path).read_bytes()).decode()
                alt = escape(f"{panel} of {one['image']}")
                yield (
                    f'<figure><img alt="{alt}" src="data:image/png;base64,{data}">'
                    f"<figcaption>{escape(panel)}</figcaption></figure>"
                )
            yield "</div>"
