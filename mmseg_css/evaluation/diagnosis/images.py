"""What the counts of one image say of it."""

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Int

from mmseg_css.evaluation.diagnosis.quantities import quality
from mmseg_css.functional.diagnosis import CELLS

#: Counts of an image, by name (`Tally.last`).
Counts = Mapping[str, Int[np.ndarray, "..."]]


def failures(counts: Counts, source: str, *, masked: bool) -> dict[str, float]:
    """Shares of an image's known pixels: confidently mislabelled by a source, not learnt from, and both spaces wrong.

    Args:
        counts: Of the image.
        source: What is learnt from.
        masked: Whether only confident labels are.
    """
    labelled, right, _ = counts[f"{source}/confident"].sum(-1)
    learnt = labelled if masked else counts[f"{source}/all"][0].sum()
    pixels = counts["pixels"].sum()
    pixels_of = {"confident_wrong": labelled - right, "not_learnt_from": pixels - learnt}
    if "cells" in counts:
        of_cells = counts["cells"].sum(0)
        pixels_of |= {name: of_cells[CELLS.index(name)] for name in ("agree_wrong", "both_wrong")}
    return {kind: float(number) / max(int(pixels), 1) for kind, number in pixels_of.items()}


def qualities(counts: Counts, sources: Iterable[str]) -> dict[str, dict[str, float]]:
    """Precision, coverage and mIoU of each source, over all its labels of an image."""
    return {
        name: {key: float(value) for key, value in quality(counts[f"{name}/all"], counts["pixels"]).items()}
        for name in sources
    }
