"""Which images a training reads."""

import os.path as osp
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmengine.dataset import BaseDataset

from mmseg_css.datasets import PairedDataset
from mmseg_css.datasets.checks import leaves
from mmseg_css.datasets.splits import id_of


class Images(NamedTuple):
    """Ids by path; the same image is the same path. Samples that are no files of a data set do not count."""

    labeled: dict[str, str]
    unlabeled: dict[str, str]


def images_of(dataset: Any) -> dict[str, str]:
    """The ids of a data set's images, by file."""
    return {osp.realpath(path): image_id for leaf in leaves(dataset) for path, image_id in _of_leaf(leaf)}


def trained_on(dataset: Any) -> Images:
    """The images of a train dataloader's data set, paired or not."""
    if isinstance(dataset, PairedDataset):
        return Images(images_of(dataset.labeled), images_of(dataset.unlabeled))
    return Images(images_of(dataset), {})


def _of_leaf(leaf: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(leaf, BaseDataset):
        return
    folder = leaf.data_prefix.get("img_path") or ""
    for index in range(len(leaf)):
        path = leaf.get_data_info(index)["img_path"]
        yield path, id_of(path, folder, getattr(leaf, "img_suffix", osp.splitext(path)[1]))
