"""Polygons, painted again, are the map that they were made of; and files that other programs read."""

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image, ImageDraw

from mmseg_css.deployment.prediction.inputs import Item
from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.suggestion import polygons
from mmseg_css.deployment.suggestion.polygons import coco_of, labelme_of, regions_of
from mmseg_css.deployment.suggestion.pool import values_of
from mmseg_css.deployment.suggestion.writing import write_labels

NAMES = ("sky", "road", "pole")
PALETTE = np.array([[0, 0, 255], [9, 9, 9], [255, 0, 0]], np.uint8)


def smooth(seed: int, height: int = 37, width: int = 45) -> np.ndarray:
    """Blobs with holes, as networks predict them, and a pole that is a pixel wide."""
    noise = np.random.default_rng(seed).normal(size=(3, height, width)).astype(np.float32)
    labels = np.stack([cv2.GaussianBlur(own, (0, 0), 3) for own in noise]).argmax(0).astype(np.uint8)
    labels[3:30, 20] = 2
    return labels


def speckled(seed: int) -> np.ndarray:
    """Regions that touch at corners, and surround each other there."""
    return np.random.default_rng(seed).integers(0, 3, (9, 11), dtype=np.uint8)


def far_from_borders(labels: np.ndarray) -> np.ndarray:
    """Pixels whose neighbours are all of their class, and in the image."""
    kernel, framed = np.ones((3, 3), np.uint8), np.pad(labels, 1, constant_values=9)
    return (cv2.erode(framed, kernel) == cv2.dilate(framed, kernel))[1:-1, 1:-1]


def painted(shapes: list[dict], height: int, width: int) -> np.ndarray:
    """As LabelMe makes a map of its shapes: one after the other."""
    canvas = Image.new("L", (width, height), 255)
    for shape in shapes:
        value = NAMES.index(shape["label"])
        ImageDraw.Draw(canvas).polygon([tuple(point) for point in shape["points"]], outline=value, fill=value)
    return np.array(canvas)


def inside(rings: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """Pixels whose centre a ray from the left reaches across an odd number of edges."""
    y, x = np.mgrid[:height, :width] + 0.5
    odd = np.zeros((height, width), bool)
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, 0), strict=True):
            if y1 != y2:
                odd ^= ((y1 <= y) != (y2 <= y)) & (x > x1 + (y - y1) / (y2 - y1) * (x2 - x1))
    return odd


