"""Random scale, padding, crop and flip of everything that moves with the pixels (steps 5 and 7)."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.reference.resample import bilinear_plane, nearest_source, reflected

Ties = Literal["down", "up"]


class ArrayView(NamedTuple):
    """The arrays of a view: "b c H W", "b m H W", "b m H W", "b H W"."""

    image: NDArray[np.float64]
    labels: NDArray[np.int64]
    confidences: NDArray[np.float64]
    valid: NDArray[np.bool_]

    def copy(self) -> "ArrayView":
        """Arrays of its own."""
        return ArrayView(self.image.copy(), self.labels.copy(), self.confidences.copy(), self.valid.copy())


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Height and width after scaling."""
    return int(round(size[0] * scale)), int(round(size[1] * scale))


def apply_scale_crop(
    view: ArrayView,
    scale: list[float],
    top: list[int],
    left: list[int],
    crop: tuple[int, int],
    ignore_index: int = 255,
    ties: tuple[Ties, Ties] = ("up", "up"),
) -> ArrayView:
    """Scale (image bilinear, the rest nearest), pad right and bottom up to the crop, crop at (top, left).

    The padding shows the reflected image and carries ``ignore_index``, confidence 0 and not valid. ``ties`` says for
    rows and columns which of two equally near pixels is the nearest.
    """
    batch, channels, height, width = view.image.shape
    maps = view.labels.shape[1]
    out = ArrayView(
        np.zeros((batch, channels, *crop), dtype=np.float64),
        np.full((batch, maps, *crop), ignore_index, dtype=np.int64),
        np.zeros((batch, maps, *crop), dtype=np.float64),
        np.zeros((batch, *crop), dtype=bool),
    )
    for b in range(batch):
        scaled = scaled_size((height, width), scale[b])
        planes = [bilinear_plane(view.image[b, c], scaled, align_corners=False) for c in range(channels)]
        for i in range(crop[0]):
            for j in range(crop[1]):
                row, column = i + top[b], j + left[b]
                for c in range(channels):
                    out.image[b, c, i, j] = planes[c][reflected(row, scaled[0]), reflected(column, scaled[1])]
                if row >= scaled[0] or column >= scaled[1]:
                    continue
                source = (
                    nearest_source(row, height, scaled[0], ties=ties[0]),
                    nearest_source(column, width, scaled[1], ties=ties[1]),
                )
                out.labels[b, :, i, j] = view.labels[b, :, *source]
                out.confidences[b, :, i, j] = view.confidences[b, :, *source]
                out.valid[b, i, j] = view.valid[b, *source]
    return out


def apply_flip(view: ArrayView, flip: list[bool]) -> ArrayView:
    """Mirror left and right where told."""
    out = view.copy()
    width = view.image.shape[-1]
    for b, flipped in enumerate(flip):
        for j in range(width):
            source = width - 1 - j if flipped else j
            out.image[b, :, :, j] = view.image[b, :, :, source]
            out.labels[b, :, :, j] = view.labels[b, :, :, source]
            out.confidences[b, :, :, j] = view.confidences[b, :, :, source]
            out.valid[b, :, j] = view.valid[b, :, source]
    return out
