"""Cityscapes: of its 34 kinds of label, 19 are trained and evaluated."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from mmseg_css.preparation.benchmarks.files import find, png, read_labels
from mmseg_css.preparation.benchmarks.recipe import LabeledList, Maker, Part, Recipe

REMEDY: Final = (
    "unpack leftImg8bit_trainvaltest.zip and the whole of gtFine_trainvaltest.zip (polygons alone are not enough), "
    "then run `mmseg-css data cityscapes`"
)
LABEL_IDS, TRAIN_IDS = "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"
# The ids of the 19 classes, in the order of the classes.
CLASS_IDS: Final = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
NUM_IDS: Final = 34


def train_id_table() -> UInt8[np.ndarray, " ids"]:
    """The class of every id, and 255 (ignored) for the other ids."""
    table = np.full(NUM_IDS, 255, dtype=np.uint8)
    table[list(CLASS_IDS)] = np.arange(len(CLASS_IDS))
    return table


def plan(root: Path) -> Mapping[Path, Maker]:
    """``*_gtFine_labelTrainIds.png`` beside every ``*_gtFine_labelIds.png``."""
    paths = [p for split in ("train", "val") for p in find(root / "gtFine" / split, f"*/*{LABEL_IDS}", REMEDY)]
    return {path.with_name(path.name.replace(LABEL_IDS, TRAIN_IDS)): partial(_mask, path) for path in paths}


def _mask(path: Path) -> bytes:
    ids = read_labels(path)
    if ids.max() >= NUM_IDS:
        raise ValueError(f"{str(path)!r} holds {ids.max()}, but label ids go from 0 to {NUM_IDS - 1}; {REMEDY}")
    return png(train_id_table()[ids])


RECIPE: Final = Recipe(
    title="Cityscapes: masks of the 19 classes from label ids",
    root=Path("data/cityscapes"),
    parts=(
        Part("train", "CityscapesDataset", "leftImg8bit/train", "gtFine/train", 2975),
        Part("val", "CityscapesDataset", "leftImg8bit/val", "gtFine/val", 500),
    ),
    remedy=REMEDY,
    plan=plan,
    lists=(
        *(
            LabeledList(f"cityscapes-u2pl-{n}.txt", n, f"U2PL's cityscapes/{n}/labeled.txt")
            for n in (186, 372, 744, 1488)
        ),
        *(
            LabeledList(f"cityscapes-unimatch-{n}.txt", n, f"UniMatch's cityscapes/1_{part}/labeled.txt")
            for n, part in ((100, 30), (186, 16), (372, 8), (744, 4), (1488, 2))
        ),
    ),
)
