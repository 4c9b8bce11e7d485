"""Small pictures of an image and of what is said of its pixels."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8
from torch import Tensor

from mmseg_css.evaluation.diagnosis.colours import CELL_COLOURS

#: In RGB.
Picture = UInt8[np.ndarray, "h w 3"]
#: Of a picture, in pixels.
LONGEST: Final = 240
CELL_PALETTE: Final = np.array([[*bytes.fromhex(colour[1:])] for colour in CELL_COLOURS.values()], np.uint8)


def picture_of(image: Shaped[Tensor, "c H W"]) -> Picture:
    """An image as OpenCV reads it, blue first; of other channels than three the first ones, or the first."""
    shown = image[:3].flip(0) if len(image) >= 3 else image[:1].expand(3, -1, -1)
    return shrunk(shown.permute(1, 2, 0).cpu().numpy().astype(np.uint8), cv2.INTER_AREA)


def coloured(labels: Int[np.ndarray, "H W"], palette: UInt8[np.ndarray, "k 3"]) -> Picture:
    """Labels in their colours; those that have none are grey.

    >>> coloured(np.array([[1, -1]]), np.array([[0, 0, 0], [255, 0, 0]], np.uint8)).tolist()
    [[[255, 0, 0], [128, 128, 128]]]
    """
    labels = shrunk(labels.astype(np.int16), cv2.INTER_NEAREST)
    inside = (labels >= 0) & (labels < len(palette))
    return np.where(inside[..., None], palette[np.where(inside, labels, 0)], 128).astype(np.uint8)


def grey(values: Float[np.ndarray, "H W"]) -> Picture:
    """Values in [0, 1], from black to white."""
    return np.repeat(shrunk((255 * values).astype(np.uint8), cv2.INTER_AREA)[..., None], 3, axis=2)


def shrunk(picture: Shaped[np.ndarray, "H W ..."], how: int) -> Shaped[np.ndarray, "h w ..."]:
    """At most `LONGEST` pixels high and wide."""
    factor = LONGEST / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return cv2.resize(picture, size, interpolation=how)
