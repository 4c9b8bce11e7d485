"""Unlabelled images with the masks that they have, as a data set."""

from pathlib import Path

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
