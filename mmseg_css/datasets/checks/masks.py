"""Masks: as large as their images, of one channel, with values that the classes explain; pipelines that load them."""

from collections.abc import Iterator
from typing import Any, Final

import mmcv
import numpy as np
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import RandomCrop
from PIL import Image
from PIL.ExifTags import Base as Tag

from mmseg_css.datasets.checks.depth import check_depth
from mmseg_css.datasets.checks.images import (
    EXIF_ORIENTATION,
    MASK_REMEDY,
    TOO_LARGE,
    find_faults,
    image_fault,
    missing_file,
    raise_faults,
)
from mmseg_css.datasets.checks.labels import TRAINING, Purpose, check_labels
from mmseg_css.datasets.checks.listing import check_listing
from mmseg_css.datasets.checks.orientation import turns
from mmseg_css.datasets.checks.paths import infos_of, leaves
from mmseg_css.datasets.checks.pipelines import transforms_in
from mmseg_css.datasets.checks.sides import check_sides
from mmseg_css.datasets.checks.warning import warn
from mmseg_css.datasets.pictures import JPEG

IGNORED: Final = 255  # what MMSeg itself writes for reduce_zero_label, for dropped classes and for padding
FAULTY: Final = -1
#: Transforms that put pixels into an image which are not of it. Masks tell these, and unlabelled images have none.
PADDING: Final = ("Pad", "RandomRotate", "RandomRotFlip", "RandomMosaic")
#: The same of Albumentations, which stand within MMSeg's Albu.
ALBU_PADDING: Final = (
    *("Affine", "CropAndPad", "ElasticTransform", "GridDistortion", "OpticalDistortion", "PadIfNeeded", "Perspective"),
    *("Rotate", "SafeRotate", "ShiftScaleRotate", "ThinPlateSpline"),
)


def check_mask_free(pipeline: Any) -> None:
    """Check that no transform of an unlabelled pipeline needs a mask, or one to tell its padding from the image.

    Raises:
        ValueError: One does.
    """
    for transform in transforms_in(pipeline):
        for name in _pads(transform):
            raise ValueError(
                f"{name} of the unlabelled pipeline pads images, and without masks nothing says where: the padding "
                "would be learnt from. Leave it out; model.data_preprocessor pads to its size, which no loss sees"
            )
        if isinstance(transform, LoadAnnotations):
            raise ValueError("the unlabelled pipeline holds LoadAnnotations, but there are no masks to load; remove it")
        if isinstance(transform, RandomCrop) and transform.cat_max_ratio < 1:
            raise ValueError(
                f"RandomCrop(cat_max_ratio={transform.cat_max_ratio}) of the unlabelled pipeline counts the classes of "
                "a crop, which takes a mask; set cat_max_ratio=1"
            )


def _pads(transform: Any) -> Iterator[str]:
    """What of a transform puts pixels into an image which are not of it."""
    name = type(transform).__name__
    if name in PADDING:
        yield name
    elif name == "CenterCrop" and transform.auto_pad:
        yield "CenterCrop(auto_pad=True)"
    elif name == "Albu":
        yield from (f"Albu's {kind}" for kind in _kinds(transform.transforms) if kind in ALBU_PADDING)


def _kinds(configs: Any) -> Iterator[str]:
    """The names of the transforms in configs of Albumentations, of those within others too."""
    for config in configs:
        kind = config["type"]
        yield kind if isinstance(kind, str) else kind.__name__
        yield from _kinds(config.get("transforms", ()))


