"""COCO 2017: one mask of 81 classes per image, from the instance annotations.

We found no published rule by which PseudoSeg or UniMatch drew its masks (UniMatch publishes the masks), so these are
choices:

- Instances overlap here and there; the one of smaller area is on top (a cup on a table).
- A crowd region belongs to its class: its pixels are certain, only the borders between its instances are not known. It
  lies below every single instance, whose outline is the more exact.
- Everything else is background. Nothing is ignored.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, UInt8

from mmseg_css.preparation.benchmarks.files import optional_module, png
from mmseg_css.preparation.benchmarks.recipe import LabeledList, Maker, Part, Recipe

SPLITS: Final = ("train2017", "val2017")
REMEDY: Final = (
    "unpack annotations_trainval2017.zip into the root, train2017.zip and val2017.zip into its folder images, "
    "then run `mmseg-css data coco`"
)


def plan(root: Path) -> Mapping[Path, Maker]:
    """A mask for every image, also for those without an instance."""
    optional_module("pycocotools.mask", "decoding COCO's instances")  # said before the long reading, not after it
    makers: dict[Path, Maker] = {}
    for split in SPLITS:
        path = root / "annotations" / f"instances_{split}.json"
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}; {REMEDY}")
        print(f"reading {path}")
        content = json.loads(path.read_bytes())
        classes = _classes(content["categories"], path)
        instances: dict[int, list[dict]] = defaultdict(list)
        for instance in content["annotations"]:
            instances[instance["image_id"]].append(instance)
        for image in content["images"]:
            target = root / "masks" / split / Path(image["file_name"]).with_suffix(".png")
            makers[target] = partial(_mask, image["height"], image["width"], instances[image["id"]], classes)
    return makers


def _classes(categories: Sequence[Mapping[str, Any]], path: Path) -> dict[int, int]:
    """The class of each category id: 1 to 80 in the order of the ids."""
    from mmseg_css.datasets.coco import COCOObjectDataset  # brings MMSeg, which recipes do without until they are run

    ordered = sorted(categories, key=lambda category: category["id"])
    if [category["name"] for category in ordered] != list(COCOObjectDataset.METAINFO["classes"][1:]):
        raise ValueError(f"{str(path)!r} does not have COCO's 80 categories; {REMEDY}")
    return {category["id"]: index for index, category in enumerate(ordered, start=1)}


def draw(
    height: int, width: int, instances: Sequence[Mapping[str, Any]], classes: Mapping[int, int]
) -> UInt8[np.ndarray, "h w"]:
    """Paint crowds first, then instances from the largest to the smallest."""
    labels = np.zeros((height, width), np.uint8)
    for instance in sorted(instances, key=lambda instance: (not instance["iscrowd"], -instance["area"])):
        labels[pixels_of(instance["segmentation"], height, width)] = classes[instance["category_id"]]
    return labels


def pixels_of(segmentation: Any, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of an instance, from COCO's polygons or run lengths.

    Raises:
        ModuleNotFoundError: pycocotools is not installed.
    """
    codec = optional_module("pycocotools.mask", "decoding COCO's instances")
    if isinstance(segmentation, list):  # polygons
        segmentation = codec.merge(codec.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):  # run lengths as numbers; else packed into a string
        segmentation = codec.frPyObjects(segmentation, height, width)
    return codec.decode(segmentation).astype(bool)


def _mask(height: int, width: int, instances: Sequence[Mapping[str, Any]], classes: Mapping[int, int]) -> bytes:
    return png(draw(height, width, instances, classes))


RECIPE: Final = Recipe(
    title="COCO 2017: masks of 81 classes from the instance annotations",
    root=Path("data/coco"),
    parts=(
        Part("train", "COCOObjectDataset", "images/train2017", "masks/train2017", 118287),
        Part("val", "COCOObjectDataset", "images/val2017", "masks/val2017", 5000),
    ),
    remedy=REMEDY,
    plan=plan,
    lists=[
        LabeledList(f"coco-pseudoseg-{n}.txt", n, f"UniMatch's coco/1_{part}/labeled.txt")
        for n, part in ((232, 512), (463, 256), (925, 128), (1849, 64), (3697, 32))
    ],
)
