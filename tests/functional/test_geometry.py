"""Random scale, padding, crop and flip of a whole view."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from mmseg_css.functional.geometry import ScaleCrop, apply_flip, apply_scale_crop, draw_flip, draw_scale_crop
from mmseg_css.types import View
from tests.functional.helpers import SEEDS, arrays, bits, close, equal, generator, normal, random_view, same_view
from tests.reference import geometry as reference

SIDES = st.integers(min_value=3, max_value=9)
SCALES = st.floats(min_value=0.5, max_value=2.0, width=32)
SIGNIFICANCE = 1e-4


def fixed(scale: list[float], top: list[int], left: list[int], dtype: torch.dtype = torch.float64) -> ScaleCrop:
    """Parameters chosen by hand."""
    return ScaleCrop(scale=torch.tensor(scale, dtype=dtype), top=torch.tensor(top), left=torch.tensor(left))


def lists(params: ScaleCrop) -> tuple[list[float], list[int], list[int]]:
    """The same parameters for the reference."""
    return params.scale.tolist(), params.top.tolist(), params.left.tolist()


def is_the_reference(view: View, params: ScaleCrop, crop: tuple[int, int]) -> None:
    """The image is the reference's; every other field is, up to which of two equally near pixels is the nearest."""
    out = apply_scale_crop(view, params, crop)
    matches = torch.zeros_like(out.valid)
    for ties in product(("down", "up"), repeat=2):
        expected = reference.apply_scale_crop(arrays(view), *lists(params), crop, ties=ties)
        close(out.image, expected.image)
        labels, confidences, valid = (torch.from_numpy(field) for field in expected[1:])
        matches |= ((out.labels == labels) & (out.confidences == confidences)).all(dim=1) & (out.valid == valid)
    assert matches.all()


@given(SEEDS, SIDES, SIDES, SIDES, SIDES, st.integers(1, 2))
def test_scale_crop_is_the_reference(seed: int, height: int, width: int, crop_h: int, crop_w: int, maps: int) -> None:
    view, crop = random_view(seed, 3, (height, width), maps), (crop_h, crop_w)
    params = draw_scale_crop(3, (height, width), crop, (0.5, 2.0), generator=generator(seed))
    is_the_reference(view, params._replace(scale=params.scale.double()), crop)


@pytest.mark.parametrize("side", [3, 4, 8])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 2.0])
def test_round_scales_are_the_reference(side: int, scale: float) -> None:
    # At 0.5 the padding is as wide as what it mirrors, which a single reflection cannot fill.
    is_the_reference(random_view(side, 1, (side, side), 1), fixed([scale], [0], [0]), (side, side))


def test_a_scale_of_one_and_a_crop_of_everything_is_the_identity() -> None:
    view = random_view(0, 2, (5, 6))
    same_view(apply_scale_crop(view, fixed([1.0, 1.0], [0, 0], [0, 0]), (5, 6)), view, 1e-12)


@given(SEEDS, st.integers(0, 3), st.integers(0, 4))
def test_a_scale_of_one_crops_by_slicing(seed: int, top: int, left: int) -> None:
    view = random_view(seed, 1, (6, 8))
    cropped = apply_scale_crop(view, fixed([1.0], [top], [left]), (3, 4))
    same_view(cropped, View(*(f[..., top : top + 3, left : left + 4] for f in view)), 1e-12)


def test_padding_is_on_the_right_and_bottom_reflected_ignored_and_invalid() -> None:
    view = random_view(0, 1, (3, 4), maps=2)._replace(valid=torch.ones(1, 3, 4, dtype=torch.bool))
    padded = apply_scale_crop(view, fixed([1.0], [0], [0]), (5, 6), ignore_index=9)
    same_view(View(*(f[..., :3, :4] for f in padded)), view, 1e-12)
    close(padded.image[..., :3, 4:], view.image[..., [2, 1]], 1e-12)
    close(padded.image[..., 3:, :4], view.image[..., [1, 0], :], 1e-12)
    border = ~padded.valid[0]
    assert border[3:].all() and border[:, 4:].all() and not border[:3, :4].any()
    assert (padded.labels[0, :, border] == 9).all() and (padded.confidences[0, :, border] == 0).all()


@given(SEEDS, SCALES)
def test_what_is_nearest_is_never_blended(seed: int, scale: float) -> None:
    view = random_view(seed, 2, (5, 6))
    code = torch.randperm(120, generator=generator(seed)).view(2, 2, 5, 6)
    view = view._replace(labels=code, confidences=code.double() / 120)
    params = draw_scale_crop(2, (5, 6), (7, 7), (scale, scale), generator=generator(seed))
    out = apply_scale_crop(view, params, (7, 7))
    shown = (out.labels != 255).all(dim=1)
    for b in range(2):
        labels, confidences = out.labels[b][:, shown[b]], out.confidences[b][:, shown[b]]
        # Label and confidence come from the same pixel, and so do both maps and the validity.
        close(confidences, labels.double() / 120, 1e-12)
        assert set(labels[0].tolist()) <= set(code[b, 0].flatten().tolist())
        where = [(code[b, m].flatten()[:, None] == labels[m]).int().argmax(dim=0) for m in range(2)]
        equal(where[0], where[1])
        equal(out.valid[b][shown[b]], view.valid[b].flatten()[where[0]])
        assert not out.valid[b][~shown[b]].any()


