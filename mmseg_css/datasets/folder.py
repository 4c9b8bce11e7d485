"""Images and masks in two folders, whatever kinds of files they are."""

import os.path as osp
from collections.abc import Iterable
from typing import Any

from mmengine import fileio
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import check_paths
from mmseg_css.registry import DATASETS


@DATASETS.register_module()
class FolderDataset(BaseSegDataset):
    """The images that a list names, with their masks.

    MMSeg's own data set takes one ending for all images; here a line of the list is an image's whole path below
    ``img_path`` (``site 1/IMG_0001.JPG``), so that a folder may mix them. The mask has the same path below
    ``seg_map_path``, with ``seg_map_suffix`` in place of the ending.

    Args:
        ann_file: The list.
        seg_map_suffix: Ending of all masks: ``'.png'``, ``'_mask.png'``.
        kwargs: The remaining arguments of ``BaseSegDataset``; ``metainfo=dict(classes=..., palette=...)`` among them.

    Raises:
        FileNotFoundError: A folder or the list is missing.
        ValueError: The list is empty, or two of its images would have one mask.
    """

    def __init__(self, *, ann_file: str, seg_map_suffix: str = ".png", **kwargs: Any) -> None:
        super().__init__(ann_file=ann_file, img_suffix="", seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> list[dict]:
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file], backend_args=self.backend_args)
        text = fileio.get_text(self.ann_file, backend_args=self.backend_args)
        names = list(filter(None, map(str.strip, text.lstrip("\ufeff").splitlines())))
        masks = self._masks_of(names)
        return [
            {
                "img_path": osp.join(self.data_prefix["img_path"], name),
                **({"seg_map_path": masks[name]} if masks else {}),
                "label_map": self.label_map,
                "reduce_zero_label": self.reduce_zero_label,
                "seg_fields": [],
            }
            for name in names
        ]

    def _masks_of(self, names: Iterable[str]) -> dict[str, str]:
        """The mask of each image, by the image's name; nothing where the data set names no folder of masks."""
        folder = self.data_prefix.get("seg_map_path")
        if folder is None:
            return {}
        masks = {name: osp.join(folder, osp.splitext(name)[0] + self.seg_map_suffix) for name in names}
        owners: dict[str, str] = {}
        for name, mask in masks.items():
            if (other := owners.setdefault(mask, name)) != name:
                raise ValueError(
                    f"{self.ann_file!r} lists {other!r} and {name!r}, which would have one mask, {mask!r}: rename one, "
                    "on the list, too, and give it a mask of its own"
                )
        return masks
