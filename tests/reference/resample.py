"""Where a pixel of a resized or padded map comes from, one axis at a time."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def corner_source(i: int, size_in: int, size_out: int) -> float:
    """Source coordinate of output pixel i when the corner pixels' *centres* are aligned (align_corners=True)."""
    if size_out == 1:
        return 0.0
    return i * (size_in - 1) / (size_out - 1)


def half_pixel_source(i: int, size_in: int, size_out: int) -> float:
    """Source coordinate of output pixel i when the corners of the *images* are aligned (align_corners=False)."""
    return min(max((i + 0.5) * size_in / size_out - 0.5, 0.0), size_in - 1.0)


def nearest_source(i: int, size_in: int, size_out: int, *, ties: Literal["down", "up"] = "up") -> int:
    """Source pixel in which the centre of output pixel i lies, in exact integer arithmetic.

    A centre on the border of two source pixels is as near to both; ``ties`` says which one to take.
    """
    source, rest = divmod((2 * i + 1) * size_in, 2 * size_out)
    return source - 1 if rest == 0 and ties == "down" else source


def reflected(i: int, size: int) -> int:
    """Index i >= 0 folded back into [0, size), the edge pixel not repeated: 0 1 2 | 1 0 1 2 1 ... for size 3."""
    if size == 1:
        return 0
    position = i % (2 * (size - 1))
    return position if position < size else 2 * (size - 1) - position


def blend(plane: Array, y: float, x: float) -> float:
    """Bilinear value of a plane at a real position inside it."""
    height, width = plane.shape
    top, left = math.floor(y), math.floor(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    return float(
        (1 - dy) * (1 - dx) * plane[top, left]
        + (1 - dy) * dx * plane[top, right]
        + dy * (1 - dx) * plane[bottom, left]
        + dy * dx * plane[bottom, right]
    )


def bilinear_plane(plane: Array, size: tuple[int, int], *, align_corners: bool) -> Array:
    """Bilinear resize of one plane."""
    source = corner_source if align_corners else half_pixel_source
    height, width = plane.shape
    out = np.zeros(size, dtype=np.float64)
    for i in range(size[0]):
        for j in range(size[1]):
            out[i, j] = blend(plane, source(i, height, size[0]), source(j, width, size[1]))
    return out


def bilinear(maps: Array, size: tuple[int, int], *, align_corners: bool) -> Array:
    """Bilinear resize of every plane of a "b c h w" array."""
    maps = np.asarray(maps, dtype=np.float64)
    batch, channels = maps.shape[:2]
    out = np.zeros((batch, channels, *size), dtype=np.float64)
    for b in range(batch):
        for c in range(channels):
            out[b, c] = bilinear_plane(maps[b, c], size, align_corners=align_corners)
    return out
