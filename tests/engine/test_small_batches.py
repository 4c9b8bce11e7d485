"""Batches too small to learn from are refused or named before a weight moves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from mmseg_css.engine.small_batches import norms_explained
from mmseg_css.registry import MODELS
from tests.datasets.helpers import write_list
from tests.engine.tiny import config, log_of, train, write_data
from tests.models.helpers import PlainProjectionHead


@MODELS.register_module()
class PoolingFreeHead(PlainProjectionHead):
    """Its norm layers see every pixel."""


NO_POOLING = {
    "_delete_": True,
    "type": "PoolingFreeHead",
    "in_channels": 8,
    "in_index": 1,
    "channels": 8,
    "num_classes": 2,
    "loss_decode": {"type": "PixelCrossEntropyLoss"},
    "projection": {"type": "PlainProjection", "channels": 2},
}
PAIR = {"train_dataloader__batch_size": 2, "train_dataloader__sampler__ratio": (1, 1)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def refused(cfg: Any, said: str) -> None:
    runner = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match=said):
        runner.train()
    assert runner.iter == 0


def test_a_norm_layer_after_a_pooling_of_one_image_is_named(root: Path) -> None:
    pooled = r"the norm layer in (student|teacher\.model)\.decode_head\.image_pool\S*bn sees a single value.*batch_size"
    refused(config(root, "css", 1, **PAIR), pooled)
    refused(config(root, "pc2seg", 1, **PAIR), pooled)


@pytest.mark.parametrize("mixing", ["cutmix", "classmix"])
def test_an_image_alone_is_not_mixed_with_itself(root: Path, mixing: str) -> None:
    changes = {"model__segmentor__decode_head": NO_POOLING, "model__augmentation__mixing": mixing}
    refused(config(root, "css", 1, **PAIR, **changes), f"mixing='{mixing}' pastes from the next image.*batch_size")


@pytest.mark.parametrize("mixing", ["cutout", "none"])
def test_what_mixes_nothing_needs_no_partner(root: Path, mixing: str) -> None:
    changes = {"model__segmentor__decode_head": NO_POOLING, "model__augmentation__mixing": mixing}
    assert train(config(root, "css", 1, **PAIR, **changes)).iter == 1


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match=r"^another$"), norms_explained(nn.Identity()):
        raise ValueError("another")


def test_the_baseline_is_told_as_well() -> None:
    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3))

    head = Head()
    with pytest.raises(ValueError, match=r"in pool\.1 sees"), norms_explained(head):
        head.pool(torch.zeros(1, 3, 4, 4))


def test_a_gpu_that_is_too_small_is_told_what_makes_less(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*_: Any, **__: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")

    runner = Runner.from_cfg(config(root, "css", 1))
    monkeypatch.setattr(runner.model, "train_step", step)
    with pytest.raises(torch.cuda.OutOfMemoryError, match=r"lower train_dataloader.batch_size.*slide.*2\.00 GiB"):
        runner.train()


# -- images that meet themselves --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (["04"], "A step takes 4 unlabelled images, and there are 1, so that an image meets itself"),
        (["04", "05", "06"], "A step takes 4 unlabelled images, and there are 3"),
        (["04", "05", "06", "07"], None),
    ],
)
def test_too_few_unlabelled_images_are_named(root: Path, listed: list[str], said: str | None) -> None:
    write_list(root / "some.txt", listed)
    train(config(root, "css", 1, train_dataloader__dataset__unlabeled__ann_file="some.txt"))
    assert said in log_of(root) if said else "meet" not in log_of(root)


def test_one_image_under_many_indices_is_named(root: Path) -> None:
    cfg = config(root, "css", 1)
    unlabeled = cfg.train_dataloader.dataset.unlabeled
    cfg.train_dataloader.dataset.unlabeled = {"type": "RepeatDataset", "times": 3, "dataset": unlabeled}
    train(cfg)
    assert "The 12 unlabelled samples are 4 images, so that an image can meet itself" in log_of(root)


def test_all_processes_count(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 images are enough for one process and too few for two."""
    runner = Runner.from_cfg(config(root, "css", 1))
    sampler = {"type": "PairedSampler", "ratio": (1, 2), "world_size": 2, "rank": 0}
    runner._train_dataloader["sampler"] = sampler
    runner.train()
    assert "A step takes 8 unlabelled images, and there are 4" in log_of(root)
