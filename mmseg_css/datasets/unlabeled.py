"""Images without masks."""

import os.path as osp
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import PurePath
from typing import Any

from mmengine import fileio
from mmengine.utils import is_abs
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import check_links, check_mask_free, check_paths, check_single
from mmseg_css.datasets.pictures import pictures
from mmseg_css.datasets.splits import IMAGE_SUFFIXES
from mmseg_css.registry import DATASETS


@DATASETS.register_module()
class UnlabeledDataset(BaseSegDataset):
    """A folder of images (with its subfolders), or a list of them, minus those that are labelled. Masks are never read.

    An image's *id* is its path below ``data_prefix['img_path']`` without suffix, with ``/`` between folders. Images
    come in the order of their ids (by code point, whatever the locale).

    Args:
        data_root: Folder that relative paths in the three next arguments start from.
        data_prefix: ``dict(img_path=...)``, the folder of the images.
        ann_file: A text file with one id (or file name) per line; all images of the folder where it is empty.
        exclude: Text files in the same format: the images to leave out, usually the labelled list. Every line must
            name an image of the folder, since a list that matches nothing would leave labelled images in.
        suffixes: Endings of the file names, in any case. Longer ones than an extension shorten the ids: with
            ``('_leftImg8bit.png',)`` they are those of Cityscapes.
        pipeline: MMSeg transforms that need no mask, for instance ``LoadImageFromFile, RandomResize, RandomCrop,
            RandomFlip, PackSegInputs``.
        metainfo: As in every MMSeg data set.
        kwargs: The remaining arguments of ``BaseSegDataset``.

    Raises:
        FileNotFoundError: The folder or a list is missing, or a list names an image that is not there.
        ValueError: Two images share an id, or the pipeline needs a mask.
        TypeError: A list of folders is given.
    """

    def __init__(
        self,
        *,
        data_prefix: dict[str, str],
        data_root: str | None = None,
        ann_file: str = "",
        exclude: str | Sequence[str] = (),
        suffixes: Sequence[str] = IMAGE_SUFFIXES,
        pipeline: Sequence[dict | Callable] = (),
        metainfo: dict | None = None,
        **kwargs: Any,
    ) -> None:
        check_single(data_prefix, ann_file)
        self.exclude = [exclude] if isinstance(exclude, str | PathLike) else list(exclude)
        self.suffixes = tuple(suffix.lower() for suffix in suffixes)
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            pipeline=list(pipeline),
            metainfo=metainfo,
            **kwargs,
        )
        check_mask_free(self.pipeline)

    def _join_prefix(self) -> None:
        super()._join_prefix()
        self.exclude = [path if is_abs(str(path)) else osp.join(self.data_root, path) for path in self.exclude]

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix["img_path"]
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file, *self.exclude], backend_args=self.backend_args)
        images = self._scan(folder)
        chosen = self._read_list(self.ann_file, images) if self.ann_file else set(images)
        excluded = set().union(*(self._read_list(path, images) for path in self.exclude))
        if not chosen - excluded:
            raise ValueError(
                f"no unlabelled image is left: {folder!r} holds {len(images)} with a suffix of {self.suffixes}, "
                f"{len(chosen)} of them chosen (ann_file={self.ann_file!r}), {len(excluded)} excluded {self.exclude}; "
                "correct data_prefix, suffixes or the lists"
            )
        return [
            {
                "img_path": osp.join(folder, images[image_id]),
                "label_map": self.label_map,
                "reduce_zero_label": self.reduce_zero_label,
                "seg_fields": [],
            }
            for image_id in sorted(chosen - excluded)
        ]

    def _scan(self, folder: str) -> dict[str, str]:
        """File names below ``folder``, by id."""
        images: dict[str, str] = {}
        check_links(folder, self.suffixes)
        names = fileio.list_dir_or_file(folder, list_dir=False, recursive=True, backend_args=self.backend_args)
        for name in pictures(names, self.suffixes):
            image_id = self._image_id(name)
            if image_id in images:
                raise ValueError(
                    f"{images[image_id]!r} and {name!r} in {folder!r} have the same id {image_id!r}; "
                    "choose one kind of file with suffixes=('.jpg',), say"
                )
            images[image_id] = name
        return images

    def _read_list(self, path: str, images: dict[str, str]) -> set[str]:
        """The ids that the list at ``path`` names, each found in ``images``."""
        text = fileio.get_text(path, backend_args=self.backend_args)
        ids = {line: self._resolve(line, images) for line in _lines(text)}
        absent = [line for line, image_id in ids.items() if image_id is None]
        if absent:
            example = next(iter(images), "nothing with these suffixes")
            raise FileNotFoundError(
                f"{path!r} lists {len(absent)} of {len(ids)} images that are not in {self.data_prefix['img_path']!r} "
                f"with a suffix of {self.suffixes}, the first: {absent[0]!r}. A line is a path below that folder, its "
                f"suffix may be left out; the folder holds, for instance, {example!r}"
            )
        return {image_id for image_id in ids.values() if image_id is not None}

    def _resolve(self, line: str, images: dict[str, str]) -> str | None:
        name = PurePath(line).as_posix()
        shortened = self._image_id(name)
        # The name of a file means that file, also where its mask lies beside it ("0001.jpg", "0001.jpg.png").
        if shortened in images and PurePath(images[shortened]).as_posix() == name:
            return shortened
        # A name as it stands comes next, because ids may hold dots ("frame.png.001").
        return next((image_id for image_id in (name, shortened) if image_id in images), None)

    def _image_id(self, name: str) -> str:
        suffix = max((s for s in self.suffixes if name.lower().endswith(s)), key=len, default="")
        return PurePath(name[: len(name) - len(suffix)]).as_posix()


def _lines(text: str) -> Iterable[str]:
    return filter(None, map(str.strip, text.lstrip("\ufeff").splitlines()))
