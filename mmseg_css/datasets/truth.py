"""Masks of unlabelled images, for those who want to know how right a method is. Nothing learns from them."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import torch
from mmseg.datasets.transforms import LoadAnnotations

from mmseg_css.datasets.paired import PairedDataset


class LoadTruth(LoadAnnotations):
    """The mask of an unlabelled image, with the coding of the labelled ones; of one in ``every`` draws of an image."""

    def __init__(
        self, labeled: Any, images: str, endings: Sequence[str], masks: str, suffix: str, every: int = 1
    ) -> None:
        super().__init__()
        self.coding = {"label_map": labeled.label_map, "reduce_zero_label": labeled.reduce_zero_label}
        self.images = images
        self.endings = tuple(endings)
        self.masks = masks
        self.suffix = suffix
        self.every = every

    def path_of(self, image: str) -> str:
        """Where the mask of an image lies."""
        name = osp.relpath(image, self.images)
        ending = max(
            (end for end in self.endings if name.lower().endswith(end)), key=len, default=osp.splitext(name)[1]
        )
        return osp.join(self.masks, name[: len(name) - len(ending)]) + self.suffix

    def transform(self, results: dict) -> dict:
        # The seed of this draw (`seeded`), and no draw of its own, which would be another training.
        if torch.initial_seed() % self.every:
            return results
        known = results | self.coding | {"seg_map_path": self.path_of(results["img_path"])}
        return super().transform(known)


def truth_of_unlabeled(dataset: PairedDataset, masks: str, suffix: str, every: int = 1) -> LoadTruth:
    """A transform that loads the masks of the unlabelled half.

    Args:
        dataset: The training set.
        masks: Folder of the masks, which have the paths of their images below that of the images.
        suffix: What stands in mask names in place of the image's ending (of the data set's ``suffixes``).
        every: One in so many draws of an image gets its mask.

    Raises:
        FileNotFoundError: A mask is missing.
    """
    unlabeled = dataset.unlabeled
    endings = getattr(unlabeled, "suffixes", ())
    loading = LoadTruth(dataset.labeled, str(unlabeled.data_prefix["img_path"]), endings, masks, suffix, every)
    missing = [
        path
        for index in range(len(unlabeled))
        if not osp.isfile(path := loading.path_of(unlabeled.get_data_info(index)["img_path"]))
    ]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(unlabeled)} unlabelled images have no mask, the first {missing[0]!r}: correct "
            f"masks={masks!r} or suffix={suffix!r}"
        )
    return loading
