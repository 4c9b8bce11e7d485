"""ADE20K as of the scene parsing challenge of 2016, which MMSeg reads as it is: there is only something to check.

Masks hold 0 to 150. 0 is no class; ``reduce_zero_label``, on by default in MMSeg's data set, ignores it and moves the
others down by one.
"""

from pathlib import Path
from typing import Final

from mmseg_css.preparation.benchmarks.recipe import LabeledList, Part, Recipe

RECIPE: Final = Recipe(
    title="ADE20K (scene parsing challenge 2016): nothing to convert, only checked",
    root=Path("data/ade/ADEChallengeData2016"),
    parts=(
        Part("train", "ADE20KDataset", "images/training", "annotations/training", 20210),
        Part("val", "ADE20KDataset", "images/validation", "annotations/validation", 2000),
    ),
    remedy="unpack the whole of ADEChallengeData2016.zip",
    lists=(
        LabeledList(
            "ade20k-own-2527.txt",
            2527,
            "generated, not published (docs/data.md has the command)",
        ),
    ),
)
