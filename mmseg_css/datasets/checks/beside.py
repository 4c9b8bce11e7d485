"""Masks that lie beside images, and are no unlabelled images themselves."""

from collections.abc import Iterator
from typing import Any

from mmseg_css.datasets.checks.paths import infos_of, leaves, real_paths


def check_no_masks(labeled: Any, unlabeled: Any) -> None:
    """Check that no unlabelled image is the mask of a labelled one, as the same file or by a link.

    Args:
        labeled, unlabeled: Data sets; wrappers are looked into.

    Raises:
        ValueError: Some are.
    """
    masks = {*real_paths(_files(labeled, "seg_map_path"))}
    images = [*_files(unlabeled, "img_path")]
    found = [image for image, real in zip(images, real_paths(images), strict=True) if real in masks]
    if found:
        raise ValueError(
            f"{len(found)} unlabelled images are masks of labelled ones, and would be learnt from as pictures, the "
            f"first: {found[0]!r}; move the masks into a folder of their own, or list the unlabelled images "
            "(ann_file). `mmseg-css init IMAGES IMAGES --mask-names '*_mask.png'` writes such a config"
        )


def _files(dataset: Any, key: str) -> Iterator[str]:
    """What the data sets below one name, where they name it."""
    return (info[key] for leaf in leaves(dataset) for info in infos_of(leaf) if info.get(key))
