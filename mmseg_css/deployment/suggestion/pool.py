"""What a config has of images: those that are labelled, and those that could be."""

import filecmp
import os.path as osp
from collections.abc import Sequence
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from mmseg_css.datasets.checks import leaves, paths_of, real_paths
from mmseg_css.datasets.halves import halves_of
from mmseg_css.datasets.splits import IMAGE_SUFFIXES, check_utf8
from mmseg_css.deployment.labelled import labelled_pixels
from mmseg_css.deployment.prediction.inputs import Item
from mmseg_css.typos import explained


class Pool(NamedTuple):
    """The images of a config.

    Attributes:
        classes: Names of the labelled images' classes.
        pixels: Labelled pixels of each of them.
        labelled: The images that have labels.
        unlabelled: All others, each with its path below the folder of its data set, without ending.
        labelled_set: The data set of the labelled images, into whose list suggestions go.
    """

    classes: tuple[str, ...]
    pixels: Int[Tensor, " k"]
    labelled: list[Path]
    unlabelled: list[Item]
    labelled_set: Any


def pool_of(cfg: Config) -> Pool:
    """The images that a training with this config reads; an image of both halves is labelled, if as a copy.

    Raises:
        FileNotFoundError: A folder, a list or a mask is missing.
        ValueError: There are no unlabelled images, two of them would be written to one place, or a name is no UTF-8.
    """
    init_default_scope(cfg.get("default_scope", "mmseg"))  # where names of transforms are looked up
    with explained(cfg):
        paired = halves_of(cfg)  # files that cannot be read are told at the end, when all others are done
    classes = tuple(paired.metainfo["classes"])
    labelled = [Path(path) for leaf in leaves(paired.labeled) for path in paths_of(leaf)]
    unlabelled = _others(paired.unlabeled, labelled)
    if not unlabelled:
        raise ValueError(
            f"{cfg.filename}: all of the {len(paired.unlabeled)} images of its unlabelled data set are labelled, and "
            "there is nothing to suggest: add images to the folder of `unlabeled`"
        )
    return Pool(classes, labelled_pixels(paired.labeled), labelled, unlabelled, next(leaves(paired.labeled)))


def values_of(labelled_set: Any, num_classes: int) -> Int[np.ndarray, " k"]:
    """What stands for each class in the masks of the labelled images, before MMSegmentation reads them.

    A ``label_map`` that takes several values for one class leaves the first of them.
    """
    values = np.arange(num_classes)
    for value, index in reversed((labelled_set.label_map or {}).items()):
        if 0 <= index < num_classes:
            values[index] = value
    return values + bool(labelled_set.reduce_zero_label)


def _others(dataset: Any, labelled: Sequence[Path]) -> list[Item]:
    """The images that are not labelled, each once and in the order of their names."""
    found: dict[PurePosixPath, Path] = {}
    files = {*real_paths(map(str, labelled))}
    of_name: dict[str, list[Path]] = {}
    for path in labelled:
        of_name.setdefault(path.name, []).append(path)
    for leaf in leaves(dataset):
        paths = paths_of(leaf)
        for path, real in zip(map(Path, paths), real_paths(paths), strict=True):
            if real in files:
                continue
            if any(filecmp.cmp(path, other, shallow=False) for other in of_name.get(path.name, ())):  # it was copied
                continue
            check_utf8(path)
            name = PurePosixPath(_below(path, leaf)).with_suffix("")
            if (other := found.setdefault(name, path)) != path:
                raise ValueError(f"{str(other)!r} and {str(path)!r} would both be written to {name}: rename one")
    return [Item(found[name], name) for name in sorted(found)]


def _below(path: Path, leaf: Any) -> str:
    return Path(osp.relpath(path, leaf.data_prefix["img_path"])).as_posix()


def line_of(image: Item, labelled_set: Any) -> str:
    """How the list of the labelled images names an image: by its path below their folder.

    An image of another folder has to be copied there before it is trained with, under the path that it has below its
    own; one that does not end in `ending_of_lines` has to be converted.
    """
    line = _below(image.path, labelled_set)
    if line.startswith("../"):
        line = f"{image.name}{image.path.suffix}"
    ending = ending_of_lines(labelled_set)
    return line.removesuffix(ending if line.endswith(ending) else image.path.suffix)


def in_the_way(image: Item, labelled_set: Any) -> str | None:
    """Another image, in the folder of the labelled ones, that an image would replace there, or share its mask with:
    masks are called as images are, without their endings."""
    ending = ending_of_lines(labelled_set)
    there = Path(labelled_set.data_prefix["img_path"], f"{line_of(image, labelled_set)}{ending}")
    if ending:
        named = [there]
    else:  # a line is a whole name, and images of all endings may be listed
        beside = there.parent.glob(f"{escape(there.stem)}.*")
        named = sorted(path for path in beside if path.stem == there.stem and path.suffix.lower() in IMAGE_SUFFIXES)
    return next((str(path) for path in named if path.is_file() and not path.samefile(image.path)), None)


def ending_of_lines(labelled_set: Any) -> str:
    """What the list of the labelled images leaves out of each name, and all of them end in."""
    ending: str = getattr(labelled_set, "img_suffix", "")
    return ending
