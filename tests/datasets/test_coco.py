"""COCO's 81 classes."""

from mmseg.datasets import PascalVOCDataset

from mmseg_css.datasets import COCOObjectDataset
from mmseg_css.datasets.coco import spread_palette


def test_classes_are_background_and_eighty_different_things() -> None:
    classes = COCOObjectDataset.METAINFO["classes"]
    assert len(classes) == len(set(classes)) == len(COCOObjectDataset.METAINFO["palette"]) == 81
    # The first, the last, and some between them, in the order of COCO's category ids.
    chosen = {0: "background", 1: "person", 3: "car", 17: "dog", 61: "dining table", 63: "tv", 80: "toothbrush"}
    assert {index: classes[index] for index in chosen} == chosen
    assert all(name == name.strip() and name for name in classes)


def test_colours_differ_and_follow_the_rule_of_voc() -> None:
    palette = spread_palette(81)
    assert palette[:21] == PascalVOCDataset.METAINFO["palette"]
    assert len({tuple(colour) for colour in palette}) == 81
