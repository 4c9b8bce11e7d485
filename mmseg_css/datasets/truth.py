"""Masks of unlabelled images, for those who want to know how right a method is. Nothing learns from them."""

import os.path as osp
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.dataset import BaseDataset
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations

from mmseg_css.datasets.checks import leaves, paths_of, real_paths
from mmseg_css.datasets.paired import PairedDataset


class Masks(NamedTuple):
    """Where the masks of a data set's images lie: at the paths of the images below their folder."""

    images: str
    endings: Sequence[str]  #: of images, in lower case; the longest that fits is replaced
    folder: str
    suffix: str

    def of(self, image: str) -> str:
        """The mask of an image."""
        name = osp.relpath(image, self.images)
        ending = max(
            (end for end in self.endings if name.lower().endswith(end)), key=len, default=osp.splitext(name)[1]
        )
        return osp.join(self.folder, name[: len(name) - len(ending)]) + self.suffix


def masks_of_unlabeled(
    dataset: PairedDataset, folder: str, suffix: str, *, every: bool = True
) -> list[tuple[BaseDataset, Masks]]:
    """The data sets below the unlabelled half, each with its masks.

    Args:
        dataset: The training set.
        folder: Of the masks, which have the paths of their images below that of the images.
        suffix: What stands in mask names in place of the image's ending (of the data set's ``suffixes``).
        every: Whether every image has to have one.

    Raises:
        FileNotFoundError: A mask is missing, or all are.
    """
    found = [
        (leaf, Masks(str(leaf.data_prefix["img_path"]), tuple(getattr(leaf, "suffixes", ())), folder, suffix))
        for leaf in leaves(dataset.unlabeled)
    ]
    paths = [masks.of(image) for leaf, masks in found for image in paths_of(leaf)]
    missing = [path for path in paths if not osp.isfile(path)]
    if len(missing) > (0 if every else len(paths) - 1):
        raise FileNotFoundError(
            f"{len(missing)} of {len(paths)} unlabelled images have no mask, the first {missing[0]!r}: correct "
            f"masks={folder!r} or suffix={suffix!r}"
        )
    return found


def coding_of(dataset: PairedDataset) -> dict[str, Any]:
    """How values of masks become classes, as of the labelled images."""
    labeled: Any = next(leaves(dataset.labeled))
    return {"label_map": labeled.label_map, "reduce_zero_label": labeled.reduce_zero_label}


class LoadTruth(LoadAnnotations):
    """The mask of an unlabelled image, of one in ``every`` draws of an image."""

    def __init__(self, coding: dict[str, Any], masks: Masks, every: int = 1) -> None:
        super().__init__()
        self.coding = coding
        self.masks = masks
        self.every = every

    def transform(self, results: dict) -> dict:
        # The seed of this draw (`seeded`), and no draw of its own, which would be another training.
        if torch.initial_seed() % self.every:
            return results
        known = results | self.coding | {"seg_map_path": self.masks.of(results["img_path"])}
        return super().transform(known)


class TruthDataset(BaseSegDataset):
    """The unlabelled images that have masks, as a data set to be evaluated on; those of repeated data sets once.

    Images that the labelled half has, too, are left out: their masks were learnt from.

    Attributes:
        labelled: How many these are.
        without_mask: How many others have no mask.

    Args:
        paired: The training set, whose labelled half says what the masks mean.
        folder, suffix: See `masks_of_unlabeled`.
        pipeline: MMSeg transforms that load the masks.

    Raises:
        FileNotFoundError: No image has a mask.
        ValueError: All that have one are labelled.
    """

    def __init__(self, paired: PairedDataset, folder: str, suffix: str, pipeline: Sequence[dict]) -> None:
        coding = coding_of(paired)
        found = {
            image: masks.of(image)
            for leaf, masks in masks_of_unlabeled(paired, folder, suffix, every=False)
            for image in paths_of(leaf)
        }
        labelled = {*real_paths(image for leaf in leaves(paired.labeled) for image in paths_of(leaf))}
        unlabelled = {
            image: mask
            for (image, mask), real in zip(found.items(), real_paths(found), strict=True)
            if real not in labelled
        }
        self.infos = [
            {"img_path": image, "seg_map_path": mask, "seg_fields": [], **coding}
            for image, mask in unlabelled.items()
            if osp.isfile(mask)
        ]
        self.labelled, self.without_mask = len(found) - len(unlabelled), len(unlabelled) - len(self.infos)
        if not self.infos:
            raise ValueError(f"all unlabelled images with masks in {folder!r} are labelled, too: nothing is left")
        ignored = next(leaves(paired.labeled)).ignore_index
        super().__init__(
            metainfo=paired.metainfo,
            pipeline=list(pipeline),
            ignore_index=ignored,
            reduce_zero_label=coding["reduce_zero_label"],
        )

    def load_data_list(self) -> list[dict]:
        return self.infos
