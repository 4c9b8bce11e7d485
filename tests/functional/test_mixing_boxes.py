"""The boxes of UniMatch and CPS, by their distributions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmseg_css.functional.mixing import (
    box_mask,
    box_set_mask,
    draw_box_sets,
    draw_shaped_boxes,
    paste,
    paste_next,
    paste_opposite,
)
from mmseg_css.types import View
from tests.functional.helpers import SEEDS, bits, equal, generator, random_view

SIGNIFICANCE = 1e-4
SIZES = st.integers(min_value=8, max_value=60)


@given(SEEDS, SIZES, SIZES)
def test_boxes_lie_inside(seed: int, height: int, width: int) -> None:
    boxes = draw_shaped_boxes(16, (height, width), generator=generator(seed))
    sets = draw_box_sets(16, (height, width), generator=generator(seed))
    assert boxes.shape == (16, 4) and sets.shape == (16, 3, 4)
    for top, left, h, w in (*boxes.tolist(), *sets.flatten(0, 1).tolist()):
        assert min(h, w) >= 1 and 0 <= top <= height - h and 0 <= left <= width - w


def test_the_area_is_uniform() -> None:
    size = (1000, 1000)
    _, _, height, width = draw_shaped_boxes(4000, size, generator=generator(0)).double().unbind(dim=1)
    assert stats.kstest(height * width / 1e6, stats.uniform(0.02, 0.38).cdf).pvalue > SIGNIFICANCE


def test_the_aspect_is_uniform_where_every_box_fits() -> None:
    """A box of 20 % fits in all its forms: the steepest, 10 : 3, is 0.82 images high."""
    boxes = draw_shaped_boxes(4000, (1000, 1000), area=(0.02, 0.2), generator=generator(1)).double()
    aspect = boxes[:, 2] / boxes[:, 3]
    assert stats.kstest(aspect, stats.uniform(0.3, 1 / 0.3 - 0.3).cdf).pvalue > SIGNIFICANCE


def test_a_box_that_would_not_fit_has_a_form_that_does() -> None:
    boxes = draw_shaped_boxes(4000, (1000, 1000), area=(0.4, 0.4), generator=generator(2)).double()
    aspect = boxes[:, 2] / boxes[:, 3]
    assert stats.kstest(aspect, stats.uniform(0.4, 2.5 - 0.4).cdf).pvalue > SIGNIFICANCE
    assert (boxes[:, 2] * boxes[:, 3] / 1e6 - 0.4).abs().max() < 1e-3


def test_the_position_is_uniform_up_to_both_borders() -> None:
    boxes = draw_shaped_boxes(3000, (8, 8), area=(0.25, 0.25), aspect=1.0, generator=generator(3))
    assert (boxes[:, 2:] == 4).all()
    for start in boxes[:, :2].unbind(dim=1):
        assert stats.chisquare(torch.bincount(start, minlength=5)).pvalue > SIGNIFICANCE


def test_the_boxes_of_a_set_share_its_area_and_have_log_uniform_forms() -> None:
    boxes = draw_box_sets(3000, (1000, 1000), generator=generator(4)).double()
    areas = boxes[..., 2] * boxes[..., 3] / 1e6
    assert (areas - areas.mean(dim=1, keepdim=True)).abs().max() < 2e-3
    assert stats.kstest(areas.sum(dim=1), stats.uniform(0.25, 0.25).cdf).pvalue > SIGNIFICANCE
    share = areas.sum(dim=1, keepdim=True)
    # The height is share^u / sqrt(3) images, with u uniform.
    exponent = (boxes[..., 2] / 1000 * math.sqrt(3)).log() / share.log()
    assert stats.kstest(exponent.flatten(), stats.uniform(0, 1).cdf).pvalue > SIGNIFICANCE


@given(SEEDS, SIZES, SIZES)
def test_boxes_of_a_set_cancel_where_they_overlap(seed: int, height: int, width: int) -> None:
    boxes = draw_box_sets(3, (height, width), generator=generator(seed))
    expected = torch.zeros(3, height, width, dtype=torch.bool)
    for number in range(3):
        for image in range(3):
            top, left, h, w = boxes[image, number].tolist()
            expected[image, top : top + h, left : left + w] ^= True
    equal(box_set_mask(boxes, (height, width)), expected)


@given(SEEDS, st.integers(1, 5))
def test_partners(seed: int, batch: int) -> None:
    """Image i receives from i + 1, or from b - 1 - i, with everything that belongs to the pixel."""
    view, mask = random_view(seed, batch, (3, 4)), bits(seed + 9, batch, 3, 4)
    for found, partner in (
        (paste_next(view, mask), [(i + 1) % batch for i in range(batch)]),
        (paste_opposite(view, mask), [batch - 1 - i for i in range(batch)]),
    ):
        other = View(*(field[partner] for field in view))
        equal(found.image, torch.where(mask[:, None], other.image, view.image))
        equal(found.labels, torch.where(mask[:, None], other.labels, view.labels))
        equal(found.confidences, torch.where(mask[:, None], other.confidences, view.confidences))
        equal(found.valid, torch.where(mask, other.valid, view.valid))
        equal(paste(view, other, mask).image, found.image)


def test_a_box_is_pasted_as_its_mask_says() -> None:
    boxes = torch.tensor([[1, 0, 2, 3]])
    assert box_mask(boxes, (4, 4)).long().tolist() == [[[0] * 4, [1, 1, 1, 0], [1, 1, 1, 0], [0] * 4]]


@pytest.mark.parametrize("area", [(0.0, 0.5), (0.5, 0.2), (0.5, 1.1)])
def test_wrong_areas_in_words(area: tuple[float, float]) -> None:
    for draw in (draw_shaped_boxes, draw_box_sets):
        with pytest.raises(ValueError, match=r"area must be a range \(low, high\) in \(0, 1\]"):
            draw(1, (8, 8), area=area)
