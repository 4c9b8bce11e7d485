"""PASCAL VOC 2012 and the Semantic Boundaries Dataset (SBD), together the usual 10 582 training images.

SBD annotates 11 355 images of VOC, most of which have no masks there. Its masks are coarser, and ignore no border.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from mmseg_css.preparation.benchmarks.files import ids_text, optional_module, png, read_labels, read_lines
from mmseg_css.preparation.benchmarks.recipe import LabeledList, Maker, Part, Recipe

LISTS: Final = "ImageSets/Segmentation"
VOC_REMEDY: Final = "unpack VOCtrainval_11-May-2012.tar into the folder data (or name its VOCdevkit/VOC2012)"
SBD_REMEDY: Final = "unpack benchmark.tgz into the folder data (or name its benchmark_RELEASE with --sbd)"


def plan(root: Path, source: Path) -> Mapping[Path, Maker]:
    """Masks and list of the training images: VOC's train and all of SBD, without VOC's val.

    VOC's own masks are taken where there are both.
    """
    fine = set(read_lines(root / LISTS / "train.txt", VOC_REMEDY))
    val = set(read_lines(root / LISTS / "val.txt", VOC_REMEDY))
    sbd = source / "dataset"
    coarse = {image_id for name in ("train", "val") for image_id in read_lines(sbd / f"{name}.txt", SBD_REMEDY)}
    ids = sorted(fine.union(coarse) - val)
    makers: dict[Path, Maker] = {
        root / "SegmentationClassAug" / f"{image_id}.png": (
            partial(_fine_mask, root / "SegmentationClass" / f"{image_id}.png")
            if image_id in fine
            else partial(_coarse_mask, sbd / "cls" / f"{image_id}.mat")
        )
        for image_id in ids
    }
    return {**makers, root / LISTS / "trainaug.txt": partial(ids_text, ids)}


def _fine_mask(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"there is no mask {str(path)!r}; {VOC_REMEDY}")
    return png(read_labels(path))


def _coarse_mask(path: Path) -> bytes:
    loadmat = optional_module("scipy.io", "reading SBD's .mat files").loadmat
    if not path.is_file():
        raise FileNotFoundError(f"there is no mask {str(path)!r}; {SBD_REMEDY}")
    try:
        labels = loadmat(path)["GTcls"]["Segmentation"][0, 0]
    except Exception as error:  # an archive cut short raises nearly anything
        raise ValueError(f"{str(path)!r} cannot be read as a mask of SBD ({error!r}); {SBD_REMEDY}") from error
    return png(np.ascontiguousarray(labels, dtype=np.uint8))


RECIPE: Final = Recipe(
    title="PASCAL VOC 2012 with SBD's masks: SegmentationClassAug and trainaug.txt",
    root=Path("data/VOCdevkit/VOC2012"),
    parts=(
        Part("train", "PascalVOCDataset", "JPEGImages", "SegmentationClassAug", 10582, f"{LISTS}/trainaug.txt"),
        Part("val", "PascalVOCDataset", "JPEGImages", "SegmentationClass", 1449, f"{LISTS}/val.txt"),
    ),
    remedy=f"{VOC_REMEDY}, then run `mmseg-css data voc`",
    plan=plan,
    source=Path("data/benchmark_RELEASE"),
    lists=(
        *(
            LabeledList(f"voc-classic-{n}.txt", n, f"UniMatch's pascal/{n}/labeled.txt")
            for n in (92, 183, 366, 732, 1464)
        ),
        *(
            LabeledList(f"voc-blended-u2pl-{n}.txt", n, f"U2PL's pascal/{n}/labeled.txt")
            for n in (662, 1323, 2646, 5291)
        ),
        *(
            LabeledList(f"voc-blended-cps-{n}.txt", n, f"UniMatch's splits/pascal/1_{part}/labeled.txt")
            for n, part in ((662, 16), (1323, 8), (2646, 4))
        ),
    ),
)
