"""RandomScale: a factor of the image's own size, for image and mask alike."""

import random

import numpy as np
import pytest

from mmseg_css.datasets import RandomScale


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
