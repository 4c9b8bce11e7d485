"""Images of 16 bits in a config that somebody wrote by hand."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmseg.registry import DATASETS, TRANSFORMS

from mmseg_css.datasets import checks
from tests.datasets.helpers import labeled_config, unlabeled_config

LOAD = "LoadImageFromFile"


PILLOW = {"type": LOAD, "imdecode_backend": "pillow"}


def write_deep(root: Path, top: int, channels: tuple[int, ...] = (3,), low: int = 100) -> None:
    rng = np.random.default_rng(0)
    for path in (root / "images").rglob("*.png"):
        cv2.imwrite(str(path), rng.integers(low, top, (16, 16, *channels), np.uint16))


def build(root: Path, *loading: dict) -> object:
    parts = {"labeled": labeled_config(root, ann_file="labeled.txt"), "unlabeled": unlabeled_config(root)}
    for part in parts.values():
        part["pipeline"] = [*loading, *part["pipeline"][1:]]
    return DATASETS.build({"type": "PairedDataset", **parts})


def test_twelve_bits_are_refused_with_what_to_write(root: Path) -> None:
    write_deep(root, 4096)
    with pytest.raises(ValueError, match=r"frame 00\.png' for one, .* leaves 16 of 256 levels of grey") as error:
        build(root, {"type": LOAD})
    [written] = re.findall(r"dict\(type='StretchTo8Bit'.*?\)", str(error.value))
    keywords = eval(written, {})
    assert 100 <= keywords["low"] < 120
    assert 4070 < keywords["high"] <= 4096
    sample = build(root, {"type": LOAD, "color_type": 3}, keywords)[0].sample
    assert sample["inputs"].max() > 200  # resizing averages


class LoadScaled(LoadImageFromFile):
    """A loader of somebody's own, which knows what its files hold."""

    def transform(self, results: dict) -> dict:
        pixels = cv2.imread(results["img_path"], 3).astype(np.float32) / 16
        return results | {"img": pixels, "img_shape": pixels.shape[:2], "ori_shape": pixels.shape[:2]}


def test_loaders_of_ones_own_are_trusted(root: Path) -> None:
    write_deep(root, 4096)
    if LoadScaled.__name__ not in TRANSFORMS:
        TRANSFORMS.register_module(module=LoadScaled)
    assert 200 < build(root, {"type": LoadScaled.__name__})[0].sample["inputs"].max() < 256


def test_little_contrast_is_said_and_trained_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.depth, "warn", said.append)
    write_deep(root, 32 << 8)
    build(root, {"type": LOAD})
    assert len(said) == 2  # labelled and unlabelled ones
    assert all("leaves 32 of 256 levels of grey" in message for message in said)


def test_the_unlabelled_ones_are_looked_at_as_well(root: Path) -> None:
    for path in (root / "images").rglob("*.png"):
        if "00" not in path.name and "01" not in path.name and "02" not in path.name:
            cv2.imwrite(str(path), np.full((16, 16), 4000, np.uint16))
    with pytest.raises(ValueError, match="images of UnlabeledDataset have 16 bits"):
        build(root, {"type": LOAD})


@pytest.mark.parametrize("top", [2**14 + 200, 2**16])
def test_values_that_fill_the_range_stay(root: Path, top: int) -> None:
    write_deep(root, top)
    assert build(root, {"type": LOAD})[0].sample["inputs"].max() > 40


@pytest.mark.parametrize("top", [4096, 2**16])
def test_pillow_makes_grey_ones_white(root: Path, top: int) -> None:
    write_deep(root, top, channels=())
    with pytest.raises(ValueError, match=r"by cutting off what lies above 255, which leaves \d+ of 256 levels of grey"):
        build(root, PILLOW)


def test_pillow_cuts_a_part_off(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.depth, "warn", said.append)
    write_deep(root, 1500, channels=())
    build(root, PILLOW)
    assert len(said) == 2
    assert all(re.search(r"leaves 2\d of 256 levels of grey", message) for message in said)


def test_pillow_keeps_values_of_8_bits_in_files_of_16(root: Path) -> None:
    write_deep(root, 256, channels=(), low=0)
    assert build(root, PILLOW)[0].sample["inputs"].max() > 200


def test_pillow_drops_the_lower_bits_of_colours(root: Path) -> None:
    write_deep(root, 4096)
    with pytest.raises(ValueError, match=r"by dropping the lower 8, which leaves 16 of 256 levels of grey"):
        build(root, PILLOW)


def test_pillow_hands_on_what_it_is_asked_to_leave_unchanged(root: Path) -> None:
    write_deep(root, 4096, channels=())
    stretch = {"type": "StretchTo8Bit", "low": 0, "high": 4096}
    loading = {**PILLOW, "color_type": "unchanged"}
    assert build(root, loading, stretch)[0].sample["inputs"].max() > 200
