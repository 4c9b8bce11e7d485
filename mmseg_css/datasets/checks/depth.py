"""Images of 16 bits, of which OpenCV keeps the upper 8, whatever the values are."""

from typing import Final

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.checks.pipelines import transforms_in

#: Images that are decoded, spread evenly over the data set.
MOST_DECODED: Final = 8
#: Fewer levels of grey than this, of 256, are too few.
FEWEST_LEVELS: Final = 64
#: ``color_type`` of a loader that keeps the depth: colour, of any depth.
KEEPS_DEPTH: Final = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


def check_depth(leaf: BaseDataset) -> None:
    """Check that reading as 8 bits leaves something of the pictures: of 12 bits in a file of 16 it leaves 16 levels.

    Raises:
        ValueError: It leaves less than a quarter of the 256 levels.
    """
    loaders = [step for step in transforms_in(getattr(leaf, "pipeline", None)) if isinstance(step, LoadImageFromFile)]
    if not loaders or loaders[0].imdecode_backend != "cv2" or _keeps_depth(loaders[0].color_type):
        return
    paths = [leaf.get_data_info(index)["img_path"] for index in range(0, len(leaf), -(-len(leaf) // MOST_DECODED))]
    deep = {path: bounds for path in paths if (bounds := _bounds(path, getattr(leaf, "backend_args", None)))}
    low, high = min((one[0] for one in deep.values()), default=0), max((one[1] for one in deep.values()), default=0)
    levels = (high >> 8) - (low >> 8) + 1
    if deep and levels < FEWEST_LEVELS:
        raise ValueError(
            f"images of {type(leaf).__name__} have 16 bits, {next(iter(deep))!r} for one, with values from {low} to "
            f"{high}. They would be read as 8 bits, by dropping the lower 8, which leaves {levels} of 256 levels of "
            f"grey. Begin every pipeline, in training and evaluation, with dict(type='LoadImageFromFile', "
            f"color_type={KEEPS_DEPTH}), dict(type='StretchTo8Bit', low={low}, high={high + 1})"
        )


def _keeps_depth(color_type: str | int) -> bool:
    if isinstance(color_type, str):
        return color_type == "unchanged"
    return color_type < 0 or bool(color_type & cv2.IMREAD_ANYDEPTH)


def _bounds(path: str, backend_args: dict | None) -> tuple[int, int] | None:
    """The 0.1 and the 99.9 per cent point of an image of 16 bits; None of others."""
    content = np.frombuffer(fileio.get(path, backend_args=backend_args), np.uint8)
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    low, high = np.percentile(pixels[..., :3] if pixels.ndim == 3 else pixels, (0.1, 99.9))
    return int(low), int(high)
