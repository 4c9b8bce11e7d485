"""RandomScale, Cached and StretchTo8Bit."""

import random
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_css.datasets import Cached, RandomScale, StretchTo8Bit


def sample(height: int, width: int) -> dict:
    mask = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    return dict(img=np.zeros((height, width, 3), np.uint8), gt_seg_map=mask, seg_fields=["gt_seg_map"])


@pytest.mark.parametrize("size", [(40, 60), (100, 20)])
def test_both_are_scaled_by_the_same_factor_of_their_own_size(size: tuple[int, int]) -> None:
    random.seed(0)
    factors = []
    for _ in range(50):
        results = RandomScale(scale=(0.5, 1.5))(sample(*size))
        assert results["img"].shape[:2] == results["gt_seg_map"].shape
        factors.append(np.array(results["img"].shape[:2]) / size)
    factors = np.array(factors)
    assert np.abs(factors[:, 0] - factors[:, 1]).max() < 0.06  # whole pixels
    assert 0.5 <= factors.min() < 0.6
    assert 1.4 < factors.max() <= 1.51


@pytest.mark.parametrize("scale", [(0, 1), (1.5, 0.5)])
def test_an_impossible_range_is_refused(scale: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 < low <= high"):
        RandomScale(scale=scale)


def loading(folder: Path, count: int) -> list[dict]:
    """What a data set gives its pipeline for images of one colour each."""
    samples = []
    for index in range(count):
        path = folder / f"{index}.png"
        Image.new("RGB", (8, 6), (index, index, index)).save(path)
        samples.append(dict(img_path=str(path), seg_fields=[]))
    return samples


def test_a_kept_image_is_not_read_again_and_cannot_be_spoilt(tmp_path: Path) -> None:
    cached = Cached([dict(type="LoadImageFromFile")])
    [sample] = loading(tmp_path, 1)
    first = cached(deepcopy(sample))
    first["img"][:] = 77
    Path(sample["img_path"]).unlink()
    second = cached(deepcopy(sample))
    assert (second["img"] == 0).all() and second["ori_shape"] == (6, 8)
    second["img"][:] = 77
    assert (cached(deepcopy(sample))["img"] == 0).all()


def test_what_finds_no_room_is_read_each_time(tmp_path: Path) -> None:
    samples = loading(tmp_path, 3)
    cached = Cached([dict(type="LoadImageFromFile")], limit_mib=2 * 8 * 6 * 3 / 2**20)
    for sample in samples:
        cached(deepcopy(sample))
    for sample in samples:
        Image.new("RGB", (8, 6), (200, 200, 200)).save(sample["img_path"])
    assert [cached(deepcopy(sample))["img"].max() for sample in samples] == [0, 1, 200]


def test_random_transforms_are_not_kept(tmp_path: Path) -> None:
    [sample] = loading(tmp_path, 1)
    cached = Cached([dict(type="LoadImageFromFile"), dict(type="RandomFlip", prob=0.5)])
    with pytest.raises(ValueError, match=r"Cached.transforms holds a random transform[\s\S]*RandomFlip"):
        cached(sample)


@pytest.mark.parametrize("high", [4000, [200, 200, 4000]])
def test_an_image_of_8_bits_is_not_stretched_as_one_of_16(high: float | list[float]) -> None:
    stretch = StretchTo8Bit(low=20, high=high)
    image = np.full((2, 2, 3), 200, np.uint8)
    with pytest.raises(ValueError, match=r"the image 'a.jpg' has 8 bits, and StretchTo8Bit\(low=20.0, high=.*4000.0"):
        stretch({"img": image, "img_path": "a.jpg"})
    assert stretch({"img": image.astype(np.uint16)})["img"].dtype == np.uint8
    within = StretchTo8Bit(low=20, high=[120, 220, 256])
    assert within({"img": image})["img"][0, 0].tolist() == [255, 230, 194]