def check_masks(
    dataset: BaseDataset | list[BaseDataset],
    *,
    purpose: Purpose = TRAINING,
    most: int | None = None,
    remedy: str = MASK_REMEDY,
) -> None:
    """Read the masks of a data set as its pipeline will, and compare each with its image and the classes.

    A value is in order if ``reduce_zero_label`` and then ``label_map`` turn it into a class index or into the data
    set's ``ignore_index``.

    Args:
        dataset: The data set, or those that are used together; wrappers are looked into.
        purpose: What its masks are for, which the messages say.
        most: Masks whose values are read, spread evenly over the data set; all if None. Of the others the file's
            beginning and end are read, which tell a missing or truncated file, the size, and masks of colours.
        remedy: How to do without this check.

    Raises:
        FileNotFoundError: An image or a mask is missing.
        ValueError: A mask is of another size than its image, has several channels or a value outside of the classes;
            or the data set has no ``classes``, no masks, or does not load them; or all masks together teach nothing.
    """
    checks = []
    for leaf in leaves(dataset):
        check = MaskCheck(leaf, step=1 if most is None else -(-len(leaf) // most))
        _tell_of_lossy(leaf)
        faults = find_faults(check, range(len(leaf)), "checking masks")
        what = f"labelled images of {type(leaf).__name__}"
        summary = f"{len(faults)} of the {len(leaf)} {what} cannot be {purpose.participle} on"
        raise_faults(faults, summary, remedy)
        check_leaf(leaf, purpose, remedy)
        checks.append(check)
    check_labels(checks, purpose, remedy)


def check_leaf(leaf: BaseDataset, purpose: Purpose, remedy: str) -> None:
    """Check what of one data set is odd beside its files.

    Raises:
        ValueError: Its images have more bits than are read.
    """
    check_listing(leaf)
    check_depth(leaf, remedy)
    if purpose is TRAINING:
        check_sides(leaf)


def _tell_of_lossy(leaf: BaseDataset) -> None:
    """Warn of masks in JPEG, also where their values are no classes any more, which is an error."""
    masks = (info.get("seg_map_path") or "" for info in infos_of(leaf))
    if lossy := [mask for mask in masks if mask.lower().endswith(JPEG)]:
        warn(
            f"{len(lossy)} of the {len(leaf)} masks of {type(leaf).__name__} are JPEG, whose compression changes "
            f"values along every edge, so that classes run into each other, the first: {lossy[0]!r}; export them as PNG"
        )


class MaskCheck:
    """The fault of the i-th image of a data set, or ``None``; the values of every ``step``-th mask are read."""

    def __init__(self, dataset: BaseDataset, step: int = 1) -> None:
        name = type(dataset).__name__
        loaders = [t for t in transforms_in(dataset.pipeline) if isinstance(t, LoadAnnotations)]
        if not loaders:
            raise ValueError(
                f"the labelled pipeline of {name} loads no masks; put dict(type='LoadAnnotations') after "
                f"LoadImageFromFile. If a transform of your own loads them: {MASK_REMEDY}"
            )
        if not dataset.metainfo.get("classes"):
            raise ValueError(
                f"{name} has no classes; give it metainfo=dict(classes=(...), palette=[...]), or its class a METAINFO"
            )
        self.dataset, self.step = dataset, step
        self.backend_args = getattr(dataset, "backend_args", None)
        self.decoder = loaders[0].imdecode_backend
        images = [t for t in transforms_in(dataset.pipeline) if isinstance(t, LoadImageFromFile)]
        self.turns = not images or turns(images[0])
        self.classes = len(dataset.metainfo["classes"])
        self.ignored = getattr(dataset, "ignore_index", IGNORED)
        self.seen: set[int] = set()
        self.values: set[int] = set()
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
            size = self._size(image)
            if index % self.step:
                return self._shape_fault(image, size, mask, self._header_shape(mask))
            labels = self._labels(mask)
        except Image.DecompressionBombError as error:
            return ValueError(f"{image!r} or its mask {mask!r} cannot be read ({error}): {TOO_LARGE}")
        except Exception as error:  # decoders raise what they like
            return ValueError(f"{image!r} or its mask {mask!r} cannot be read: {error}")
        if labels.ndim == 2 and labels.dtype.kind not in "bui":
            return ValueError(f"the mask {mask!r} is of type {labels.dtype}; save class indices")
        return self._shape_fault(image, size, mask, labels.shape) or self._range_fault(mask, labels, info)

    def _shape_fault(self, image: str, size: tuple[int, int], mask: str, shape: tuple[int, ...]) -> ValueError | None:
        if 1 in size:
            return ValueError(
                f"the image {image!r} is {size[1]}x{size[0]} (width x height), and of a mask of one pixel's width or "
                "height MMSegmentation makes a line; take it out"
            )
        if len(shape) != 2:
            return ValueError(
                f"the mask {mask!r} is of shape {shape}; it must be one channel of class indices (convert colours to "
                "indices first)"
            )
        if shape != size:
            return ValueError(
                f"the mask {mask!r} is {shape[1]}x{shape[0]}, its image {image!r} is {size[1]}x{size[0]} "
                "(width x height); export the mask again at the size of the image"
            )
        return None

    def _size(self, path: str) -> tuple[int, int]:
        """Height and width after the turn that the EXIF orientation asks for, if it is made; from the header alone."""
        with fileio.get_local_path(path, backend_args=self.backend_args) as local, Image.open(local) as image:
            if image.format == "TIFF":
                return _size_of_tiff(image)
            turned = self.turns and image.getexif().get(EXIF_ORIENTATION, 1) >= 5
            return image.size if turned else image.size[::-1]

    def _header_shape(self, path: str) -> tuple[int, ...]:
        """Height, width and, if there are several, channels of a whole file."""
        if fault := image_fault(path, self.backend_args, "mask"):
            raise fault
        with fileio.get_local_path(path, backend_args=self.backend_args) as local, Image.open(local) as picture:
            size = _size_of_tiff(picture) if picture.format == "TIFF" else picture.size[::-1]
            channels = len(picture.getbands())
            return size if channels == 1 else (*size, channels)

    def _labels(self, path: str) -> np.ndarray:
        content = fileio.get(path, backend_args=self.backend_args)
        labels = mmcv.imfrombytes(content, flag="unchanged", backend=self.decoder)
        if labels is None:
            raise ValueError("the mask is no image")
        return labels[..., 0] if labels.ndim == 3 and labels.shape[2] == 1 else labels

    def _range_fault(self, path: str, labels: np.ndarray, info: dict[str, Any]) -> ValueError | None:
        # Of 8 bits, as most masks are, counting is four times as fast; of 32 it fills the memory.
        small = labels.dtype in (np.bool_, np.uint8, np.uint16)
        values = (np.flatnonzero(np.bincount(labels.ravel())) if small else np.unique(labels)).tolist()
        found = {value: self._label(value, info) for value in values}
        if faulty := [value for value, label in found.items() if label == FAULTY]:
            return ValueError(
                f"the mask {path!r} holds {faulty}, neither one of the {self.classes} classes (0..{self.classes - 1}) "
                f"nor ignored ([{self.ignored}]) after reduce_zero_label={info.get('reduce_zero_label', False)} "
                f"and label_map={info.get('label_map')}; correct classes or the masks, or map the values to "
                f"{self.ignored}"
            )
        self.values.update(found)
        own = set(found.values()) - {IGNORED}
        self.seen |= own
        if not own:
            self.ignored_only.append(path)
        return None

    def _label(self, value: int, info: dict[str, Any]) -> int:
        """The class index that the pipeline makes of a value, or ``IGNORED``, or ``FAULTY``."""
        if not 0 <= value <= 255:  # LoadAnnotations would wrap it round
            return FAULTY
        if info.get("reduce_zero_label", False):
            value = IGNORED if value in (0, IGNORED) else value - 1
        value = (info.get("label_map") or {}).get(value, value)
        if value == self.ignored:
            return IGNORED
        return value if value in range(self.classes) else FAULTY


def _size_of_tiff(picture: Any) -> tuple[int, int]:
    """Height and width as OpenCV reads it, images and masks alike: turned. Some versions of Pillow turn it, too."""
    tags = picture.tag_v2
    height, width = tags[Tag.ImageLength], tags[Tag.ImageWidth]
    return (width, height) if tags.get(EXIF_ORIENTATION, 1) >= 5 else (height, width)
