"""Shapes of LabelMe and COCO, from what their formats say of them, and the maps that suggest writes as such."""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from mmseg_css.deployment.suggestion import polygons
from mmseg_css.deployment.suggestion.polygons import coco_of, labelme_of, regions_of
from mmseg_css.preparation.demo import draw_scene
from mmseg_css.preparation.own_data.shapes import images_in, painted

NAME = PurePosixPath("site 1/a")
CLASSES = ("sky", "road", "pole", "car", "sign")
VALUES = {name: index for index, name in enumerate(CLASSES)}
NO_PYCOCOTOOLS = "decoding COCO's instances takes pycocotools"


def labelme(*shapes: tuple[str, str | None, Any], height: int = 5, width: int = 6, **changes: Any) -> dict:
    entries = [{"label": label, "shape_type": kind, "points": points} for label, kind, points in shapes]
    return {"imagePath": "a.jpg", "imageHeight": height, "imageWidth": width, "shapes": entries, **changes}


def coco(*segmentations: tuple[int, Any], **changes: Any) -> dict:
    """Of an image of 5 x 6; the ids of categories are neither in the order of the classes nor their indices."""
    return {
        "images": [{"id": 30, "file_name": "site 1/a.jpg", "height": 5, "width": 6}],
        "categories": [{"id": 7, "name": "road"}, {"id": 2, "name": "pole"}, {"id": 90, "name": "sky"}],
        "annotations": [
            {"id": 100 + number, "image_id": 30, "category_id": category, "segmentation": segmentation}
            for number, (category, segmentation) in enumerate(segmentations)
        ],
        **changes,
    }


def mask(content: Any) -> list[list[int]]:
    [image] = images_in(content, NAME)
    assert image.name == NAME
    return painted(image, VALUES, 255).tolist()


def rows(*drawn: str) -> list[list[int]]:
    return [[255 if pixel == "." else int(pixel) for pixel in row] for row in drawn]


def run_lengths(pixels: np.ndarray) -> list[int]:
    """Down the columns, beginning with zeros."""
    flat, counts, value = pixels.T.ravel().tolist(), [0], 0
    for pixel in flat:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def test_a_polygon_covers_the_pixels_that_its_outline_touches() -> None:
    square = [[1.2, 0.9], [4.9, 0.1], [4.1, 2.5], [1.0, 2.0]]
    assert mask(labelme(("road", "polygon", square))) == rows(".1111.", ".1111.", ".1111.", "......", "......")
    assert mask(labelme(("road", None, square))) == mask(labelme(("road", "polygon", square)))


@pytest.mark.parametrize("corners", [[[1, 1], [3, 4]], [[3, 4], [1, 1]], [[3, 1], [1, 4]]])
def test_a_rectangle_has_two_opposite_corners(corners: list[list[int]]) -> None:
    assert mask(labelme(("pole", "rectangle", corners))) == rows("......", ".222..", ".222..", ".222..", ".222..")


@pytest.mark.parametrize("edge", [[2, 4], [4, 2], [0, 2]])
def test_a_circle_has_a_centre_and_a_point_of_its_edge(edge: list[int]) -> None:
    expected = rows(".333..", "33333.", "33333.", "33333.", ".333..")
    assert mask(labelme(("car", "circle", [[2, 2], edge]))) == expected


def test_later_shapes_lie_over_earlier_ones_and_the_rest_is_outside() -> None:
    below, above = ("sky", "rectangle", [[0, 0], [3, 3]]), ("road", "rectangle", [[2, 2], [9, 9]])
    assert mask(labelme(below, above)) == rows("0000..", "0000..", "001111", "001111", "..1111")
    assert mask(labelme(above, below)) == rows("0000..", "0000..", "000011", "000011", "..1111")


def test_categories_are_found_by_name_and_instances_lie_as_they_stand() -> None:
    pytest.importorskip("pycocotools", reason=NO_PYCOCOTOOLS)
    left, right = [0, 0, 4, 0, 4, 2, 0, 2], [2, 1, 6, 1, 6, 5, 2, 5]
    assert mask(coco((7, [left]), (2, [right]))) == rows("1111..", "112222", "..2222", "..2222", "..2222")
    assert mask(coco((90, [right]), (7, [left]))) == rows("1111..", "111100", "..0000", "..0000", "..0000")
    assert mask(coco((2, [[0, 0, 2, 0, 2, 1, 0, 1], [4, 4, 6, 4, 6, 5, 4, 5]]))) == rows(
        "22....", "......", "......", "......", "....22"
    )


@given(pixels=arrays.arrays(bool, (5, 6)))
def test_run_lengths_go_down_the_columns(pixels: np.ndarray) -> None:
    codec = pytest.importorskip("pycocotools.mask", reason=NO_PYCOCOTOOLS)
    expected = np.where(pixels, 1, 255).tolist()
    numbers = {"size": [5, 6], "counts": run_lengths(pixels)}
    assert mask(coco((7, numbers))) == expected
    packed = codec.frPyObjects(numbers, 5, 6)["counts"].decode()
    assert mask(coco((7, {"size": [5, 6], "counts": packed}))) == expected


def test_every_image_of_coco_has_the_path_of_its_file_name() -> None:
    images = [
        {"id": number, "file_name": name, "height": 2, "width": number + 1}
        for number, name in enumerate(("b.c.png", "site 1\\ü.jpg", "./d.JPG"))
    ]
    found = images_in({"images": images, "categories": [], "annotations": []}, NAME)
    assert [str(image.name) for image in found] == ["b.c", "site 1/ü", "d"]
    assert [(image.height, image.width, image.shapes) for image in found] == [(2, 1, ()), (2, 2, ()), (2, 3, ())]


