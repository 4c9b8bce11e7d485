"""Which images a training reads."""

import filecmp
import logging
import os.path as osp
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmseg_css.datasets import PairedDataset
from mmseg_css.datasets.checks import check_training_paths, leaves, paths_of, real_paths
from mmseg_css.datasets.splits import id_of
from mmseg_css.registry import DATASETS


class TrainedOn(NamedTuple):
    """Ids by path; the same image is the same path. Samples that are no files of a data set do not count."""

    labeled: dict[str, str]
    unlabeled: dict[str, str]


def ids_by_file(dataset: Any) -> dict[str, str]:
    """The ids of a data set's images, by file."""
    ids = [one for leaf in leaves(dataset) for one in _of_leaf(leaf)]
    return dict(zip(real_paths(path for path, _ in ids), (image_id for _, image_id in ids), strict=True))


def trained_on(dataset: Any) -> TrainedOn:
    """The images of a train dataloader's data set, paired or not."""
    if isinstance(dataset, PairedDataset):
        return TrainedOn(ids_by_file(dataset.labeled), ids_by_file(dataset.unlabeled))
    return TrainedOn(ids_by_file(dataset), {})


def tested_on(cfg: Config) -> dict[str, str]:
    """The ids of a config's test images by file, as far as they are there: nothing where it validates on them."""
    tested, validated = ((cfg.get(f"{part}_dataloader") or {}).get("dataset") for part in ("test", "val"))
    if tested is None or tested == validated:
        return {}
    try:
        check_training_paths(tested)
        return ids_by_file(DATASETS.build(tested))
    except Exception as error:  # data sets raise what they like, and a training does not need this one
        print_log(f"whether test images are trained on is not known: {error}", "current", logging.DEBUG)
        return {}


def same_pictures(some: Collection[str], others: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of files, one of each side, that are the same bytes under two names. Files that are not local do not count.

    Only files of one size are read, and only a piece of those that differ.
    """
    sizes = {path: osp.getsize(path) for path in sorted({*some, *others}) if osp.isfile(path)}
    shared = {sizes.get(path, 0) for path in some} & {sizes.get(path, 0) for path in others} - {0}
    alike: dict[tuple[int, bytes], list[str]] = defaultdict(list)
    for path in sorted(others):
        if sizes.get(path) in shared:
            alike[_piece(path, sizes[path])].append(path)
    pairs = (
        (path, other)
        for path in sorted(some)
        if sizes.get(path) in shared
        for other in alike.get(_piece(path, sizes[path]), ())
    )
    return [(path, other) for path, other in pairs if path != other and filecmp.cmp(path, other, shallow=False)]


def _piece(path: str, size: int, length: int = 4096) -> tuple[int, bytes]:
    """The size of a file and what stands in its middle."""
    with open(path, "rb") as file:
        file.seek(max(0, size // 2 - length // 2))
        return size, file.read(length)


def _of_leaf(leaf: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(leaf, BaseDataset):
        return
    folder = leaf.data_prefix.get("img_path") or ""
    for path in paths_of(leaf):
        suffix = getattr(leaf, "img_suffix", "")  # which some data sets inherit, and whose images end in another way
        yield path, id_of(path, folder, suffix if path.endswith(suffix) and suffix else osp.splitext(path)[1])
