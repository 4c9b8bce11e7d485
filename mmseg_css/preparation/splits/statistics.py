"""What masks say about a list of images: the classes that each image shows, and their shares of the pixels."""

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Int
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from tqdm import tqdm

from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import IGNORED, check_config
from mmseg_css.datasets.folder import FolderDataset
from mmseg_css.datasets.splits import id_of, read_ids, stem
from mmseg_css.registry import DATASETS

VALUES: Final = 256
THREADS: Final = 8


class ClassShares(NamedTuple):
    """For each class of a list of images: pixels, and images that show it. Ignored pixels count for nothing."""

    pixels: Int[np.ndarray, " 256"]
    images: Int[np.ndarray, " 256"]


# -- the images to choose from ----------------------------------------------------------------------------------------


def pool(config: Path | None, images: str | None, folder: Mapping[str, str | None]) -> BaseSegDataset:
    """The images to choose from: of a config, or of a folder.

    Args:
        config: A config.
        images: Or a folder of images.
        folder: The other arguments of :func:`pool_of_folders`, ``None`` where they are not given.

    Raises:
        ValueError: What is given for one of the two belongs to the other, or there are no masks.
    """
    given = {key: value for key, value in folder.items() if value is not None}
    if config is not None:
        if given:
            option = next(iter(given)).replace("_", "-").replace("listed", "pool")
            raise ValueError(f"--{option} goes with --images; --config brings its own")
        return pool_of_config(config)
    if images is None or "masks" not in given:
        raise ValueError("--images needs --masks, the folder with the masks of these images")
    return pool_of_folders(images, **given)


def pool_of_config(path: Path) -> BaseSegDataset:
    """The training set of a config, all of which has masks.

    Where the config has an unlabelled half from the same folder of images, that is both halves: the labelled list is
    what is to be made. Not of a `FolderDataset`, beside whose images others lie that have no masks.

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: The labelled data set is a wrapper around others.
    """
    train = read_config(path).train_dataloader.dataset
    labeled = dict(train.get("labeled", train))
    unlabeled = train.get("unlabeled")
    if "data_prefix" not in labeled:
        raise ValueError(
            f"the labelled data set of {str(path)!r} is a {labeled.get('type')}, not one that reads a folder; give the "
            "folders with --images and --masks"
        )
    of_folder = labeled["type"] in ("FolderDataset", FolderDataset)
    if unlabeled is not None and not of_folder and _image_folder(unlabeled) == _image_folder(labeled):
        listed = unlabeled.get("ann_file")
        labeled["ann_file"] = osp.abspath(osp.join(unlabeled.get("data_root") or "", listed)) if listed else ""
    check_config(labeled)
    return DATASETS.build({**labeled, "pipeline": [], "lazy_init": True})


def _image_folder(dataset: dict) -> str:
    return osp.abspath(osp.join(dataset.get("data_root") or "", dataset["data_prefix"]["img_path"]))


def pool_of_folders(
    images: str, masks: str, *, image_suffix: str = ".jpg", mask_suffix: str = ".png", listed: str = ""
) -> BaseSegDataset:
    """All images of a folder, or those on a list; masks have the same names.

    Raises:
        FileNotFoundError: A folder or the list is missing.
        ValueError: The list is empty, or a line of it leads out of the folder.
    """
    config = {
        "type": BaseSegDataset,
        "data_prefix": {"img_path": images, "seg_map_path": masks},
        "ann_file": listed,
        "img_suffix": image_suffix,
        "seg_map_suffix": mask_suffix,
    }
    check_config(config)
    return DATASETS.build({**config, "lazy_init": True})


def pixels_of_classes(pool: BaseSegDataset) -> dict[str, Int[np.ndarray, " 256"]]:
    """The pixels of each class in each image, by id, counted as training would read the masks.

    Raises:
        FileNotFoundError: A mask is missing.
        ValueError: There is no image, or a mask cannot be read or is in colour.
    """
    infos = pool.load_data_list()
    folder = pool.data_prefix["img_path"]
    if not infos:
        raise ValueError(f"no image in {folder!r} ends in {pool.img_suffix!r}; give its ending with --image-suffix")
    ids = [id_of(info["img_path"], folder, pool.img_suffix) for info in infos]
    counts = histograms(infos, pool.ignore_index)
    return dict(zip(ids, counts, strict=True))


def classes_shown(pixels: Mapping[str, Int[np.ndarray, " 256"]]) -> dict[str, list[int]]:
    """The classes that each image shows."""
    return {image_id: np.flatnonzero(counts).tolist() for image_id, counts in pixels.items()}


# -- a list -----------------------------------------------------------------------------------------------------------


def class_shares(ids: Sequence[str], masks: str, mask_suffix: str = ".png") -> ClassShares:
    """Pixels and images of each class in the masks of the listed images.

    Raises:
        FileNotFoundError: A mask is missing.
        ValueError: A mask cannot be read or is in colour.
    """
    infos = [{"seg_map_path": osp.join(masks, image_id + mask_suffix)} for image_id in ids]
    pixels, images = np.zeros((2, VALUES), np.int64)
    for counts in histograms(infos, IGNORED):
        pixels += counts
        images += counts > 0
    return ClassShares(pixels, images)


def overlap(path: Path, other: Path) -> tuple[int, int]:
    """How many images ``other`` lists, and how many of them ``path`` lists, too."""
    listed = set(map(stem, read_ids(other)))
    return len(listed), len(listed.intersection(map(stem, read_ids(path))))


# -- masks ------------------------------------------------------------------------------------------------------------


def histograms(infos: Sequence[dict], ignore_index: int) -> Iterator[Int[np.ndarray, " 256"]]:
    """Pixels per class of each mask, in order."""
    with ThreadPoolExecutor(THREADS) as pool:
        for counts in tqdm(pool.map(_histogram, infos), desc="reading masks", total=len(infos), leave=False):
            counts[IGNORED] = 0
            if 0 <= ignore_index < VALUES:
                counts[ignore_index] = 0
            yield counts


def _histogram(info: dict) -> Int[np.ndarray, " 256"]:
    path = info.get("seg_map_path")
    if path is None:
        raise ValueError("the data set has no masks; set data_prefix=dict(img_path=..., seg_map_path=...)")
    if not osp.isfile(path):
        raise FileNotFoundError(
            f"the mask {path!r} is missing; supply it, correct folder and suffix, or leave the image out (--pool)"
        )
    info = {"label_map": None, "reduce_zero_label": False, **info, "seg_fields": []}
    try:
        labels = LoadAnnotations().transform(info)["gt_seg_map"]
    except Exception as error:  # decoders raise what they like
        raise ValueError(f"the mask {path!r} cannot be read: {error}") from error
    if labels.ndim != 2:
        raise ValueError(f"the mask {path!r} is of shape {labels.shape}; it must be one channel of class indices")
    return np.bincount(labels.ravel(), minlength=VALUES)
