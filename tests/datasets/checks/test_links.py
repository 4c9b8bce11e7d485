"""Folders of links, as DVC, git-annex, hub caches and folds make them: the owner's business, and lists are not."""

from pathlib import Path

import pytest
from mmseg.registry import DATASETS

from mmseg_css.engine.images import ids_by_file
from mmseg_css.preparation.own_data.survey import survey
from tests.datasets.helpers import labeled_config, unlabeled_config, write_list, write_pairs


@pytest.fixture
def linked(root: Path) -> Path:
    """``root`` with its files in a store elsewhere and links in their place; one folder is a link itself."""
    store = root.parent / "store"
    for path in sorted(root.rglob("*.png")):
        target = store / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        path.symlink_to(target)
    folder = root / "images" / "town 1"
    folder.rename(root.parent / "town 1")
    folder.symlink_to(root.parent / "town 1")
    return root


def build(root: Path, **labeled: object):
    parts = {"labeled": labeled_config(root, **labeled), "unlabeled": unlabeled_config(root, exclude="labeled.txt")}
    return DATASETS.build({"type": "PairedDataset", **parts})


def test_links_are_trained_on(linked: Path) -> None:
    dataset = build(linked, ann_file="labeled.txt")
    assert (dataset.num_labeled, dataset.num_unlabeled) == (3, 7)
    assert dataset[0].sample["inputs"].shape[0] == 3  # its size is drawn


def test_init_dataset_takes_what_training_takes(linked: Path) -> None:
    assert len(survey(linked / "images", linked / "masks").labeled) == 10


@pytest.mark.parametrize("line", ["../secret", "town 0/../../../secret", "/etc/passwd", "C:/secret", "..\\secret"])
def test_a_list_leads_nowhere_else(linked: Path, line: str) -> None:
    listed = write_list(linked / "from elsewhere.txt", ["town 0/frame 00", line])
    with pytest.raises(ValueError, match=r"from elsewhere\.txt', line 2: "):
        build(linked, ann_file=listed)


@pytest.mark.parametrize("part", ["images", "masks"])
def test_links_to_what_was_not_fetched(linked: Path, part: str) -> None:
    """Listing a folder passes over them, so that the data would quietly be fewer."""
    (linked.parent / "store" / part / "town 0" / "frame 08.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"frame 08\.png'.*(dvc pull, git annex get)"):
        build(linked)
    with pytest.raises(FileNotFoundError, match=r"1 images or masks in .* are links .*frame 08\.png' -> '.*store"):
        survey(linked / "images", linked / "masks")


def test_an_unlabelled_link_that_leads_nowhere(linked: Path) -> None:
    (linked / "images" / "town 0" / "gone.png").symlink_to(linked / "nowhere.png")
    with pytest.raises(FileNotFoundError, match=r"gone\.png' -> '.*nowhere\.png'; fetch them"):
        build(linked, ann_file="labeled.txt")


def test_one_image_behind_two_links_is_one(tmp_path: Path) -> None:
    """Folds of links into one pool: an image in both folds is a leak."""
    write_pairs(tmp_path / "pool", ["a", "b"])
    folds = []
    for fold in ("train", "val"):
        (tmp_path / fold).mkdir()
        (tmp_path / fold / "frame.png").symlink_to(tmp_path / "pool/images/a.png")
        config = labeled_config(tmp_path, data_prefix={"img_path": fold, "seg_map_path": "pool/masks"})
        folds.append(ids_by_file(DATASETS.build(config)))
    assert folds[0].keys() == folds[1].keys()
