"""Masks: as large as their images, of one channel, with values that the classes explain; pipelines that load them."""

import logging
from collections.abc import Iterator
from typing import Any, Final

import mmcv
import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.datasets.transforms import RandomCrop
from PIL import Image

from mmseg_css.datasets.checks.images import (
    EXIF_ORIENTATION,
    MASK_REMEDY,
    TOO_LARGE,
    find_faults,
    image_fault,
    missing_file,
    raise_faults,
)
from mmseg_css.datasets.checks.paths import leaves

IGNORED: Final = 255  # what MMSeg itself writes for reduce_zero_label, for dropped classes and for padding
FAULTY: Final = -1


def check_mask_free(pipeline: Any) -> None:
    """Check that no transform of an unlabelled pipeline needs a mask.

    Raises:
        ValueError: One does.
    """
    for transform in _transforms(pipeline):
        if isinstance(transform, LoadAnnotations):
            raise ValueError("the unlabelled pipeline holds LoadAnnotations, but there are no masks to load; remove it")
        if isinstance(transform, RandomCrop) and transform.cat_max_ratio < 1:
            raise ValueError(
                f"RandomCrop(cat_max_ratio={transform.cat_max_ratio}) of the unlabelled pipeline counts the classes of "
                "a crop, which takes a mask; set cat_max_ratio=1"
            )


def _transforms(node: Any) -> Iterator[Any]:
    """A transform and, for wrappers like ``Compose`` and ``RandomChoice``, those within it."""
    yield node
    children = getattr(node, "transforms", ())
    for child in children if isinstance(children, list | tuple) else [children]:
        yield from _transforms(child)


def check_masks(dataset: BaseDataset, *, threads: int = 8, shown: int = 5) -> None:
    """Read every mask of a labelled data set as training will, and compare it with its image and the classes.

    A value is in order if ``reduce_zero_label`` and then ``label_map`` turn it into a class index, into 255 or into the
    data set's ``ignore_index``.

    Args:
        dataset: The labelled data set; wrappers are looked into.
        threads: Masks read at a time.
        shown: Faulty files named in the error.

    Raises:
        FileNotFoundError: An image or a mask is missing.
        ValueError: A mask is of another size than its image, has several channels or a value outside of the classes;
            or the data set has no ``classes``, no masks, or does not load them.
    """
    for leaf in leaves(dataset):
        check = MaskCheck(leaf)
        faults = find_faults(check, range(len(leaf)), "checking masks", threads)
        name = type(leaf).__name__
        raise_faults(faults, f"{len(faults)} of the {len(leaf)} labelled images of {name} cannot be trained on", shown)
        check.check_coverage()


