"""Transforms that MMSeg does not have."""

import random

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
