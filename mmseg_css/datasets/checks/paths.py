"""Folders and lists: they are there, hold something, and lists lead nowhere else."""

import os
import os.path as osp
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.protocols import missing_list_remedy
from mmseg_css.datasets.splits import check_inside

PATH_REMEDY: Final = "check data_root, data_prefix and ann_file, which are relative to the folder you start from"
#: What numpy says where a data set without images is initialised.
NO_IMAGE: Final = "at least one array"
LINK_REMEDY: Final = "fetch them (dvc pull, git annex get), or remove the links"


def check_paths(
    *,
    data_prefix: Mapping[str, str],
    lists: Sequence[str] = (),
    backend_args: dict | None = None,
    remedy: str = PATH_REMEDY,
) -> None:
    """Check that folders are there, that lists are there and have lines, and that no line leads out of the folders.

    Links in a folder are its owner's and may point anywhere; a list may come from somebody else. An empty path is no
    path.

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty, or a line of it is an absolute path or holds ``..``.
    """
    for key, folder in data_prefix.items():
        if folder and not fileio.isdir(folder, backend_args=backend_args):
            raise FileNotFoundError(f"data_prefix[{key!r}]: there is no folder {folder!r}; {remedy}")
    for path in filter(None, lists):
        if not fileio.isfile(path, backend_args=backend_args):
            remedy = missing_list_remedy(path) or remedy
            raise FileNotFoundError(f"there is no list of images {path!r}; {remedy}")
        text = _text_of(path, backend_args)
        if not text.strip():
            raise ValueError(f"the list of images {path!r} is empty; write one id per line into it, or leave it out")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                check_inside(line)
            except ValueError as error:
                raise ValueError(f"{path!r}, line {number}: {error}") from None


def _text_of(path: str, backend_args: Mapping[str, Any] | None) -> str:
    try:
        return fileio.get_text(path, backend_args=backend_args)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the list of images {path!r} is no UTF-8 text: save it as such (in PowerShell `... | Out-File -Encoding "
            "utf8 FILE` in place of `... > FILE`)"
        ) from error


def check_links(folder: str, suffixes: tuple[str, ...]) -> None:
    """Check that every link in a local folder leads to a file: those that do not are passed over when it is listed.

    Args:
        folder: The folder, with its subfolders.
        suffixes: Endings (in lower case) of the names that count.

    Raises:
        FileNotFoundError: Links lead nowhere.
    """
    paths = (osp.join(parent, name) for parent, _, names in os.walk(folder) for name in names)
    dangling = [path for path in paths if path.lower().endswith(suffixes) and osp.islink(path) and not osp.exists(path)]
    if dangling:
        raise FileNotFoundError(
            f"{len(dangling)} images or masks in {folder!r} are links to files that are not here, the first: "
            f"{min(dangling)!r} -> {os.readlink(min(dangling))!r}; {LINK_REMEDY}"
        )


def check_not_empty(dataset: BaseDataset, branch: str) -> None:
    """Check that a data set has images, in place of numpy's "need at least one array to concatenate"; it is initialised
    by that.

    Raises:
        ValueError: It has none.
    """
    for leaf in leaves(dataset):
        try:
            leaf.full_init()
            empty = not len(leaf)
        except ValueError as error:
            if NO_IMAGE not in str(error):
                raise
            empty = True
        if empty:
            raise ValueError(
                f"the {branch} data set ({type(leaf).__name__}) has no image: nothing in "
                f"{leaf.data_prefix.get('img_path')!r} ends in {getattr(leaf, 'img_suffix', 'its suffixes')!r}; set "
                "img_suffix (and seg_map_suffix) to the endings of your files, or correct data_prefix"
            )


def leaves(dataset: Any) -> Iterator[BaseDataset]:
    """The data sets that read files, below ``ConcatDataset``, ``RepeatDataset`` and other wrappers, or in a list."""
    inner = [child for child in [getattr(dataset, "dataset", None)] if child]
    children = dataset if isinstance(dataset, list) else getattr(dataset, "datasets", None) or inner
    if not children:
        yield dataset
    for child in children:
        yield from leaves(child)


def real_paths(paths: Iterable[str]) -> list[str]:
    """Where files lie, whatever links lead there. They share folders, which are resolved once: each file with all that
    is above it would take minutes on a share."""
    folder = cache(osp.realpath)
    return [
        osp.realpath(path) if osp.islink(path) else osp.join(folder(osp.dirname(path)), osp.basename(path))
        for path in paths
    ]


def infos_of(leaf: BaseDataset) -> Iterator[dict]:
    """What a data set that reads files knows of each of its images, in their order."""
    return (leaf.get_data_info(index) for index in range(len(leaf)))


def paths_of(leaf: BaseDataset) -> list[str]:
    """The images of a data set that reads files."""
    return [info["img_path"] for info in infos_of(leaf)]