class MaskCheck:
    """The fault of the i-th image of a data set, or ``None``; remembers which classes the masks hold."""

    def __init__(self, dataset: BaseDataset) -> None:
        name = type(dataset).__name__
        loaders = [t for t in _transforms(dataset.pipeline) if isinstance(t, LoadAnnotations)]
        if not loaders:
            raise ValueError(
                f"the labelled pipeline of {name} loads no masks; put dict(type='LoadAnnotations') after "
                f"LoadImageFromFile. If a transform of your own loads them: {MASK_REMEDY}"
            )
        if not dataset.metainfo.get("classes"):
            raise ValueError(
                f"{name} has no classes; give it metainfo=dict(classes=(...), palette=[...]), or its class a METAINFO"
            )
        self.dataset = dataset
        self.backend_args = getattr(dataset, "backend_args", None)
        self.decoder = loaders[0].imdecode_backend
        self.classes = len(dataset.metainfo["classes"])
        self.ignored = {IGNORED, getattr(dataset, "ignore_index", IGNORED)}
        self.seen: set[int] = set()
        self.ignored_only: list[str] = []

    def __call__(self, index: int) -> Exception | None:
        info = self.dataset.get_data_info(index)
        image, mask = info["img_path"], info.get("seg_map_path")
        if mask is None:
            return ValueError(f"{image!r} has no mask; set data_prefix=dict(img_path=..., seg_map_path=...)")
        if fault := image_fault(image, self.backend_args):
            return fault
        if not fileio.isfile(mask, backend_args=self.backend_args):
            return missing_file("mask", mask)
        try:
            size = self._image_size(image)
            labels = self._labels(mask)
        except Image.DecompressionBombError as error:
            return ValueError(f"{image!r} or its mask {mask!r} cannot be read ({error}): {TOO_LARGE}")
        except Exception as error:  # decoders raise what they like
            return ValueError(f"{image!r} or its mask {mask!r} cannot be read: {error}")
        if 1 in size:
            return ValueError(
                f"the image {image!r} is {size[1]}x{size[0]} (width x height), and of a mask of one pixel's width or "
                "height MMSegmentation makes a line; take it out"
            )
        if labels.ndim != 2 or labels.dtype.kind not in "bui":
            return ValueError(
                f"the mask {mask!r} is of shape {labels.shape} and type {labels.dtype}; it must be one channel of "
                "class indices (convert colours to indices first)"
            )
        if labels.shape != size:
            return ValueError(
                f"the mask {mask!r} is {labels.shape[1]}x{labels.shape[0]}, its image {image!r} is {size[1]}x{size[0]} "
                "(width x height); export the mask again at the size of the image"
            )
        return self._range_fault(mask, labels, info)

    def check_coverage(self) -> None:
        """After the last image: warn of masks that are ignored in every pixel, and of classes that no mask holds.

        Raises:
            ValueError: All masks are ignored in every pixel.
        """
        name, count = type(self.dataset).__name__, len(self.dataset)
        if not self.seen:
            raise ValueError(
                f"every pixel of the {count} masks of {name} is ignored, the first: {min(self.ignored_only)!r}; "
                f"there is nothing to learn from: correct the masks, classes, reduce_zero_label or label_map "
                f"({MASK_REMEDY})"
            )
        if self.ignored_only:
            print_log(
                f"{len(self.ignored_only)} of the {count} masks of {name} are ignored in every pixel, so that "
                f"their images teach nothing; the first: {min(self.ignored_only)!r}",
                logger="current",
                level=logging.WARNING,
            )
        absent = [label for index, label in enumerate(self.dataset.metainfo["classes"]) if index not in self.seen]
        if absent:
            print_log(
                f"no mask of {name} holds the class {', '.join(absent)}, which cannot be learnt; label an image that "
                "shows it, or take it out of classes",
                logger="current",
                level=logging.WARNING,
            )

    def _image_size(self, path: str) -> tuple[int, int]:
        """Height and width after the rotation that the EXIF orientation asks for, from the header alone."""
        with fileio.get_local_path(path, backend_args=self.backend_args) as local, Image.open(local) as image:
            # Pillow gives the size of a TIFF as after the turn.
            turned = image.format != "TIFF" and image.getexif().get(EXIF_ORIENTATION, 1) >= 5
            return image.size if turned else image.size[::-1]

    def _labels(self, path: str) -> np.ndarray:
        content = fileio.get(path, backend_args=self.backend_args)
        labels = mmcv.imfrombytes(content, flag="unchanged", backend=self.decoder)
        if labels is None:
            raise ValueError("the mask is no image")
        return labels[..., 0] if labels.ndim == 3 and labels.shape[2] == 1 else labels

    def _range_fault(self, path: str, labels: np.ndarray, info: dict[str, Any]) -> ValueError | None:
        values = np.flatnonzero(np.bincount(labels.ravel())).tolist()
        found = {value: self._label(value, info) for value in values}
        if faulty := [value for value, label in found.items() if label == FAULTY]:
            return ValueError(
                f"the mask {path!r} holds {faulty}, neither one of the {self.classes} classes (0..{self.classes - 1}) "
                f"nor ignored ({sorted(self.ignored)}) after reduce_zero_label={info.get('reduce_zero_label', False)} "
                f"and label_map={info.get('label_map')}; correct classes or the masks, or map the values to 255"
            )
        own = set(found.values()) - {IGNORED}
        self.seen |= own
        if not own:
            self.ignored_only.append(path)
        return None

    def _label(self, value: int, info: dict[str, Any]) -> int:
        """The class index that training makes of a value, or ``IGNORED``, or ``FAULTY``."""
        if value > 255:  # LoadAnnotations would wrap it round
            return FAULTY
        if info.get("reduce_zero_label", False):
            value = IGNORED if value in (0, IGNORED) else value - 1
        value = (info.get("label_map") or {}).get(value, value)
        if value in range(self.classes):
            return value
        return IGNORED if value in self.ignored else FAULTY
