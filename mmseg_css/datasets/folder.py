"""Images and masks in two folders, whatever kinds of files they are."""

import os.path as osp
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
        ValueError: The list is empty.
    """

    def __init__(self, *, ann_file: str, seg_map_suffix: str = ".png", **kwargs: Any) -> None:
        super().__init__(ann_file=ann_file, img_suffix="", seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> list[dict]:
        check_paths(data_prefix=self.data_prefix, lists=[self.ann_file], backend_args=self.backend_args)
        text = fileio.get_text(self.ann_file, backend_args=self.backend_args)
        return [
            {
                "img_path": osp.join(self.data_prefix["img_path"], name),
                "seg_map_path": osp.join(self.data_prefix["seg_map_path"], osp.splitext(name)[0] + self.seg_map_suffix),
                "label_map": self.label_map,
                "reduce_zero_label": self.reduce_zero_label,
                "seg_fields": [],
            }
            for name in filter(None, map(str.strip, text.lstrip("\ufeff").splitlines()))
        ]
