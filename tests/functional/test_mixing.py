"""Cut-mix boxes, class-mix masks, and what pasting and cutting out do to a view."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmseg_css.functional.mixing import (
    box_mask,
    cut_out,
    draw_boxes,
    draw_classmix_mask,
    paste_next,
    receive_classes,
    replace_some,
)
from mmseg_css.types import View
from tests.functional.helpers import SEEDS, SIDES, arrays, bits, class_map, equal, generator, random_view, same_view
from tests.reference import mixing as reference

LENGTHS = st.integers(min_value=4, max_value=40)
SIGNIFICANCE = 1e-4


@given(SEEDS, LENGTHS, LENGTHS, st.sampled_from([0.5, 0.25, 0.1]))
def test_boxes_lie_inside_and_cover_their_share_of_the_image(seed: int, height: int, width: int, area: float) -> None:
    boxes = draw_boxes(16, (height, width), area, generator=generator(seed))
    assert boxes.dtype == torch.int64 and boxes.shape == (16, 4)
    for top, left, h, w in boxes.tolist():
        assert area * width + 1 <= w < width
        # height = round(area / w), so that the area is the share wanted up to half a row of the box.
        assert abs(h * w - area * height * width) <= w / 2
        assert 0 <= top <= height - h and 0 <= left <= width - w


def box_distribution(height: int, width: int) -> dict[tuple[int, int, int, int], float]:
    """Probability of every box: its width uniform, its position uniform given its size."""
    widths = [w for w in range(1, width) if w >= width / 2 + 1]
    probabilities = {}
    for w in widths:
        h = round(height * width / 2 / w)
        positions = [(top, left) for top in range(height - h + 1) for left in range(width - w + 1)]
        for top, left in positions:
            probabilities[top, left, h, w] = 1 / len(widths) / len(positions)
    return probabilities


def test_box_width_and_position_are_uniform_up_to_both_borders() -> None:
    expected = box_distribution(8, 12)
    counts = Counter(tuple(box) for box in draw_boxes(20_000, (8, 12), generator=generator(0)).tolist())
    assert set(counts) == set(expected)
    observed = [counts[box] for box in expected]
    assert stats.chisquare(observed, [20_000 * p for p in expected.values()]).pvalue > SIGNIFICANCE


@given(SEEDS, LENGTHS, LENGTHS)
def test_box_mask_is_the_reference(seed: int, height: int, width: int) -> None:
    boxes = draw_boxes(3, (height, width), generator=generator(seed))
    mask = box_mask(boxes, (height, width))
    equal(mask, reference.box_mask(boxes.numpy(), (height, width)))
    equal(mask.sum(dim=(1, 2)), boxes[:, 2] * boxes[:, 3])


@given(SEEDS, st.integers(1, 4), SIDES, st.integers(1, 2))
def test_paste_next_is_the_reference(seed: int, batch: int, side: int, maps: int) -> None:
    view, mask = random_view(seed, batch, (side, 3), maps), bits(seed + 9, batch, side, 3)
    before = View(*(field.clone() for field in view))
    same_view(paste_next(view, mask), reference.paste_next(arrays(view), mask.numpy()))
    same_view(view, before)


@given(SEEDS, st.integers(2, 4))
def test_a_mask_and_its_complement_share_the_two_images_out(seed: int, batch: int) -> None:
    view, mask = random_view(seed, batch, (3, 4)), bits(seed + 9, batch, 3, 4)
    following = View(*(field.roll(-1, dims=0) for field in view))
    first, second = paste_next(view, mask), paste_next(view, ~mask)
    for own, other, under, outside in zip(view, following, first, second, strict=True):
        of_field = mask.view(batch, *[1] * (own.ndim - 3), 3, 4)
        equal(torch.where(of_field, outside, under), own)
        equal(torch.where(of_field, under, outside), other)


@given(SEEDS, st.integers(1, 4))
def test_pasting_over_a_mask_and_then_over_its_complement_moves_every_image_on(seed: int, batch: int) -> None:
    view, mask = random_view(seed, batch, (3, 4)), bits(seed + 9, 1, 3, 4).expand(batch, 3, 4)
    following = View(*(field.roll(-1, dims=0) for field in view))
    same_view(paste_next(paste_next(view, mask), ~mask), following)


@given(SEEDS, st.integers(1, 3), SIDES)
def test_cut_out_is_the_reference(seed: int, batch: int, side: int) -> None:
    view, mask = random_view(seed, batch, (side, 3)), bits(seed + 9, batch, side, 3)
    before = View(*(field.clone() for field in view))
    same_view(cut_out(view, mask), reference.cut_out(arrays(view), mask.numpy()))
    same_view(cut_out(view, mask, ignore_index=7), reference.cut_out(arrays(view), mask.numpy(), 7))
    same_view(view, before)


@given(SEEDS, st.integers(1, 6), SIDES)
def test_classmix_pastes_whole_classes_about_half_of_each_image(seed: int, num_classes: int, side: int) -> None:
    labels = class_map(seed, 3, side, 4, num_classes=num_classes)
    mask = draw_classmix_mask(labels, num_classes, generator=generator(seed + 1))
    for image, pasted in zip(labels, mask, strict=True):
        shown = {c for c in image.unique().tolist() if c < num_classes}
        chosen = {c for c in shown if pasted[image == c].all()}
        kept = {c for c in shown if not pasted[image == c].any()}
        assert chosen | kept == shown
        assert abs(len(chosen) - len(kept)) <= 1
        assert len(pasted[image == 255].unique()) <= 1


@pytest.mark.parametrize("num_classes", [3, 4])
def test_every_half_of_the_classes_is_as_likely(num_classes: int) -> None:
    labels = torch.arange(4).clamp(max=num_classes - 1).view(1, 2, 2).expand(6_000, 2, 2)
    mask = draw_classmix_mask(labels, 5, generator=generator(0)).flatten(1)[:, :num_classes]
    counts = Counter(tuple(row.nonzero()[:, 0].tolist()) for row in mask)
    sizes = {len(chosen) for chosen in counts}
    assert len(sizes) == 1
    halves = list(combinations(range(num_classes), sizes.pop()))
    assert stats.chisquare([counts[half] for half in halves]).pvalue > SIGNIFICANCE


@given(SEEDS, st.integers(1, 4), st.integers(1, 5), SIDES)
def test_classes_are_received_whole_about_half_of_those_given(seed: int, batch: int, givers: int, side: int) -> None:
    """All that belongs to their pixels comes with them, and nothing of ignored ones; fewer givers give in turn."""
    view, giving = random_view(seed, batch, (side, 4)), random_view(seed + 5, givers, (side, 4))
    received = receive_classes(view, giving, num_classes=5, generator=generator(seed))
    for number in range(batch):
        labels = giving.labels[number % givers, 0]
        pasted = (received.image[number] == giving.image[number % givers]).all(dim=0)
        assert not pasted[labels == 255].any()
        shown = [c for c in labels.unique().tolist() if c < 5]
        whole = [c for c in shown if pasted[labels == c].all()]
        assert sum(pasted[labels == c].any().item() for c in shown) == len(whole) == (len(shown) + 1) // 2
        for got, own, other in zip(received, view, giving, strict=True):
            equal(got[number], torch.where(pasted, other[number % givers], own[number]))


def test_an_ignored_class_is_never_given() -> None:
    view = random_view(0, 1, (2, 2))._replace(labels=torch.ones(1, 2, 2, 2, dtype=torch.long))
    giving = view._replace(labels=torch.full((1, 2, 2, 2), 3))
    assert (receive_classes(view, giving, num_classes=5, ignore_index=3).labels == 1).all()
    assert (receive_classes(view, giving, num_classes=5).labels == 3).all()


def test_every_image_is_replaced_on_its_own_with_the_probability_asked_for() -> None:
    view, other = random_view(0, 3_000, (1, 2)), random_view(1, 3_000, (1, 2))
    some = replace_some(view, other, 0.3, generator(2))
    replaced = (some.image == other.image).flatten(1).all(dim=1)
    for got, own, instead in zip(some, view, other, strict=True):
        equal(got, torch.where(replaced.view(-1, *[1] * (own.ndim - 1)), instead, own))
    assert stats.binomtest(int(replaced.sum()), 3_000, 0.3).pvalue > SIGNIFICANCE
    same_view(replace_some(view, other, 0.0, generator(2)), view)
    same_view(replace_some(view, other, 1.0, generator(2)), other)


def test_images_of_a_batch_draw_their_boxes_independently() -> None:
    widths = draw_boxes(8_000, (8, 12), generator=generator(1))[:, 3].view(-1, 2).numpy()
    table = np.zeros((12, 12))
    np.add.at(table, (widths[:, 0], widths[:, 1]), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    assert stats.contingency.chi2_contingency(table).pvalue > SIGNIFICANCE
