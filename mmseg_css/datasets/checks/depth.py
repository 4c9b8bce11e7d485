"""Images of 16 bits, of which OpenCV keeps the upper 8 and Pillow what is below 256, whatever the values are."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine import fileio
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.checks.pipelines import transforms_in
from mmseg_css.datasets.checks.warning import warn

#: Images that are decoded, spread evenly over the data set.
MOST_DECODED: Final = 8
#: Of 256 levels of grey, so few cannot be meant: 12 bits in a file of 16 leave 16.
TOO_FEW: Final = 16
#: Fewer than this may be: pictures of little contrast.
FEW: Final = 64
#: ``color_type`` of a loader that keeps the depth: colour, of any depth.
KEEPS_DEPTH: Final = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


class Deep(NamedTuple):
    """An image of 16 bits: the 0.1 and the 99.9 per cent point of its values, and whether it has one channel."""

    low: int
    high: int
    grey: bool


def check_depth(leaf: BaseDataset, remedy: str) -> None:
    """Check that reading as 8 bits leaves something of the pictures; warn where it leaves little.

    Args:
        leaf: A data set.
        remedy: How to do without this check.

    Raises:
        ValueError: It leaves at most `TOO_FEW` of the 256 levels.
    """
    loaders = [step for step in transforms_in(getattr(leaf, "pipeline", None)) if isinstance(step, LoadImageFromFile)]
    if not loaders or not reads_8_bits(loaders[0]):
        return
    paths = [leaf.get_data_info(index)["img_path"] for index in range(0, len(leaf), -(-len(leaf) // MOST_DECODED))]
    deep = {path: found for path in paths if (found := _deep(path, getattr(leaf, "backend_args", None)))}
    low, high = min((one.low for one in deep.values()), default=0), max((one.high for one in deep.values()), default=0)
    cuts = loaders[0].imdecode_backend == "pillow" and any(one.grey for one in deep.values())
    # Of 256 levels between the two those that stay apart, and are not all white.
    levels = int((np.linspace(low, high, 256) < 256).sum()) if cuts else (high >> 8) - (low >> 8) + 1
    if deep and levels < FEW:
        how = "cutting off what lies above 255" if cuts else "dropping the lower 8"
        told = (
            f"images of {type(leaf).__name__} have 16 bits, {next(iter(deep))!r} for one, with values from {low} to "
            f"{high}. They would be read as 8 bits, by {how}, which leaves {levels} of 256 levels of "
            f"grey. Begin every pipeline, in training and evaluation, with dict(type='LoadImageFromFile', "
            f"color_type={KEEPS_DEPTH}), dict(type='StretchTo8Bit', low={low}, high={high + 1})"
        )
        if levels <= TOO_FEW:
            raise ValueError(f"{told} ({remedy})")
        warn(f"{told}, unless that is meant")


def drops_bits(loader: LoadImageFromFile) -> bool:
    """Whether it is known to read 16 bits as their upper 8, whatever the channels."""
    return loader.imdecode_backend == "cv2" and reads_8_bits(loader)


def reads_8_bits(loader: LoadImageFromFile) -> bool:
    """Whether it is known to read 16 bits as 8."""
    if type(loader).transform is not LoadImageFromFile.transform or loader.imdecode_backend not in ("cv2", "pillow"):
        return False  # not known to
    if isinstance(loader.color_type, str):
        return loader.color_type != "unchanged"
    return loader.color_type >= 0 and not loader.color_type & cv2.IMREAD_ANYDEPTH


def _deep(path: str, backend_args: dict | None) -> Deep | None:
    """What there is to say of an image of 16 bits; None of others."""
    content = np.frombuffer(fileio.get(path, backend_args=backend_args), np.uint8)
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    low, high = np.percentile(pixels[..., :3] if pixels.ndim == 3 else pixels, (0.1, 99.9))
    return Deep(int(low), int(high), pixels.ndim == 2)
