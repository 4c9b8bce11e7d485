"""Colours of a report: those of Okabe and Ito, which the colour-blind can tell apart."""

from typing import Final

from mmseg_css.functional.diagnosis import CELLS

COLOURS: Final = {"logit": "#0072B2", "representation": "#D55E00", "mix": "#009E73", "peer": "#E69F00"}
CELL_COLOURS: Final = dict(zip(CELLS, ("#009E73", "#D55E00", "#56B4E9", "#E69F00", "#CC79A7"), strict=True))
INDICATOR_COLOURS: Final = {"similarity": "#D55E00", "confidence": "#0072B2"}
CELL_NAMES: Final = {
    "agree_right": "agree, right",
    "agree_wrong": "agree, wrong",
    "logit_right": "logit right",
    "representation_right": "representation right",
    "both_wrong": "disagree, both wrong",
}
