"""What can be wrong with the data, said in words when the data set is built and not hours into a run."""

import logging
import os
import os.path as osp
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import mmcv
import numpy as np
from mmcv.transforms import LoadAnnotations
from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import RandomCrop
from PIL import Image
from tqdm import tqdm

from mmseg_css.datasets.splits import check_inside, missing_list_remedy
from mmseg_css.registry import DATASETS

PATH_REMEDY: Final = "check data_root, data_prefix and ann_file, which are relative to the folder you start from"
MASK_REMEDY: Final = "PairedDataset(check_masks=False) skips this check"
IGNORED: Final = 255  # what MMSeg itself writes for reduce_zero_label, for dropped classes and for padding
FAULTY: Final = -1
EXIF_ORIENTATION: Final = 0x0112


# -- folders and lists ------------------------------------------------------------------------------------------------


def check_config(config: Mapping[str, Any]) -> None:
    """Check the paths in a data set's config before it is built (PascalVOCDataset, say, fails with an empty message).

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty.
    """
    root = config.get("data_root") or ""
    kind = config["type"]
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    check_paths(
        data_prefix={key: osp.join(root, path) for key, path in config.get("data_prefix", {}).items()},
        lists=[osp.join(root, path) for path in [config.get("ann_file")] if path],
        backend_args=config.get("backend_args"),
        remedy=getattr(kind, "REMEDY", PATH_REMEDY),
    )


def check_training_paths(config: Any) -> None:
    """Check the paths of every MMSeg data set in the config of a training set, whatever it is wrapped in.

    Raises:
        FileNotFoundError: A folder or list is missing.
        ValueError: A list is empty.
    """
    if isinstance(config, list | tuple):
        for child in config:
            check_training_paths(child)
    elif isinstance(config, Mapping):
        kind = config.get("type")
        kind = DATASETS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, BaseSegDataset) and "data_prefix" in config:
            check_config(config)
        else:
            check_training_paths(list(config.values()))


def check_pretrained(config: Any, key: str = "model") -> None:
    """Check that the files of pretrained weights that a model's config names are there.

    Raises:
        FileNotFoundError: One is missing.
    """
    if isinstance(config, list | tuple):
        for child in config:
            check_pretrained(child, key)
    if not isinstance(config, Mapping):
        return
    path = config.get("checkpoint") if config.get("type") == "Pretrained" else None
    if path is not None and "://" not in path and not osp.isfile(path):
        ours = osp.basename(path) == "tf_efficientnet_lite0.pth"
        remedy = "run python tools/get_lite0_weights.py" if ours else f"put them there, or set {key}=None"
        raise FileNotFoundError(f"the pretrained weights {path!r} of {key} are missing: {remedy}")
    for name, child in config.items():
        check_pretrained(child, f"{key}.{name}")


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


# -- pipelines --------------------------------------------------------------------------------------------------------


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


# -- images -----------------------------------------------------------------------------------------------------------

#: How files begin and end that are whole. What follows the end is rarely more than some padding.
MARKS: Final = ((b"\xff\xd8", b"\xff\xd9"), (b"\x89PNG", b"IEND"))
TAIL: Final = 4096


