"""Transforms that MMSeg does not have."""

import random
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_css.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScale(BaseTransform):
    """Resize image and mask by a random factor of their own size.

    MMSeg's `RandomResize` takes a fixed size as its base, so that images of different sizes come out alike.

    Args:
        scale: range of the factor, drawn uniformly.
    """

    def __init__(self, scale: tuple[float, float]) -> None:
        lowest, highest = scale
        if not 0 < lowest <= highest:
            raise ValueError(f"RandomScale.scale must be a range (low, high) with 0 < low <= high, got {scale}")
        self.scale = scale

    def transform(self, results: dict) -> dict:
        resize = TRANSFORMS.build(dict(type="Resize", scale_factor=random.uniform(*self.scale), keep_ratio=True))
        return resize(results)


@TRANSFORMS.register_module()
class StretchTo8Bit(BaseTransform):
    """Map the values from ``low`` to ``high`` to 0..255, and cut off what lies beyond: for images of 16 bits.

    OpenCV reads them as 8 bits by dropping the lower ones, which leaves a picture of 12 bits almost black. What comes
    after, from MMSeg's photometric distortion to our strong augmentation, takes 0..255.

    Args:
        low, high: one number, or one for each channel.

    Raises:
        ValueError: A ``low`` is not below its ``high``.
    """

    def __init__(self, *, low: float | Sequence[float], high: float | Sequence[float]) -> None:
        self.low, self.high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        if not np.all(self.low < self.high):
            raise ValueError(f"StretchTo8Bit.low must be below high, got {low} and {high}")

    def transform(self, results: dict) -> dict:
        share = (results["img"].astype(np.float32) - self.low) / (self.high - self.low)
        results["img"] = (share.clip(0, 1) * 255).round().astype(np.uint8)
        return results