@given(SEEDS, SCALES)
def test_a_linear_image_stays_linear_inside(seed: int, scale: float) -> None:
    # Half-pixel centres: output pixel j shows position (j + 0.5) * width / scaled - 0.5.
    width, side = 12, 6
    ramp = torch.arange(width, dtype=torch.float64).view(1, 1, 1, width).expand(1, 1, side, width)
    view = random_view(seed, 1, (side, width))._replace(image=ramp.contiguous())
    scaled = int(round(width * scale))
    out = apply_scale_crop(view, fixed([scale], [0], [0]), (4, scaled))
    positions = (torch.arange(scaled) + 0.5) * width / scaled - 0.5
    close(out.image[0, 0, 0], positions.clamp(0, width - 1), 1e-5)


@given(SEEDS, SIDES, SIDES, SIDES, SIDES)
def test_drawn_crops_lie_inside_the_padded_image(seed: int, height: int, width: int, crop_h: int, crop_w: int) -> None:
    params = draw_scale_crop(8, (height, width), (crop_h, crop_w), (0.5, 2.0), generator=generator(seed))
    for scale, top, left in zip(*lists(params), strict=True):
        assert 0.5 <= scale <= 2.0
        scaled = reference.scaled_size((height, width), scale)
        assert 0 <= top <= max(scaled[0] - crop_h, 0) and 0 <= left <= max(scaled[1] - crop_w, 0)


def test_scales_and_positions_are_uniform_up_to_both_borders() -> None:
    scale = draw_scale_crop(4_000, (8, 8), (8, 8), (0.5, 1.5), generator=generator(0)).scale
    assert stats.kstest(scale.numpy(), stats.uniform(0.5, 1.0).cdf).pvalue > SIGNIFICANCE
    params = draw_scale_crop(8_000, (8, 9), (5, 7), (1.0, 1.0), generator=generator(1))
    counts = np.zeros((4, 3))
    np.add.at(counts, (params.top.numpy(), params.left.numpy()), 1)
    assert stats.chisquare(counts.flatten()).pvalue > SIGNIFICANCE


@given(SEEDS, st.integers(1, 4))
def test_flip_is_the_reference_and_an_involution(seed: int, batch: int) -> None:
    view, flip = random_view(seed, batch, (3, 4)), bits(seed + 9, batch)
    flipped = apply_flip(view, flip)
    same_view(flipped, reference.apply_flip(arrays(view), flip.tolist()))
    same_view(apply_flip(flipped, flip), view)


@given(SEEDS)
def test_flip_moves_labels_with_the_image(seed: int) -> None:
    code = torch.randint(200, (3, 1, 4, 5), generator=generator(seed))
    view = View(code.double().expand(3, 3, 4, 5), code, code.double(), code[:, 0] % 2 == 0)
    out = apply_flip(view, torch.tensor([True, False, True]))
    equal(out.image[:, :1], out.labels)
    equal(out.confidences, out.labels)
    equal(out.valid, out.labels[:, 0] % 2 == 0)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_flip_has_its_probability(probability: float) -> None:
    flipped = draw_flip(4_000, probability, generator=generator(0))
    count = int(flipped.sum())
    if probability in (0.0, 1.0):
        assert count == 4_000 * probability
    else:
        assert stats.binomtest(count, 4_000, probability).pvalue > SIGNIFICANCE


def test_images_of_a_batch_are_scaled_apart() -> None:
    # One image of the batch must not see another's parameters.
    view = random_view(4, 2, (5, 6))
    params = fixed([0.7, 1.6], [0, 2], [0, 3])
    together = apply_scale_crop(view, params, (5, 6))
    for b in range(2):
        alone = apply_scale_crop(
            View(*(f[b : b + 1] for f in view)), ScaleCrop(*(p[b : b + 1] for p in params)), (5, 6)
        )
        same_view(View(*(f[b : b + 1] for f in together)), alone, 1e-12)


def test_image_gradients_are_those_of_a_linear_map() -> None:
    view, weight = random_view(0, 1, (4, 5)), normal(1, 1, 3, 6, 6)
    params = fixed([1.3], [0], [0])

    def weighted(image: Tensor) -> Tensor:
        return (apply_scale_crop(view._replace(image=image), params, (6, 6)).image * weight).sum()

    first, second = normal(2, 1, 3, 4, 5), normal(3, 1, 3, 4, 5)
    close(weighted(first + 2 * second), weighted(first) + 2 * weighted(second))