def image_fault(path: str, backend_args: dict | None = None, what: str = "image") -> Exception | None:
    """What keeps an image or a mask from being read, to tell from the beginning and the end of its file.

    OpenCV would give a truncated JPEG a grey rest and say nothing.
    """
    if not fileio.isfile(path, backend_args=backend_args):
        return _missing(what, path)
    try:
        with fileio.get_local_path(path, backend_args=backend_args) as local, open(local, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                return ValueError(f"the {what} {path!r} is empty (0 bytes); copy it again, or take it out")
            start = file.read(8)
            file.seek(max(0, size - TAIL))
            end = file.read()
            if any(start.startswith(first) and last in end for first, last in MARKS):
                return None
            with Image.open(local) as image:  # another kind of file, or a truncated one
                image.load()
    except Exception as error:  # decoders raise what they like
        return ValueError(f"the {what} {path!r} cannot be read ({error}); copy or export it again, or take it out")
    return None


def _missing(what: str, path: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"the {what} {path!r} is missing; supply it, take its id off the list, or correct data_prefix, "
        "img_suffix and seg_map_suffix"
    )


def sample_fault(dataset: BaseDataset, index: int) -> Exception | None:
    """What is wrong by now with the files of one sample, after its pipeline has failed."""
    info = dataset.get_data_info(index)
    backend_args = getattr(dataset, "backend_args", None)
    files = {"image": info["img_path"], "mask": info.get("seg_map_path")}
    faults = (image_fault(path, backend_args, what) for what, path in files.items() if path)
    return next(filter(None, faults), None)


def check_images(dataset: BaseDataset, *, threads: int = 8, shown: int = 5) -> None:
    """Look at the beginning and the end of every image file of a data set; wrappers are looked into.

    Raises:
        FileNotFoundError: An image is missing.
        ValueError: An image is empty, truncated or of no known kind.
    """
    for leaf in leaves(dataset):
        backend_args = getattr(leaf, "backend_args", None)
        paths = [leaf.get_data_info(index)["img_path"] for index in range(len(leaf))]
        faults = _faults(partial(image_fault, backend_args=backend_args), paths, "checking images", threads)
        _raise(faults, f"{len(faults)} of the {len(paths)} images of {type(leaf).__name__} cannot be read", shown)


def _faults(check: Callable[[Any], Exception | None], items: Sequence, doing: str, threads: int) -> list[Exception]:
    """What ``check`` finds, in the order of the items; with progress where it takes long."""
    with ThreadPoolExecutor(threads) as pool:
        found = tqdm(pool.map(check, items), doing, len(items), delay=3, leave=False, disable=not is_main_process())
        return [fault for fault in found if fault is not None]


def _raise(faults: Sequence[Exception], summary: str, shown: int) -> None:
    if faults:
        more = f"\n  ... and {len(faults) - shown} more" if len(faults) > shown else ""
        kind = FileNotFoundError if any(isinstance(fault, FileNotFoundError) for fault in faults) else ValueError
        raise kind(f"{summary}:\n  " + "\n  ".join(map(str, faults[:shown])) + f"{more}\n({MASK_REMEDY})")


# -- masks ------------------------------------------------------------------------------------------------------------


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
        faults = _faults(check, range(len(leaf)), "checking masks", threads)
        name = type(leaf).__name__
        _raise(faults, f"{len(faults)} of the {len(leaf)} labelled images of {name} cannot be trained on", shown)
        if not check.seen:
            raise ValueError(
                f"every pixel of the {len(leaf)} masks of {name} is ignored, the first: {min(check.ignored_only)!r}; "
                f"there is nothing to learn from: correct the masks, classes, reduce_zero_label or label_map "
                f"({MASK_REMEDY})"
            )
        if check.ignored_only:
            print_log(
                f"{len(check.ignored_only)} of the {len(leaf)} masks of {name} are ignored in every pixel, so that "
                f"their images teach nothing; the first: {min(check.ignored_only)!r}",
                logger="current",
                level=logging.WARNING,
            )
        absent = [label for index, label in enumerate(leaf.metainfo["classes"]) if index not in check.seen]
        if absent:
            print_log(
                f"no mask of {name} holds the class {', '.join(absent)}, which cannot be learnt; label an image that "
                "shows it, or take it out of classes",
                logger="current",
                level=logging.WARNING,
            )


class MaskCheck:
    """The fault of the i-th image of a data set, or ``None``."""

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
            return _missing("mask", mask)
        try:
            size = self._image_size(image)
            labels = self._labels(mask)
        except Exception as error:  # decoders raise what they like
            return ValueError(f"{image!r} or its mask {mask!r} cannot be read: {error}")
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
        return labels.squeeze()

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


# -- batches ----------------------------------------------------------------------------------------------------------


def check_ratio(ratio: Sequence[int]) -> None:
    """Check that a labelled:unlabelled ratio is a pair of positive integers.

    Raises:
        ValueError: It is not.
    """
    if len(ratio) != 2 or any(not isinstance(part, int) or part < 1 for part in ratio):
        raise ValueError(f"PairedSampler.ratio must be two positive integers, labelled and unlabelled, got {ratio!r}")


def check_batch(batch_size: int | None, ratio: Sequence[int]) -> None:
    """Check that a batch divides into whole rounds of ``ratio``.

    Raises:
        ValueError: It does not, or a batch sampler has taken the batch size over.
    """
    if batch_size is None:
        raise ValueError("train_dataloader has no batch_size; give it one, and no batch_sampler beside a PairedSampler")
    if batch_size % sum(ratio):
        lower = batch_size - batch_size % sum(ratio)
        fitting = [str(size) for size in (lower, lower + sum(ratio)) if size]
        raise ValueError(
            f"train_dataloader.batch_size={batch_size} (labelled and unlabelled images together) is no multiple of "
            f"{sum(ratio)}, the sum of PairedSampler.ratio={tuple(ratio)}; set batch_size={' or '.join(fitting)}"
        )
