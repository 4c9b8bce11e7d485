"""Is a data set complete, and is it what the configs expect? Nothing is changed."""

import os.path as osp
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations

from mmseg_css.datasets.checks import MaskCheck, check_paths, find_faults, infos_of
from mmseg_css.preparation.benchmarks.files import read_lines
from mmseg_css.preparation.benchmarks.recipe import LabeledList, Part, Recipe
from mmseg_css.registry import DATASETS

SAMPLE: Final = 200
SHOWN: Final = 3


class Finding(NamedTuple):
    """``ok``; ``missing``, which only some configs need; or a ``fault``."""

    level: Literal["ok", "missing", "fault"]
    text: str


def check(recipe: Recipe, root: Path, splits: Path, *, read_all: bool = False) -> Iterator[Finding]:
    """Compare a prepared data set with its recipe.

    Every file is looked for. Sizes and values, which take reading the masks, are compared for ``SAMPLE`` of each part,
    spread evenly.

    Args:
        recipe: What is expected.
        root: The data set.
        splits: The folder of the labelled lists.
        read_all: Read all masks.
    """
    ids: list[list[str]] = []
    for part in recipe.parts:
        try:
            dataset = _build(part, root, recipe.remedy)
        except (FileNotFoundError, ValueError) as error:
            yield Finding("fault", f"{part.name}: {error}")
            ids.append([])
            continue
        ids.append(_ids(dataset))
        yield from _check_part(part, dataset, recipe.remedy, read_all)
    if common := set.intersection(*map(set, ids)):
        yield Finding(
            "fault",
            f"{len(common)} images, the first {min(common)!r}, are in train and in val; results would be too good: "
            f"remove the list of the training images, and {recipe.remedy}",
        )
    yield from _check_lists(recipe.lists, splits, ids[0])


# -- images and masks -------------------------------------------------------------------------------------------------


def _build(part: Part, root: Path, remedy: str) -> BaseSegDataset:
    folders = {"img_path": str(root / part.images), "seg_map_path": str(root / part.masks)}
    ann_file = str(root / part.ann_file) if part.ann_file else ""
    check_paths(data_prefix=folders, lists=[ann_file], remedy=remedy)
    kind = DATASETS.get(part.kind)
    if kind is None:
        raise ValueError(
            f"no data set class {part.kind!r} is registered: correct kind in the recipe, or export the class in "
            "mmseg_css/datasets/__init__.py"
        )
    return kind(data_prefix=folders, ann_file=ann_file, pipeline=[LoadAnnotations()])


def _ids(dataset: BaseSegDataset) -> list[str]:
    folder = dataset.data_prefix["img_path"]
    return [osp.relpath(path, folder).removesuffix(dataset.img_suffix) for path in _paths(dataset, "img_path")]


def _paths(dataset: BaseSegDataset, key: str) -> list[str]:
    return [info[key] for info in infos_of(dataset)]


def _check_part(part: Part, dataset: BaseSegDataset, remedy: str, read_all: bool) -> Iterator[Finding]:
    count = len(dataset)
    faults = []
    if count != part.length:
        faults.append(f"{count} images, but {part.length} are published; {remedy}")
    files = {"image": _paths(dataset, "img_path"), "mask": _paths(dataset, "seg_map_path")}
    absent = {kind: [path for path in paths if not osp.isfile(path)] for kind, paths in files.items()}
    for kind, paths in absent.items():
        if paths:
            faults.append(f"{len(paths)} of {count} {kind}s are missing, the first is {paths[0]!r}; {remedy}")
    if not part.ann_file and (alone := _without_image(dataset, files["mask"])):
        faults.append(f"{len(alone)} masks have no image, the first is {alone[0]!r}; {remedy}")

    gone = {*absent["image"], *absent["mask"]}
    present = [i for i, pair in enumerate(zip(*files.values(), strict=True)) if gone.isdisjoint(pair)]
    chosen = present if read_all or len(present) <= SAMPLE else _spread(present, SAMPLE)
    faults += _read(part.name, dataset, chosen)
    for fault in faults:
        yield Finding("fault", f"{part.name}: {fault}")
    if not faults:
        how = "all masks" if len(chosen) == count else f"{len(chosen)} masks spread evenly (--all reads every one)"
        yield Finding("ok", f"{part.name}: {count} images with masks; sizes and values are in order in {how}")


def _without_image(dataset: BaseSegDataset, expected: Sequence[str]) -> list[str]:
    masks = {str(path) for path in Path(dataset.data_prefix["seg_map_path"]).rglob(f"*{dataset.seg_map_suffix}")}
    return sorted(masks.difference(map(osp.normpath, expected)))


def _spread(indices: Sequence[int], count: int) -> list[int]:
    return [indices[place] for place in np.linspace(0, len(indices) - 1, count).astype(int)]


def _read(name: str, dataset: BaseSegDataset, indices: Sequence[int]) -> list[str]:
    """What is wrong with the sizes and values of these masks."""
    faults = [str(fault) for fault in find_faults(MaskCheck(dataset), indices, f"reading {name}")]
    if len(faults) > SHOWN:
        faults[SHOWN:] = [f"{len(faults) - SHOWN} more of the {len(indices)} masks that were read are faulty"]
    return faults


# -- lists ------------------------------------------------------------------------------------------------------------


def _check_lists(lists: Sequence[LabeledList], splits: Path, train: Sequence[str]) -> Iterator[Finding]:
    example = f", such as {min(train)!r}" if train else ""
    found = 0
    for wanted in lists:
        path = splits / wanted.file
        remedy = f"it is {wanted.origin}, one id per line{example}"
        if not path.is_file():
            yield Finding("missing", f"{path}: only configs that name it need it; {remedy}")
            continue
        found += 1
        lines = read_lines(path, remedy)
        repeated = [line for line, count in Counter(lines).items() if count > 1]
        unknown = set(lines).difference(train) if train else set()
        faults = []
        if len(lines) != wanted.length:
            faults.append(f"{len(lines)} lines instead of {wanted.length}")
        if repeated:
            faults.append(f"{len(repeated)} lines occur more than once, for instance {repeated[0]!r}")
        if unknown:
            faults.append(f"{len(unknown)} lines name no training image, for instance {min(unknown)!r}")
        for fault in faults:
            yield Finding("fault", f"{path}: {fault}; {remedy}")
        if not faults:
            yield Finding("ok", f"{path}: {len(lines)} training images")
    if lists and not found:
        yield Finding("fault", f"none of the {len(lists)} lists of labelled images is in {str(splits)!r}")
