"""What the supervised baseline is trained on."""

from itertools import islice
from pathlib import Path

import torch

from mmseg_css.datasets import PairedDataset, PairedSampler, SeededDataset, SeededSampler
from tests.datasets.helpers import dataloader_config, labeled_config


def test_the_baseline_sees_what_the_labelled_half_of_a_paired_batch_shows(root: Path) -> None:
    """The same images in the same order, under the same augmentation."""
    config = dataloader_config(root, "labeled.txt")["dataset"]
    paired = PairedDataset(labeled=config["labeled"], unlabeled=config["unlabeled"])
    alone = SeededDataset(dataset=labeled_config(root, ann_file="labeled.txt"))
    of_pairs = (paired[draw] for draw in PairedSampler(paired, ratio=(1, 2), seed=5))
    expected = [branch for branch in islice(of_pairs, 21) if branch.branch == "labeled"]
    drawn = list(islice(SeededSampler(alone, seed=5), 7))
    assert len(expected) == 7
    for draw, pair in zip(drawn, expected, strict=True):
        sample = alone[draw]
        assert sample["data_samples"].img_path == pair.sample["data_samples"].img_path
        assert torch.equal(sample["inputs"], pair.sample["inputs"])
    assert len({draw.seed for draw in drawn}) == 7


def test_ranks_share_the_images_of_an_epoch_and_a_start_is_a_place() -> None:
    images = range(6)
    ranks = [SeededSampler(images, seed=1, rank=rank, world_size=2) for rank in (0, 1)]
    shares = [list(islice(rank, 3)) for rank in ranks]
    assert sorted(draw.index for share in shares for draw in share) == list(images)
    assert [len(rank) for rank in ranks] == [3, 3]
    ranks[1].set_start(2)
    assert next(iter(ranks[1])) == shares[1][2]
    assert list(islice(SeededSampler(images, seed=2, rank=0, world_size=2), 3)) != shares[0]


def test_an_index_is_still_an_index(root: Path) -> None:
    alone = SeededDataset(dataset=labeled_config(root))
    assert len(alone) == 10
    assert alone.metainfo["classes"] == ("background", "thing")
    assert alone[3]["data_samples"].img_path.endswith(".png")
