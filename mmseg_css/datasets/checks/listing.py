"""Which images a data set has: some more often than once, or fewer than its folder holds."""

import os.path as osp
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks.paths import infos_of, paths_of
from mmseg_css.datasets.checks.warning import warn
from mmseg_css.datasets.pictures import pictures
from mmseg_css.datasets.rewritten import Origin, changed_since, origin_of
from mmseg_css.datasets.splits import IMAGE_SUFFIXES
from mmseg_css.registry import DATASETS


def check_listing(leaf: BaseDataset) -> None:
    """Warn of images that a list repeats, and of images in the folder that have another ending than ``img_suffix``."""
    times = Counter(paths_of(leaf))
    repeated = [path for path, number in times.items() if number > 1]
    if repeated:
        warn(
            f"{len(repeated)} images are listed more than once in {leaf.ann_file!r}, and count as often, the first: "
            f"{repeated[0]!r}; take the repeated lines out, unless that is meant"
        )
    folder = leaf.data_prefix.get("seg_map_path")
    origin = origin_of(folder) if folder else None
    for made, masks, own in _origins(leaf, origin):
        if changed := changed_since(own, masks):
            warn(
                f"{len(changed)} files have changed since `{own.command}` made masks in {made!r} of them, which are as "
                f"they were then, the first: {changed[0]!r}; to use what they hold now, {_again(own)}"
            )
    if unused := _labelled_later(leaf, origin):
        again = "call `mmseg-css init` again as you did then, with --overwrite, or append their paths to"
        warn(
            f"{len(unused)} images in {leaf.data_prefix['img_path']!r} have masks, and stand neither in "
            f"{leaf.ann_file!r} nor in another list beside it, the first: {unused[0]!r}; to train on them, "
            f"{_again(origin) if origin is not None and origin.folder else f'{again} {leaf.ann_file!r}'}"
        )
    if left_out := _left_out(leaf):
        warn(
            f"{len(left_out)} images in {leaf.data_prefix['img_path']!r} do not end in {leaf.img_suffix!r} and are "
            f"left out, the first: {left_out[0]!r}; to use them, too, list whole names in a FolderDataset, which mixes "
            "endings"
        )


def _again(origin: Origin) -> str:
    return (
        f"call `{origin.command}` again as you did then, with --overwrite; of configs and lists that it wrote and "
        "you have changed it keeps copies"
    )


def _origins(leaf: BaseDataset, origin: Origin | None) -> Iterator[tuple[str, list[str], Origin]]:
    """Folders of masks that we made, those of the data set in it, and what they were made of: masks of a data set, and
    what these were made of, masks of polygons."""
    if origin is None:
        return
    folder = leaf.data_prefix["seg_map_path"]
    masks = [osp.relpath(info["seg_map_path"], folder) for info in infos_of(leaf)]
    while origin is not None:
        names = [Path(mask).as_posix() for mask in masks]
        yield folder, names, origin
        masks = [osp.relpath(origin.sources[name].path, origin.folder) for name in names if name in origin.sources]
        folder, origin = origin.folder, origin_of(origin.folder) if origin.folder else None


def _labelled_later(leaf: BaseDataset, origin: Origin | None) -> list[str]:
    """Images of a list that `mmseg-css init` wrote for training to which masks were added since."""
    if not isinstance(leaf, DATASETS.get("FolderDataset")) or osp.basename(leaf.ann_file) != "train.txt":
        return []
    beside = Path(leaf.ann_file).parent
    if not (beside / "val.txt").is_file():
        return []
    lists = [path for path in beside.glob("*.txt") if path.is_file() and path.name != "unlabeled.txt"]
    texts = [path.read_text(encoding="utf-8-sig", errors="replace") for path in lists]  # not all of them need be lists
    listed = {line.strip() for text in texts for line in text.splitlines()}
    images, (masks, suffixes) = leaf.data_prefix["img_path"], _masks_of(leaf, origin)
    if not masks or not fileio.isdir(masks, backend_args=leaf.backend_args):
        return []
    names, there = (
        fileio.list_dir_or_file(folder, list_dir=False, recursive=True, backend_args=leaf.backend_args)
        for folder in (images, masks)
    )
    known, side_by_side = {*there}, osp.realpath(images) == osp.realpath(masks)
    named = {name: {osp.splitext(name)[0] + suffix for suffix in suffixes} for name in pictures(names)}
    # Side by side, a mask is called as its own mask would be.
    return [
        name for name, own in named.items() if name not in listed and own & known and not (side_by_side and name in own)
    ]


def _masks_of(leaf: BaseDataset, origin: Origin | None) -> tuple[str, list[str]]:
    """Where the user's masks are, and what they have in the place of an image's ending."""
    if origin is None or not origin.folder:
        return leaf.data_prefix.get("seg_map_path") or "", [leaf.seg_map_suffix]
    endings = {osp.splitext(source.path)[1] for source in origin.sources.values()}
    return origin.folder, sorted(origin.ending + ending for ending in endings)


def _left_out(leaf: BaseDataset) -> list[str]:
    """Pictures of another kind in the folder of a data set that takes all images with its ending."""
    if type(leaf).load_data_list is not BaseSegDataset.load_data_list or osp.isfile(leaf.ann_file):
        return []
    if not leaf.img_suffix:
        return []  # takes whatever there is
    folder = leaf.data_prefix.get("img_path") or ""
    if not fileio.isdir(folder, backend_args=leaf.backend_args):
        return []
    kind = f".{leaf.img_suffix.rpartition('.')[2]}"
    names = fileio.list_dir_or_file(folder, list_dir=False, recursive=True, backend_args=leaf.backend_args)
    return sorted(
        name
        for name in names
        if name.lower().endswith(IMAGE_SUFFIXES) and not name.endswith((kind, leaf.seg_map_suffix))
    )
