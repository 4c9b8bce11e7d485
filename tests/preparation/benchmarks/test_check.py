"""What the check finds in a data set that is prepared, broken, or neither."""

import dataclasses

import numpy as np
import pytest

from mmseg_css.preparation.benchmarks import checking, voc
from tests.datasets.helpers import write_list
from tests.preparation.benchmarks.conftest import (
    ALL,
    FIRST,
    LENGTHS,
    SIZE,
    VOC_VAL,
    Miniature,
    contents,
    indices,
    plain,
)


@ALL
def test_check_of_a_prepared_data_set_finds_no_fault(prepared: Miniature) -> None:
    before = contents(prepared.base)
    findings = prepared.check()
    assert [finding.level for finding in findings] == ["ok"] * (2 + len(prepared.recipe.lists))
    assert findings[0].text.startswith(f"train: {LENGTHS[prepared.name][0]} images with masks; sizes and values")
    assert contents(prepared.base) == before


@ALL
def test_check_finds_masks_that_are_missing_or_wrong(prepared: Miniature) -> None:
    mask = prepared.mask(FIRST[prepared.name])
    indices(mask, np.zeros((2, 3)))
    assert f"{mask.name}' is 3x2, its image" in prepared.said("fault")
    assert f"is {SIZE[1]}x{SIZE[0]} (width x height)" in prepared.said("fault")
    indices(mask, plain(200))
    assert f"{mask.name}' holds [200], neither one of the" in prepared.said("fault")
    mask.unlink()
    count = LENGTHS[prepared.name][0]
    assert f"train: 1 of {count} masks are missing, the first is '{mask}'; " in prepared.said("fault")
    assert prepared.recipe.remedy in prepared.said("fault")


@ALL
def test_check_finds_missing_images(prepared: Miniature) -> None:
    part, count = prepared.recipe.parts[0], LENGTHS[prepared.name][0]
    [image] = (prepared.root / part.images).glob(f"{FIRST[prepared.name]}*")
    image.unlink()
    said = prepared.said("fault")
    if prepared.name == "voc":
        assert f"train: 1 of {count} images are missing, the first is '{image}'" in said
    else:
        assert f"train: {count - 1} images, but {count} are published" in said
        assert f"1 masks have no image, the first is '{prepared.mask(FIRST[prepared.name])}'" in said


@ALL
def test_check_of_what_is_not_prepared(miniature: Miniature) -> None:
    if miniature.recipe.plan is None:
        (miniature.root / "annotations").rename(miniature.root / "elsewhere")
    said = miniature.said("fault")
    assert "train: " in said
    assert "there is no folder" in said or "masks are missing" in said
    assert miniature.recipe.remedy in said


@pytest.mark.parametrize("name", ["voc"])
def test_check_of_the_training_list(prepared: Miniature) -> None:
    trainaug = prepared.root / voc.LISTS / "trainaug.txt"
    write_list(trainaug, [*trainaug.read_text().split()[:3], *VOC_VAL])
    indices(prepared.mask(VOC_VAL[0]), plain(1))
    assert "1 images, the first '2007_000003', are in train and in val" in prepared.said("fault")
    trainaug.unlink()
    assert "there is no list of images" in prepared.said("fault")


@pytest.mark.parametrize("name", ["voc", "coco", "camvid"])
def test_check_of_labelled_lists(prepared: Miniature) -> None:
    first, *others = (prepared.splits / entry.file for entry in prepared.recipe.lists)
    image_id, origin = FIRST[prepared.name], prepared.recipe.lists[0].origin
    write_list(first, [f"images/{image_id}.jpg masks/{image_id}.png"])
    said = prepared.said("fault")
    assert f"{first}: 1 lines name no training image, for instance 'images/{image_id}.jpg masks" in said
    assert f"it is {origin}, one id per line, such as '{image_id}'" in said
    write_list(first, [image_id, image_id])
    said = prepared.said("fault")
    assert f"{first}: 2 lines instead of 1; it is {origin}" in said
    assert f"{first}: 1 lines occur more than once" in said
    first.unlink()
    assert f"{first}: only configs that name it need it; it is {origin}" in prepared.said("missing")
    assert not prepared.said("fault")
    for path in others:
        path.unlink()
    assert "lists of labelled images is in" in prepared.said("fault")


@pytest.mark.parametrize("name", ["ade20k"])
def test_check_reads_a_sample_unless_told(prepared: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SAMPLE", 1)
    indices(prepared.mask("ADE_train_00000002"), plain(151))
    findings = prepared.check()
    assert findings[0].text.endswith("in order in 1 masks spread evenly (--all reads every one)")
    fault, *_ = prepared.check(read_all=True)
    assert (fault.level, "ADE_train_00000002.png' holds [151]" in fault.text) == ("fault", True)


@pytest.mark.parametrize("name", ["camvid"])
def test_a_class_that_nobody_registered_in_words(prepared: Miniature) -> None:
    train, *others = prepared.recipe.parts
    recipe = dataclasses.replace(prepared.recipe, parts=[train._replace(kind="CanVidDataset"), *others])
    fault, *_ = prepared._replace(recipe=recipe).check()
    assert (fault.level, fault.text.partition(":")[0]) == ("fault", "train")
    assert "no data set class 'CanVidDataset' is registered: correct kind in the recipe, or export" in fault.text
