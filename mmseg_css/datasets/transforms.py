"""Transforms that MMSeg does not have."""

import random
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from mmcv.transforms import BaseTransform, Compose

from mmseg_css.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Cached(BaseTransform):
    """Do the first transforms of an image once, and keep what they made: for data sets that fit into memory.

    Every loading process keeps its own. Images that find no room are loaded anew each time, as without it.

    Args:
        transforms: configs of transforms that do the same every time: loading, resizing to a fixed size.
        limit_mib: memory that a process may fill, in MiB.

    Raises:
        ValueError: One of the transforms is random; the first image tells.
    """

    def __init__(self, transforms: list[dict], *, limit_mib: float = 1024) -> None:
        self.transforms = Compose([TRANSFORMS.build(transform) for transform in transforms])
        self._room = limit_mib * 2**20
        self._kept: dict[tuple[str | None, str | None], dict] = {}

    def transform(self, results: dict) -> dict:
        key = results.get("img_path"), results.get("seg_map_path")
        if key in self._kept:
            return deepcopy(self._kept[key])
        before = _random_state()
        results = self.transforms(results)
        if _random_state() != before:
            raise ValueError(
                "Cached.transforms holds a random transform, whose result would be the same for ever: "
                f"move it behind Cached in the pipeline. They are {self.transforms}"
            )
        size = sum(value.nbytes for value in results.values() if isinstance(value, np.ndarray))
        if size <= self._room:
            self._room -= size
            self._kept[key] = deepcopy(results)
        return results


def _random_state() -> tuple:
    """Of the global generators that transforms draw from, in a form that can be compared."""
    numpy_state = np.random.get_state(legacy=False)["state"]
    return random.getstate(), numpy_state["key"].tobytes(), numpy_state["pos"], torch.get_rng_state().numpy().tobytes()


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
        ValueError: A ``low`` is not below its ``high``; or an image has 8 bits already, and a ``high`` has more.
    """

    def __init__(self, *, low: float | Sequence[float], high: float | Sequence[float]) -> None:
        self.low, self.high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        if not np.all(self.low < self.high):
            raise ValueError(f"StretchTo8Bit.low must be below high, got {low} and {high}")

    def transform(self, results: dict) -> dict:
        if results["img"].dtype == np.uint8 and np.any(self.high > 256):
            path = results.get("img_path")  # none of an array
            raise ValueError(
                f"the image{f' {path!r}' if path else ''} has 8 bits, and StretchTo8Bit(low={self.low.tolist()}, "
                f"high={self.high.tolist()}) is for values of 16 bits: it would be almost black. Export it with 16 "
                "bits, as those of the training, or take it out"
            )
        share = (results["img"].astype(np.float32) - self.low) / (self.high - self.low)
        results["img"] = (share.clip(0, 1) * 255).round().astype(np.uint8)
        return results
