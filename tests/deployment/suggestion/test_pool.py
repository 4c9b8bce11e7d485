"""Images that could be labelled: all that are not, under names that a list takes."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmseg_css.deployment.suggestion.pool import ending_of_lines, in_the_way, line_of, pool_of
from tests.deployment.prediction.conftest import noise, write

PIPELINE = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
META = {"classes": ["sky", "grass", "brick"], "palette": [[0, 0, 255], [0, 255, 0], [255, 0, 0]]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labelled images of four, and one in another folder."""
    for seed, name in enumerate(("a.jpg", "b.jpg", "site 1/c.jpg", "d.jpg")):
        write(tmp_path / "images" / name, noise(seed))
    write(tmp_path / "more" / "deep" / "e.png", noise(9))
    for name, values in (("a", [0, 0, 2, 255]), ("b", [0, 2, 2, 255])):
        write(tmp_path / "masks" / f"{name}.png", np.array(values, np.uint8).repeat(30).reshape(12, 10))
    (tmp_path / "train.txt").write_text("a\nb\n")
    return tmp_path


def labeled(folder: Path, **changes: object) -> dict:
    return {
        "type": "BaseSegDataset",
        "metainfo": META,
        "data_root": str(folder),
        "data_prefix": {"img_path": "images", "seg_map_path": "masks"},
        "ann_file": "train.txt",
        "pipeline": [PIPELINE[0], {"type": "LoadAnnotations"}, PIPELINE[1]],
        **changes,
    }


def unlabeled(folder: Path, images: str = "images", **changes: object) -> dict:
    own = {"type": "UnlabeledDataset", "data_root": str(folder), "data_prefix": {"img_path": images}}
    return {**own, "pipeline": PIPELINE, **changes}


def paired(first: dict, second: dict) -> Config:
    return Config({"train_dataloader": {"dataset": {"type": "PairedDataset", "labeled": first, "unlabeled": second}}})


def test_labelled_images_are_left_out_even_if_the_unlabelled_half_has_them(folder: Path) -> None:
    (folder / "linked").symlink_to(folder / "images")
    shutil.copytree(folder / "images", folder / "copied")
    for images in ("images", "linked", "copied"):
        pool = pool_of(paired(labeled(folder), unlabeled(folder, images)))
        assert [str(image.name) for image in pool.unlabelled] == ["d", "site 1/c"]
    assert [path.name for path in pool.labelled] == ["a.jpg", "b.jpg"]
    assert pool.classes == ("sky", "grass", "brick") and pool.pixels.tolist() == [90, 0, 90]


def test_another_image_of_the_same_name_is_suggested_and_told(folder: Path) -> None:
    write(folder / "more" / "a.jpg", noise(8))
    pool = pool_of(paired(labeled(folder), unlabeled(folder, "more")))
    assert [str(image.name) for image in pool.unlabelled] == ["a", "deep/e"]
    taken = [in_the_way(image, pool.labelled_set) for image in pool.unlabelled]
    assert taken == [str(folder / "images" / "a.jpg"), None]


def test_an_image_that_would_share_its_mask_is_told(folder: Path) -> None:
    """In a `FolderDataset`, whose lines have endings, of any kind, and whose masks are called without them."""
    (folder / "whole.txt").write_text("a.jpg\nb.jpg\n")
    write(folder / "images" / "f.1.JPG", noise(4))
    for seed, name in enumerate(("a.jpg", "b.png", "f.1.png", "f.jpg"), start=20):
        write(folder / "more" / name, noise(seed))
    pool = pool_of(paired(labeled(folder, type="FolderDataset", ann_file="whole.txt"), unlabeled(folder, "more")))
    taken = {str(image.path.name): in_the_way(image, pool.labelled_set) for image in pool.unlabelled}
    images = folder / "images"
    expected = {"a.jpg": str(images / "a.jpg"), "b.png": str(images / "b.jpg"), "f.1.png": str(images / "f.1.JPG")}
    assert taken == expected | {"f.jpg": None, "e.png": None}


