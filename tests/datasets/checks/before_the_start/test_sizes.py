"""Crops that are padded, and images of several sizes in one batch: said before they cost anything."""

from pathlib import Path

import numpy as np
import pytest

from mmseg_css.datasets import checks
from tests.datasets.checks.before_the_start.helpers import METHODS, config, labeled_of, run
from tests.datasets.helpers import write_image, write_mask


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(checks.sizes, "warn", found.append)
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(16, 16), (24, 12)])
def test_crops_of_another_size_than_they_are_padded_to(
    root: Path, said: list[str], method: str, size: tuple[int, int]
) -> None:
    cfg = config(root, method)
    cfg["model"]["data_preprocessor"]["size"] = size
    run(cfg, "train")
    [message] = said
    assert message.startswith("RandomCrop cuts 12x12 out of training images, and model.data_preprocessor.size is ")
    assert f"size is {size[0]}x{size[1]} (height x width)" in message


@pytest.mark.parametrize("method", METHODS)
def test_one_size_is_nothing_to_say(root: Path, said: list[str], method: str) -> None:
    run(config(root, method), "train")
    assert not said


def test_crops_that_are_resized_are_nothing_to_say(root: Path, said: list[str]) -> None:
    cfg = config(root, "supervised")
    cfg["model"]["data_preprocessor"]["size"] = (16, 16)
    labeled_of(cfg)["pipeline"].insert(-1, {"type": "Resize", "scale": (16, 16)})
    run(cfg, "train")
    assert not said


@pytest.mark.parametrize("stage", ["train", "test"])
def test_images_of_several_sizes_at_a_time(root: Path, stage: str) -> None:
    write_image(root / "val/images/b.png", (16, 24))
    write_mask(root / "val/masks/b.png", np.zeros((16, 24), np.uint8))
    run(config(root, "supervised"), stage)  # one by one
    cfg = config(root, "supervised")
    for part in ("val", "test"):
        cfg[f"{part}_dataloader"]["batch_size"] = 2
    with pytest.raises(
        ValueError, match=r"cannot be evaluated 2 at a time: '.*a\.png' is 16x16 .* and '.*b\.png' 16x24"
    ):
        run(cfg, stage)
    for part in ("val", "test"):  # behind the pipeline of one size
        cfg[f"{part}_dataloader"]["dataset"]["pipeline"].insert(1, {"type": "Resize", "scale": (16, 16)})
    run(cfg, stage)
