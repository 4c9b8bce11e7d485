"""From a map of labels to polygons, and to what programs for labelling read."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Shaped, UInt

#: Maps are enlarged so much before their contours are followed. A contour then runs a quarter of a pixel inside the
#: border, not through the centres of pixels, and what is a pixel wide keeps a width.
ENLARGED: Final = 2
#: How far a polygon may leave the contour, in pixels.
TOLERANCE: Final = 0.75
#: Share of its area by which that may change a contour; what is thin would vanish.
CHANGE: Final = 0.1


class Region(NamedTuple):
    """Pixels of one class that hang together by their sides.

    Attributes:
        label: The class.
        pixels: How many.
        surrounded: The area within its contour, holes included, before that was simplified.
        box: Left, top, width and height.
        outer: Its contour, x and y in pixels from the upper left corner of the image.
        holes: Contours of what it surrounds.
    """

    label: int
    pixels: int
    surrounded: float
    box: tuple[int, int, int, int]
    outer: Float[np.ndarray, "p 2"]
    holes: list[Float[np.ndarray, "_ 2"]]


def regions_of(labels: UInt[np.ndarray, "h w"]) -> list[Region]:
    """The regions of a map, the one that surrounds most first.

    So each comes after all in which it lies, and whoever paints the outer contours in this order gets the map.
    """
    found = [region for label in np.unique(labels).tolist() for region in _of_class(labels == label, label)]
    return sorted(found, key=lambda region: -region.surrounded)


def _of_class(mask: Shaped[np.ndarray, "h w"], label: int) -> Iterator[Region]:
    # By sides: two regions that touch at a corner could cross there, and neither would surround the other.
    number, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for part in range(1, number):
        left, top, width, height, pixels = statistics[part].tolist()
        own = (parts[top : top + height, left : left + width] == part).astype(np.uint8)
        enlarged = own.repeat(ENLARGED, 0).repeat(ENLARGED, 1)
        contours, hierarchy = cv2.findContours(enlarged, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        # The one without a parent first; all others are its holes.
        order = sorted(range(len(contours)), key=lambda index: hierarchy[0][index][3])
        outer, *holes = ((_simplified(contours[index])[:, 0] + 0.5) / ENLARGED + (left, top) for index in order)
        surrounded = cv2.contourArea(contours[order[0]])
        yield Region(label, pixels, surrounded, (left, top, width, height), outer, holes)


def _simplified(contour: Shaped[np.ndarray, "p 1 2"]) -> Shaped[np.ndarray, "_ 1 2"]:
    simpler = cv2.approxPolyDP(contour, TOLERANCE * ENLARGED, closed=True)
    area = cv2.contourArea(contour)
    if len(simpler) < 3 or abs(cv2.contourArea(simpler) - area) > CHANGE * area:
        return contour
    return simpler


def cut_open(region: Region) -> list[float]:
    """A region with its holes as one ring, x and y in turn, which goes to each hole and back on one line.

    COCO's polygons cannot say otherwise that something is a hole.
    """
    ring = region.outer
    for hole in region.holes:
        at = int(((ring - hole[0]) ** 2).sum(1).argmin())
        ring = np.concatenate([ring[: at + 1], hole, hole[:1], ring[at:]])
    return ring.ravel().tolist()


def coco_of(regions: Sequence[Region], names: Sequence[str], file_name: str, height: int, width: int) -> dict[str, Any]:
    """The regions of one image as COCO's instances; ids of categories are indices of classes."""
    return {
        "images": [{"id": 1, "file_name": file_name, "height": height, "width": width}],
        "categories": [{"id": index, "name": name} for index, name in enumerate(names)],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": region.label,
                "segmentation": [cut_open(region)],
                "area": region.pixels,
                "bbox": list(region.box),
                "iscrowd": 0,
            }
            for number, region in enumerate(regions, start=1)
        ],
    }


def labelme_of(
    regions: Sequence[Region], names: Sequence[str], image_path: str, height: int, width: int
) -> dict[str, Any]:
    """The regions of one image as LabelMe's shapes, without holes: it paints them in turn, each over those before.

    Args:
        regions: From `regions_of`, whose order matters.
        names: Of the classes.
        image_path: From the folder of the file to the image.
        height: Of the image.
        width: Of the image.
    """
    return {
        "version": "5.0.1",
        "flags": {},
        "shapes": [
            {
                "label": names[region.label],
                "points": region.outer.tolist(),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for region in regions
        ],
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
