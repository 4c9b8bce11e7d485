"""Folders and lists: they are there, hold something, and lead nowhere else."""

import os
import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.protocols import missing_list_remedy
from mmseg_css.datasets.splits import check_inside

PATH_REMEDY: Final = "check data_root, data_prefix and ann_file, which are relative to the folder you start from"


def check_paths(
    *,
    data_prefix: Mapping[str, str],
    lists: Sequence[str] = (),
    backend_args: dict | None = None,
    remedy: str = PATH_REMEDY,
) -> None:
    """Check that folders are there, that lists are there and have lines, and that no line leads out of the folders.

    A folder may be a link itself; what its lines name may not lead elsewhere by one.

    An empty path is no path.

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty, or a line of it is an absolute path, holds ``..`` or follows a link to the outside.
    """
    folders = [Folder(folder) for folder in data_prefix.values() if folder and osp.isdir(folder)]
    for key, folder in data_prefix.items():
        if folder and not fileio.isdir(folder, backend_args=backend_args):
            raise FileNotFoundError(f"data_prefix[{key!r}]: there is no folder {folder!r}; {remedy}")
    for path in filter(None, lists):
        if not fileio.isfile(path, backend_args=backend_args):
            remedy = missing_list_remedy(path) or remedy
            raise FileNotFoundError(f"there is no list of images {path!r}; {remedy}")
        text = fileio.get_text(path, backend_args=backend_args)
        if not text.strip():
            raise ValueError(f"the list of images {path!r} is empty; write one id per line into it, or leave it out")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                check_inside(line)
                for below in folders:
                    below.check(line)
            except ValueError as error:
                raise ValueError(f"{path!r}, line {number}: {error}") from None


class Folder:
    """A local folder of images or masks, and the links in it that lead out of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.real = osp.realpath(path)
        self._links: dict[str, list[str]] = {}

    def check(self, line: str) -> None:
        """Check that the line of a list (a path below the folder, its suffix may be left out) follows no such link.

        Raises:
            ValueError: It does.
        """
        parent, name = osp.split(line.strip())
        # A listed name goes on with a suffix: "frame" with ".png", "frame_leftImg8bit.png".
        for link in self._links_in(parent):
            if link == name or (link.startswith(name) and not link[len(name)].isalnum()):
                path = osp.join(self.path, parent, link)
                raise ValueError(
                    f"{line!r} leads out of the folder {self.path!r}: {path!r} is a link to {osp.realpath(path)!r}; "
                    "copy the files into the folder, or name the one where they are in data_prefix"
                )

    def _links_in(self, parent: str) -> list[str]:
        if parent not in self._links:
            folder = osp.join(self.path, parent)
            if parent:
                self.check(parent)
            entries = os.scandir(folder) if osp.isdir(folder) else ()
            self._links[parent] = [entry.name for entry in entries if entry.is_symlink() and self._outside(entry.path)]
        return self._links[parent]

    def _outside(self, path: str) -> bool:
        return osp.commonpath([self.real, osp.realpath(path)]) != self.real


def check_not_empty(dataset: BaseDataset, branch: str) -> None:
    """Check that a data set has images, in place of numpy's "need at least one array to concatenate".

    Raises:
        ValueError: It has none.
    """
    for leaf in leaves(dataset):
        if not leaf.load_data_list():
            raise ValueError(
                f"the {branch} data set ({type(leaf).__name__}) has no image: nothing in "
                f"{leaf.data_prefix.get('img_path')!r} ends in {getattr(leaf, 'img_suffix', 'its suffixes')!r}; set "
                "img_suffix (and seg_map_suffix) to the endings of your files, or correct data_prefix"
            )


def leaves(dataset: Any) -> Iterator[BaseDataset]:
    """The data sets that read files, below ``ConcatDataset``, ``RepeatDataset`` and other wrappers."""
    children = getattr(dataset, "datasets", None) or [child for child in [getattr(dataset, "dataset", None)] if child]
    if not children:
        yield dataset
    for child in children:
        yield from leaves(child)