@pytest.mark.parametrize("changes", [{}, {"type": "FolderDataset", "ann_file": "whole.txt"}])
def test_an_image_is_not_in_its_own_way(folder: Path, changes: dict) -> None:
    (folder / "whole.txt").write_text("a.jpg\nb.jpg\n")
    pool = pool_of(paired(labeled(folder, **changes), unlabeled(folder)))
    assert [in_the_way(image, pool.labelled_set) for image in pool.unlabelled] == [None, None]


def test_a_supervised_config_may_name_them_beside_its_training(folder: Path) -> None:
    cfg = Config({"unlabeled": unlabeled(folder), "train_dataloader": {"dataset": labeled(folder)}})
    assert [str(image.name) for image in pool_of(cfg).unlabelled] == ["d", "site 1/c"]


def test_an_unreadable_image_is_no_fault_of_the_config(folder: Path) -> None:
    (folder / "images" / "d.jpg").write_bytes(b"")
    assert len(pool_of(paired(labeled(folder), unlabeled(folder))).unlabelled) == 2


def test_lines_are_those_of_the_labelled_list(folder: Path) -> None:
    """Those of `FolderDataset` have endings."""
    whole = {"type": "FolderDataset", "ann_file": "whole.txt"}
    (folder / "whole.txt").write_text("a.jpg\nb.jpg\n")
    for changes, expected in (({}, ["d", "site 1/c"]), (whole, ["d.jpg", "site 1/c.jpg"])):
        pool = pool_of(paired(labeled(folder, **changes), unlabeled(folder)))
        assert [line_of(image, pool.labelled_set) for image in pool.unlabelled] == expected
    elsewhere = pool_of(paired(labeled(folder, **whole), unlabeled(folder, "more")))
    assert [line_of(image, elsewhere.labelled_set) for image in elsewhere.unlabelled] == ["deep/e.png"]


def test_an_image_of_another_kind_has_the_line_of_its_converted_self(folder: Path) -> None:
    """What a training makes of ``deep/e.png`` is ``deep/e.png.jpg``."""
    pool = pool_of(paired(labeled(folder), unlabeled(folder, "more")))
    [image] = pool.unlabelled
    assert (image.path.name, line_of(image, pool.labelled_set)) == ("e.png", "deep/e")
    assert ending_of_lines(pool.labelled_set) == ".jpg"


def test_the_grown_list_moves_an_image_from_one_half_to_the_other(folder: Path) -> None:
    cfg = paired(labeled(folder), unlabeled(folder, exclude="train.txt"))
    pool = pool_of(cfg)
    first = pool.unlabelled[0]
    write(folder / "masks" / "d.png", np.ones((12, 10), np.uint8))
    with (folder / "train.txt").open("a") as file:
        file.write(f"{line_of(first, pool.labelled_set)}\n")
    grown = pool_of(cfg)
    assert first.path in grown.labelled and first not in grown.unlabelled
    assert grown.pixels.tolist() == [90, 120, 90]


def test_a_name_that_no_list_can_hold(folder: Path) -> None:
    """As old archives have them, with umlauts in Latin-1."""
    shutil.copy(folder / "images" / "d.jpg", os.fsdecode(os.fsencode(folder / "images") + b"/stra\xdfe.jpg"))
    with pytest.raises(ValueError, match=r"the name '.*stra\\udcdfe.jpg' cannot stand on a line of a list"):
        pool_of(paired(labeled(folder), unlabeled(folder)))


def test_refusals(folder: Path) -> None:
    with pytest.raises(ValueError, match="names no training images, as one that was exported"):
        pool_of(Config({"model": {}}))
    with pytest.raises(ValueError, match="names no unlabelled images.*set unlabeled = dict"):
        pool_of(Config({"train_dataloader": {"dataset": labeled(folder)}}))
    (folder / "rest.txt").write_text("a\nb\n")
    with pytest.raises(ValueError, match="all of the 2 images of its unlabelled data set are labelled"):
        pool_of(paired(labeled(folder), unlabeled(folder, ann_file="rest.txt")))
    several = {"type": "ConcatDataset", "datasets": [unlabeled(folder), unlabeled(folder, "more/deep")]}
    write(folder / "more" / "deep" / "d.jpg", noise(3))
    with pytest.raises(ValueError, match="would both be written to d: rename one"):
        pool_of(paired(labeled(folder), several))
