"""Unlabelled images with the masks that they have, as a data set."""

from pathlib import Path

import pytest
from mmseg.registry import DATASETS

from mmseg_css.datasets.truth import TruthDataset
from tests.datasets.helpers import LOAD, labeled_config, unlabeled_config


def test_masks_mean_what_they_mean_in_the_labelled_half(root: Path) -> None:
    labeled = labeled_config(root, ann_file="labeled.txt", reduce_zero_label=True)
    unlabeled = unlabeled_config(root, exclude="labeled.txt")
    paired = DATASETS.build({"type": "PairedDataset", "labeled": labeled, "unlabeled": unlabeled, "check_masks": False})
    truth = TruthDataset(paired, str(root / "masks"), ".png", [*LOAD, {"type": "LoadAnnotations"}])
    assert len(truth) == 7
    assert truth.metainfo["reduce_zero_label"] is True and truth.metainfo["classes"] == paired.metainfo["classes"]
    assert {*truth[0]["gt_seg_map"].ravel().tolist()} == {0, 255}  # of 0 and 1


def truth_of(root: Path, exclude: str = "") -> TruthDataset:
    labeled = labeled_config(root, ann_file="labeled.txt")
    unlabeled = unlabeled_config(root, **({"exclude": exclude} if exclude else {}))
    paired = DATASETS.build({"type": "PairedDataset", "labeled": labeled, "unlabeled": unlabeled, "check_masks": False})
    return TruthDataset(paired, str(root / "masks"), ".png", [*LOAD, {"type": "LoadAnnotations"}])


def images_of(dataset: TruthDataset) -> list[str]:
    paths = [Path(dataset.get_data_info(index)["img_path"]) for index in range(len(dataset))]
    return [f"{path.parent.name}/{path.stem}" for path in paths]


def test_labelled_images_and_those_without_a_mask_are_left_out(root: Path) -> None:
    """Whether or not the unlabelled data set leaves the labelled ones out itself."""
    known, every = truth_of(root, "labeled.txt"), truth_of(root)
    images = images_of(known)
    assert len(images) == 7 and images_of(every) == images
    assert (known.labelled, known.without_mask) == (0, 0) and every.labelled > 0
    for name in images[2:]:
        (root / "masks" / f"{name}.png").unlink()
    few = truth_of(root)
    assert images_of(few) == images[:2]
    assert (few.labelled, few.without_mask) == (every.labelled, len(images) - 2)
    for name in images[:2]:
        (root / "masks" / f"{name}.png").unlink()
    with pytest.raises(ValueError, match="all unlabelled images with masks .* are labelled, too"):
        truth_of(root)
    with pytest.raises(FileNotFoundError, match=r"7 of 7 unlabelled images have no mask, the first .*correct masks="):
        truth_of(root, "labeled.txt")
