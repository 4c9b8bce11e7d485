"""Data sets that are about to be used: validation, test, and training without `PairedDataset`, which looks itself."""

from typing import Any, Final

from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.checks.images import check_images, missing_file
from mmseg_css.datasets.checks.labels import Purpose
from mmseg_css.datasets.checks.masks import check_masks
from mmseg_css.datasets.checks.paths import leaves, paths_of
from mmseg_css.datasets.checks.pipelines import transforms_in

#: Masks whose every pixel is read before the start. The labels of all are looked at when they are read.
MOST_READ: Final = 500
SET_REMEDY: Final = "default_hooks.data_check.files=False skips this check"


def check_set(dataset: Any, purpose: Purpose, *, with_masks: bool = True) -> None:
    """Look at the files of every data set below ``dataset``; what reads its files in a way of its own is passed over.

    Args:
        dataset: A data set of MMSeg's, or a wrapper of some.
        purpose: What the masks are for.
        with_masks: Whether masks are used at all.

    Raises:
        FileNotFoundError: An image or a mask is missing.
        ValueError: A file is truncated, a mask does not fit its image or the classes.
    """
    masked = []
    for leaf in leaves(dataset):
        if not isinstance(leaf, BaseDataset) or "img_path" not in leaf.get_data_info(0):
            continue
        loaders = [step for step in transforms_in(leaf.pipeline) if isinstance(step, LoadImageFromFile)]
        if not any(loader.imdecode_backend in ("cv2", "pillow", "turbojpeg") for loader in loaders):
            _check_there(leaf)
        elif with_masks and any(isinstance(step, LoadAnnotations) for step in transforms_in(leaf.pipeline)):
            masked.append(leaf)
        else:
            check_images(leaf, remedy=SET_REMEDY)
    if masked:
        check_masks(masked, purpose=purpose, most=MOST_READ, remedy=SET_REMEDY)


def _check_there(leaf: BaseDataset) -> None:
    """Of a format that Pillow may not know: only that the files exist."""
    for path in paths_of(leaf):
        if not fileio.isfile(path, backend_args=getattr(leaf, "backend_args", None)):
            raise missing_file("image", path)
