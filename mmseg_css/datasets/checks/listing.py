"""Which images a data set has: some more often than once, or fewer than its folder holds."""

import os.path as osp
from collections import Counter
from pathlib import Path

from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks.warning import warn
from mmseg_css.datasets.pictures import pictures
from mmseg_css.datasets.splits import IMAGE_SUFFIXES
from mmseg_css.registry import DATASETS


def check_listing(leaf: BaseDataset) -> None:
    """Warn of images that a list repeats, and of images in the folder that have another ending than ``img_suffix``."""
    times = Counter(leaf.get_data_info(index)["img_path"] for index in range(len(leaf)))
    repeated = [path for path, number in times.items() if number > 1]
    if repeated:
        warn(
            f"{len(repeated)} images are listed more than once in {leaf.ann_file!r}, and count as often, the first: "
            f"{repeated[0]!r}; take the repeated lines out, unless that is meant"
        )
    if unused := _labelled_later(leaf):
        warn(
            f"{len(unused)} images in {leaf.data_prefix['img_path']!r} have masks, and stand neither in "
            f"{leaf.ann_file!r} nor in another list beside it, the first: {unused[0]!r}; to train on them, append "
            "their paths to that list"
        )
    if left_out := _left_out(leaf):
        warn(
            f"{len(left_out)} images in {leaf.data_prefix['img_path']!r} do not end in {leaf.img_suffix!r} and are "
            f"left out, the first: {left_out[0]!r}; to use them, too, list whole names in a FolderDataset, which mixes "
            "endings"
        )


def _labelled_later(leaf: BaseDataset) -> list[str]:
    """Images of a list that `mmseg-css init` wrote for training to which masks were added since."""
    if not isinstance(leaf, DATASETS.get("FolderDataset")) or osp.basename(leaf.ann_file) != "train.txt":
        return []
    beside = Path(leaf.ann_file).parent
    if not (beside / "val.txt").is_file():
        return []
    lists = [path for path in beside.glob("*.txt") if path.is_file() and path.name != "unlabeled.txt"]
    texts = [path.read_text(encoding="utf-8-sig", errors="replace") for path in lists]  # not all of them need be lists
    listed = {line.strip() for text in texts for line in text.splitlines()}
    folders = (leaf.data_prefix["img_path"], leaf.data_prefix["seg_map_path"])
    images, masks = (
        fileio.list_dir_or_file(folder, list_dir=False, recursive=True, backend_args=leaf.backend_args)
        for folder in folders
    )
    there = {*masks}
    return [
        name for name in pictures(images) if name not in listed and osp.splitext(name)[0] + leaf.seg_map_suffix in there
    ]


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
