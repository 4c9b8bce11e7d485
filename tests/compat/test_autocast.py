"""Weights that autocast has cast."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from packaging.version import Version

from mmseg_css.compat import without_gradients


def weights_learn(looking: Callable[[], AbstractContextManager]) -> bool:
    layer, pixels = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with looking():
            layer(pixels)
        return layer(pixels).requires_grad


def test_a_look_without_gradients_takes_none() -> None:
    assert weights_learn(without_gradients)


@pytest.mark.skipif(Version(torch.__version__) >= Version("2.7"), reason="concerns the lowest torch only")
def test_a_look_without_gradients_fault() -> None:
    """Goes with the last torch whose autocast keeps casts of a pass without gradients."""
    assert not weights_learn(torch.no_grad)