# -- what suggest writes, read again ----------------------------------------------------------------------------------


def written(labels: np.ndarray, kind: str) -> np.ndarray:
    write = {"labelme": labelme_of, "coco": coco_of}[kind]
    [image] = images_in(json.loads(json.dumps(write(regions_of(labels), CLASSES, "a.jpg", *labels.shape))), NAME)
    return painted(image, VALUES, 255)


def beside_borders(labels: np.ndarray) -> np.ndarray:
    """Pixels that have a neighbour of another class, or none."""
    kernel, framed = np.ones((3, 3), np.uint8), np.pad(labels, 1, constant_values=9)
    return (cv2.erode(framed, kernel) != cv2.dilate(framed, kernel))[1:-1, 1:-1]


def scenes(count: int) -> Sequence[np.ndarray]:
    return [draw_scene(np.random.default_rng(seed), 96)[1] for seed in range(count)]


@pytest.fixture(params=["labelme", "coco"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "coco":
        pytest.importorskip("pycocotools", reason=NO_PYCOCOTOOLS)
    return request.param


def test_masks_come_back_up_to_the_borders_that_were_simplified(kind: str) -> None:
    labels = np.stack(scenes(6))
    again = np.stack([written(one, kind) for one in labels])
    other, outside = (again != labels) & (again != 255), again == 255
    assert not (other | outside)[~np.stack([beside_borders(one) for one in labels])].any()
    assert other.mean() < 0.005 and outside.mean() < 0.02


def test_outlines_that_were_not_simplified_are_the_mask(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygons, "CHANGE", -1.0)
    speckled = [np.random.default_rng(seed).integers(0, 3, (9, 11), np.uint8) for seed in range(20)]
    for labels in [*scenes(3), *speckled]:
        assert np.array_equal(written(labels, kind), labels)


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "it is neither LabelMe's, with 'shapes', nor COCO's"),
        ({"images": []}, "it is neither"),
        (labelme(imageHeight=None), r"how large the image is \(imageHeight is None, imageWidth 6\)"),
        (labelme(imageWidth="6"), "imageWidth '6'"),
        (
            labelme(("sky", "rectangle", [[0, 0], [1, 1]]), ("car", "point", [[1, 1]])),
            r"shape 2 \('car'\) is of type 'po",
        ),
        (labelme(("car", "mask", [[0, 0], [1, 1]])), "only polygon, rectangle, circle can be painted: convert it"),
        (labelme(("car", "polygon", [[1, 1], [2, 2]])), r"shape 1 \('car'\) is a polygon.*three corners at least"),
        (labelme(("car", "rectangle", [[1, 1], [2, 1], [2, 2], [1, 2]])), "is a rectangle.*two opposite corners"),
        (labelme(("car", "circle", [[1, 1]])), "is a circle.*its centre and a point"),
        (labelme(("car", "polygon", [[1, 1, 0], [2, 2, 0], [2, 1, 0]])), "as pairs of numbers"),
        (labelme(("car", "polygon", [[1, 1], [2, "x"], [2, 1]])), "as pairs of numbers"),
        (labelme(("car", "polygon", [[1, 1], [2, float("nan")], [2, 1]])), "as pairs of numbers"),
        (labelme(("car", "polygon", None)), r"shape 1 \('car'\) has no 'points'"),
        (labelme((3, "polygon", [[1, 1]])), "the 'label' of shape 1 cannot be 3"),
        (coco((8, [[0, 0, 1, 0, 1, 1]])), "annotation 100 of 'site 1/a.jpg' is of category 8, which is not among"),
        (coco((7, [])), "annotation 100 of 'site 1/a.jpg' has no 'segmentation'; of a box alone"),
        (coco((7, None)), "has no 'segmentation'"),
        (coco((7, [[0, 0, 4, 4]])), "a polygon that is not the x and y of at least three corners"),
        (coco((7, [[0, 0, 4, 4, 1]])), "at least three corners"),
        (coco((7, {"size": [6, 5], "counts": [30]})), r"run lengths of size \[6, 5\], its image is \[5, 6\]"),
        (coco((7, {"size": [5, 6], "counts": [29]})), "do not add up"),
        (coco((7, {"size": [5, 6], "counts": ""})), "do not add up"),
        (coco(annotations=[{"id": 4, "image_id": 1}]), "annotation 4 belongs to image 1, which is not among"),
        (coco(images=[{"id": 1, "file_name": "a.jpg"}]), r"image 'a.jpg' does not say how large.*height is None"),
        (coco(images=[{"id": 1, "file_name": "../a.jpg", "height": 1, "width": 1}]), "'../a.jpg' leads out of"),
        (coco(images=[{"id": 1, "file_name": "C:\\a.jpg", "height": 1, "width": 1}]), "leads out of"),
        (coco(categories=[{"id": 7, "name": "a"}, {"id": 7, "name": "b"}]), "two of 'categories' have the id 7"),
    ],
)
def test_what_makes_no_mask_is_said(content: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        images_in(content, NAME)


def test_run_lengths_that_cannot_be_decoded() -> None:
    pytest.importorskip("pycocotools", reason=NO_PYCOCOTOOLS)
    with pytest.raises(ValueError, match="^annotation 100 of 'site 1/a.jpg' cannot be decoded"):
        mask(coco((7, {"size": [5, 6], "counts": "abc"})))
