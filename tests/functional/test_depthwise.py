"""The dilated depthwise convolution against torch's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from mmseg_css.functional.depthwise import dilated_depthwise
from tests.functional.helpers import SEEDS, close, normal


@given(SEEDS, st.sampled_from([1, 3, 5]), st.sampled_from([1, 2, 3]), st.integers(1, 9), st.integers(1, 9))
def test_is_the_convolution(seed: int, taps: int, dilation: int, height: int, width: int) -> None:
    maps, weight = normal(seed, 2, 3, height, width), normal(seed + 1, 3, 1, taps, taps)
    expected = F.conv2d(maps, weight, padding=dilation * (taps // 2), dilation=dilation, groups=3)
    close(dilated_depthwise(maps, weight, dilation), expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients(layout: torch.memory_format) -> None:
    maps, weight = normal(0, 2, 3, 4, 5).to(memory_format=layout), normal(1, 3, 1, 3, 3)
    inputs = (maps.requires_grad_(), weight.requires_grad_())
    assert torch.autograd.gradcheck(lambda *x: dilated_depthwise(*x, 2), inputs)


def test_result_is_channels_last() -> None:
    result = dilated_depthwise(normal(0, 2, 3, 4, 5), normal(1, 3, 1, 3, 3), 2)
    assert result.is_contiguous(memory_format=torch.channels_last)