@pytest.mark.parametrize("make", [smooth, speckled])
def test_contours_that_are_not_simplified_are_the_map(
    make: Callable[[int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polygons, "CHANGE", -1.0)
    for seed in range(3):
        labels = make(seed)
        count = np.zeros(labels.shape, int)
        for region in regions_of(labels):
            own = inside([region.outer, *region.holes], *labels.shape)
            assert own.sum() == region.pixels and (labels[own] == region.label).all()
            cut = np.array(polygons.cut_open(region)).reshape(-1, 2)
            assert np.array_equal(inside([cut], *labels.shape), own)
            left, top, width, height = region.box
            rows, columns = np.nonzero(own)
            assert (columns.min(), rows.min()) == (left, top)
            assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (width, height)
            count += own
        assert (count == 1).all()


@given(seed=st.integers(0, 10_000))
def test_labelme_painted_again_is_the_map_up_to_a_pixel_at_borders(seed: int) -> None:
    labels = smooth(seed)
    found = json.loads(json.dumps(labelme_of(regions_of(labels), NAMES, "x.jpg", *labels.shape)))
    again, far = painted(found["shapes"], *labels.shape), far_from_borders(labels)
    assert np.array_equal(again[far], labels[far])
    assert (found["imageHeight"], found["imageWidth"]) == labels.shape


@given(seed=st.integers(0, 10_000))
def test_coco_is_the_map_up_to_a_pixel_at_borders(seed: int) -> None:
    labels = smooth(seed)
    found = json.loads(json.dumps(coco_of(regions_of(labels), NAMES, "x.jpg", *labels.shape)))
    far = far_from_borders(labels)
    again = np.full((3, *labels.shape), False)
    for annotation in found["annotations"]:
        [ring] = annotation["segmentation"]
        again[annotation["category_id"]] |= inside([np.array(ring).reshape(-1, 2)], *labels.shape)
    assert np.array_equal(again[:, far], (labels == np.arange(3)[:, None, None])[:, far])
    assert sum(annotation["area"] for annotation in found["annotations"]) == labels.size


def test_pycocotools_reads_it(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    labels = smooth(0)
    (tmp_path / "x.json").write_text(json.dumps(coco_of(regions_of(labels), NAMES, "x.jpg", *labels.shape)))
    loaded, far = coco.COCO(str(tmp_path / "x.json")), far_from_borders(labels)
    assert [category["name"] for category in loaded.loadCats(loaded.getCatIds())] == list(NAMES)
    for label in range(3):
        masks = [loaded.annToMask(one) for one in loaded.loadAnns(loaded.getAnnIds(catIds=[label]))]
        again = np.maximum.reduce(masks).astype(bool)
        assert np.array_equal(again[far], (labels == label)[far])


def test_one_class_is_one_region() -> None:
    [region] = regions_of(np.ones((4, 6), np.uint8))
    assert (region.label, region.pixels, region.box, region.holes) == (1, 24, (0, 0, 6, 4), [])
    assert region.outer.min() > 0 and (region.outer.max(0) < (6, 4)).all()


def test_files_lie_under_the_path_of_the_image(tmp_path: Path) -> None:
    labels = smooth(1)
    image = Item(tmp_path / "images" / "site 1" / "ü.JPG", PurePosixPath("site 1/ü"))
    classes, values = Classes(NAMES, PALETTE), np.arange(len(NAMES))
    write_labels(tmp_path / "out", ("masks", "coco", "labelme"), image, labels, classes, tmp_path / "out", values)
    mask = Image.open(tmp_path / "out" / "masks" / "site 1" / "ü.png")
    assert np.array_equal(np.array(mask), labels) and mask.getpalette()[:9] == PALETTE.ravel().tolist()
    coco = json.loads((tmp_path / "out" / "coco" / "site 1" / "ü.json").read_text())
    assert coco["images"] == [{"id": 1, "file_name": "site 1/ü.JPG", "height": 37, "width": 45}]
    path = tmp_path / "out" / "labelme" / "site 1" / "ü.json"
    assert (path.parent / json.loads(path.read_text())["imagePath"]).resolve() == image.path.resolve()
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"masks", "coco", "labelme"}


def test_only_the_formats_that_are_asked_for(tmp_path: Path) -> None:
    image = Item(tmp_path / "a.png", PurePosixPath("a"))
    values = np.arange(len(NAMES))
    write_labels(tmp_path / "out", ("masks",), image, smooth(2), Classes(NAMES, PALETTE), tmp_path / "out", values)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["masks"]


@pytest.mark.parametrize("reduce_zero_label", [False, True])
@pytest.mark.parametrize("label_map", [None, {0: 2, 1: 255, 2: 0, 3: 1, 4: 1}])
def test_masks_are_read_as_what_was_predicted(reduce_zero_label: bool, label_map: dict | None, tmp_path: Path) -> None:
    """By MMSegmentation, with the settings of the data set that they are to join."""
    coding = {"reduce_zero_label": reduce_zero_label, "label_map": label_map}
    labels, image = smooth(3), Item(tmp_path / "a.png", PurePosixPath("a"))
    values = values_of(SimpleNamespace(**coding), len(NAMES))
    write_labels(tmp_path, ("masks",), image, labels, Classes(NAMES, PALETTE), tmp_path, values)
    path = tmp_path / "masks" / "a.png"
    read = LoadAnnotations().transform({"seg_map_path": str(path), "seg_fields": [], **coding})["gt_seg_map"]
    assert np.array_equal(read, labels) and {*np.unique(labels)} == {0, 1, 2}
    shown = np.array(Image.open(path).convert("RGB"))
    assert np.array_equal(shown, PALETTE[labels])
