"""The data preprocessor: MMSeg's own, over the branches of a batch."""

from copy import deepcopy

import pytest
import torch
from mmseg.models import SegDataPreProcessor
from torch import Tensor

from mmseg_css.models import SemiDataPreprocessor
from tests.models.helpers import random_labels, samples_of, samples_without_masks

SETTINGS = {"mean": [10.0, 20.0, 30.0], "std": [1.0, 2.0, 4.0], "bgr_to_rgb": True, "size_divisor": 8}


def images(seed: int, *sizes: tuple[int, int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator) for size in sizes]


def paired_batch() -> dict:
    return {
        "labeled": {"inputs": images(0, (6, 9), (6, 9)), "data_samples": samples_of(random_labels(1, 2, (6, 9)))},
        "unlabeled": {"inputs": images(2, (16, 3), (8, 8), (5, 7)), "data_samples": samples_without_masks(3)},
    }


@pytest.mark.parametrize("sizes", [{"size_divisor": 8}, {"size": (16, 24), "size_divisor": None}])
def test_every_branch_is_treated_as_mmseg_treats_a_batch(sizes: dict) -> None:
    settings = {**SETTINGS, **sizes}
    batch = paired_batch()
    out = SemiDataPreprocessor(**settings)(deepcopy(batch), training=True)
    assert set(out) == {"inputs", "data_samples"}
    for branch in ("labeled", "unlabeled"):
        expected = SegDataPreProcessor(**settings)(deepcopy(batch[branch]), training=True)
        assert torch.equal(out["inputs"][branch], expected["inputs"])
        for sample, other in zip(out["data_samples"][branch], expected["data_samples"], strict=True):
            assert sample.metainfo == other.metainfo
            assert ("gt_sem_seg" in sample) == (branch == "labeled")
            if branch == "labeled":
                assert torch.equal(sample.gt_sem_seg.data, other.gt_sem_seg.data)


def test_channels_are_turned_and_normalised_by_hand() -> None:
    pixel = torch.tensor([50, 60, 70], dtype=torch.uint8).reshape(3, 1, 1)  # blue, green, red
    batch = paired_batch()
    batch["unlabeled"] = {"inputs": [pixel.expand(3, 8, 8)], "data_samples": samples_without_masks(1)}
    out = SemiDataPreprocessor(**SETTINGS)(batch, training=True)
    assert out["inputs"]["unlabeled"][0, :, 0, 0].tolist() == [60.0, 20.0, 5.0]


def test_masks_are_padded_with_ignored_pixels() -> None:
    out = SemiDataPreprocessor(**SETTINGS)(paired_batch(), training=True)
    mask = out["data_samples"]["labeled"][0].gt_sem_seg.data
    assert out["inputs"]["labeled"].shape == (2, 3, 8, 16)
    assert mask.shape == (1, 8, 16)
    assert (mask[:, 6:] == 255).all()
    assert (mask[:, :, 9:] == 255).all()


def test_batch_without_branches_is_mmsegs_own() -> None:
    batch = {"inputs": images(0, (6, 9), (6, 9)), "data_samples": samples_of(random_labels(1, 2, (6, 9)))}
    out = SemiDataPreprocessor(**SETTINGS)(deepcopy(batch), training=False)
    expected = SegDataPreProcessor(**SETTINGS)(deepcopy(batch), training=False)
    assert torch.equal(out["inputs"], expected["inputs"])
    assert out["inputs"].shape == (2, 3, 6, 9)  # nothing is padded
    assert len(out["data_samples"]) == 2
