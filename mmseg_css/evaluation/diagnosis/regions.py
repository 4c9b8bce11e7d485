"""Where a pixel lies: near a boundary of the truth or not, and in how large a part of it."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Int

#: Away from a boundary and near it, as `boundary_band` tells.
BANDS: Final = ("interior", "boundary")
#: Connected parts by size, as `size_terciles` counts.
SIZES: Final = ("small", "middle", "large")


def boundary_band(truth: Int[np.ndarray, "H W"], num_classes: int, radius: int = 3) -> Bool[np.ndarray, "H W"]:
    """Pixels at most ``radius`` pixels (between centres) from one of another class.

    What is no class is no neighbour. By comparing the image with itself, shifted by each way that is that short.

    >>> boundary_band(np.array([[0, 0, 0, 1, 1, 1]]), 2, radius=1).astype(int)
    array([[0, 0, 1, 1, 0, 0]])
    """
    known = (truth >= 0) & (truth < num_classes)
    labels, band = truth.astype(np.int16), np.zeros(truth.shape, bool)
    height, width = truth.shape
    for down in range(min(radius, height - 1) + 1):
        for right in range(-min(radius, width - 1), min(radius, width - 1) + 1):
            if (down, right) <= (0, 0) or down**2 + right**2 > radius**2:
                continue
            here = (slice(height - down), slice(max(-right, 0), width - max(right, 0)))
            there = (slice(down, height), slice(max(right, 0), width - max(-right, 0)))
            apart = (labels[here] != labels[there]) & known[here] & known[there]
            band[here] |= apart
            band[there] |= apart
    return band


class Components(NamedTuple):
    """Connected parts (8 neighbours) of the classes of one truth, m of them."""

    of: Int[np.ndarray, "H W"]  #: the part of each pixel; -1 where the truth is no class
    classes: Int[np.ndarray, " m"]
    areas: Int[np.ndarray, " m"]  #: in pixels


def components(truth: Int[np.ndarray, "H W"], num_classes: int) -> Components:
    """The connected parts of each class.

    >>> found = components(np.array([[0, 1, 0]]), 2)
    >>> found.of.tolist(), found.classes.tolist(), found.areas.tolist()
    ([[0, 2, 1]], [0, 0, 1], [1, 1, 1])
    """
    of = np.full(truth.shape, -1, np.int32)
    classes: list[int] = []
    for index in range(num_classes):
        own = truth == index
        if not own.any():
            continue
        number, parts = cv2.connectedComponents(own.view(np.uint8))
        parts += len(classes) - 1
        np.copyto(of, parts, where=own)
        classes += [index] * (number - 1)
    areas = np.bincount(of.ravel() + 1, minlength=len(classes) + 1)[1:]
    return Components(of, np.array(classes, np.int64), areas)


def size_terciles(classes: Int[np.ndarray, " m"], areas: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """Of parts of all images: 0 small, 1 middle, 2 large, among the parts of the same class.

    The limits are the quantiles at 1/3 and 2/3 of the areas of a class's parts; a part on a limit is below it.

    >>> size_terciles(np.array([0, 0, 0, 1]), np.array([5, 100, 20, 7])).tolist()
    [0, 2, 1, 0]
    """
    terciles = np.zeros(len(areas), np.int64)
    for index in np.unique(classes):
        own = classes == index
        terciles[own] = np.searchsorted(np.quantile(areas[own], (1 / 3, 2 / 3)), areas[own], side="left")
    return terciles
