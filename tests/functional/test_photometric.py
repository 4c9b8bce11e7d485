"""Colour jitter and blur."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from mmseg_css.functional.photometric import (
    Blur,
    ColorJitter,
    apply_blur,
    apply_color_jitter,
    draw_blur,
    draw_color_jitter,
)
from tests.functional.helpers import SEEDS, close, equal, generator, normal, uniform
from tests.reference import photometric as reference

SIGNIFICANCE = 1e-4
# kornia takes the factors in fp32, and its HSV conversion divides by (value + 1e-8).
COLOR = 1e-6


def jitter(batch: int, apply: bool = True, order: tuple[int, ...] = (0, 1, 2, 3), **factors: float) -> ColorJitter:
    """The same factors for all images, those not named changing nothing."""
    neutral = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    values = {name: torch.full((batch,), value).double() for name, value in (neutral | factors).items()}
    return ColorJitter(apply=torch.full((batch,), apply), order=order, **values)


def jittered(image: NDArray[np.float64], params: ColorJitter, b: int) -> NDArray[np.float64]:
    """What the reference makes of image b."""
    changes = [
        lambda x: reference.brightness(x, params.brightness[b].item()),
        lambda x: reference.contrast(x, params.contrast[b].item()),
        lambda x: reference.saturation(x, params.saturation[b].item()),
        lambda x: reference.hue(x, params.hue[b].item()),
    ]
    if params.apply[b]:
        for index in params.order:
            image = changes[index](image)
    return image


@given(SEEDS)
def test_jitter_is_the_reference(seed: int) -> None:
    image = uniform(seed, 3, 3, 4, 5)
    drawn = draw_color_jitter(3, generator=generator(seed))
    params = ColorJitter(*(p.double() if isinstance(p, Tensor) and p.is_floating_point() else p for p in drawn))
    expected = np.stack([jittered(image[b].numpy(), params, b) for b in range(3)])
    close(apply_color_jitter(image, params), expected, COLOR)


@pytest.mark.parametrize(("name", "value"), [("brightness", 1.2), ("contrast", 0.8), ("saturation", 0.75)])
def test_each_linear_change_alone_is_the_reference(name: str, value: float) -> None:
    image = uniform(0, 2, 3, 4, 5)
    params = jitter(2, **{name: value})
    change = getattr(reference, name)
    expected = np.stack([change(one, value) for one in image.numpy()])
    close(apply_color_jitter(image, params), expected, COLOR)


@pytest.mark.parametrize("turns", [-0.25, -0.1, 0.0, 0.125, 0.25])
def test_hue_turns_the_colour_circle(turns: float) -> None:
    image = uniform(0, 2, 3, 4, 5)
    expected = np.stack([reference.hue(one, turns) for one in image.numpy()])
    close(apply_color_jitter(image, jitter(2, hue=turns)), expected, COLOR)


@given(SEEDS)
def test_images_that_are_not_chosen_stay_as_they_are(seed: int) -> None:
    image = uniform(seed, 3, 3, 4, 5)
    params = draw_color_jitter(3, generator=generator(seed))._replace(apply=torch.tensor([False, True, False]))
    out = apply_color_jitter(image, params)
    equal(out[[0, 2]], image[[0, 2]])
    assert not torch.equal(out[1], image[1])
    assert out.min() >= 0 and out.max() <= 1


@pytest.mark.parametrize("channels", [1, 4])
def test_images_without_colour_get_brightness_and_contrast_alone(channels: int) -> None:
    """Each contrast about its own mean, though one image is half as bright as the other."""
    image = uniform(0, 2, channels, 4, 5) * torch.tensor([1.0, 0.5])[:, None, None, None]
    params = jitter(2, brightness=0.8, contrast=0.5, saturation=0.5, hue=0.2)
    darker = 0.8 * image
    close(apply_color_jitter(image, params), (darker + darker.mean(dim=(1, 2, 3), keepdim=True)) / 2, COLOR)


def distribution(values: Tensor, low: float, high: float) -> float:
    """p-value of the values being uniform between low and high."""
    return float(stats.kstest(values.numpy(), stats.uniform(low, high - low).cdf).pvalue)


def test_jitter_draws_the_published_ranges() -> None:
    params = draw_color_jitter(4_000, generator=generator(0))
    assert stats.binomtest(int(params.apply.sum()), 4_000, 0.8).pvalue > SIGNIFICANCE
    for factor in (params.brightness, params.contrast, params.saturation):
        assert distribution(factor, 0.75, 1.25) > SIGNIFICANCE
    assert distribution(params.hue, -0.25, 0.25) > SIGNIFICANCE
    pairs = np.stack(
        [params.brightness.numpy(), params.contrast.numpy(), params.saturation.numpy(), params.hue.numpy()]
    )
    assert np.abs(np.corrcoef(pairs) - np.eye(4)).max() < 0.07


def test_every_order_of_the_four_changes_is_as_likely() -> None:
    source = generator(0)
    counts = Counter(draw_color_jitter(1, generator=source).order for _ in range(2_400))
    assert stats.chisquare([counts[order] for order in permutations(range(4))]).pvalue > SIGNIFICANCE


@given(SEEDS, st.sampled_from([(3, 5), (7, 8)]), st.sampled_from([1, 3]))
def test_blur_is_the_reference(seed: int, size: tuple[int, int], taps: int) -> None:
    image = uniform(seed, 2, 2, *size)
    sigma = torch.tensor([0.15, 1.15], dtype=torch.float64)
    out = apply_blur(image, Blur(torch.tensor([True, True]), sigma), taps=taps)
    expected = np.stack([reference.gaussian_blur(image[b].numpy(), sigma[b].item(), taps) for b in range(2)])
    close(out, expected)


def test_nine_taps_hold_the_strongest_blur() -> None:
    # An impulse in the middle: nine taps against thirteen, which lose less than 1e-7 of the Gaussian.
    image = torch.zeros(1, 1, 15, 15).double()
    image[..., 7, 7] = 1
    out = apply_blur(image, Blur(torch.tensor([True]), torch.tensor([1.15]).double()))
    close(out[0], reference.gaussian_blur(image[0].numpy(), 1.15, 13), 1e-4)


@given(SEEDS)
def test_blur_keeps_constants_and_the_images_that_are_not_chosen(seed: int) -> None:
    image = torch.cat([uniform(seed, 1, 3, 9, 9), torch.full((1, 3, 9, 9), 0.4).double()])
    out = apply_blur(image, draw_blur(2, generator=generator(seed))._replace(apply=torch.tensor([False, True])))
    equal(out[0], image[0])
    close(out[1], image[1])


def test_blur_accepts_images_smaller_than_its_kernel() -> None:
    image = normal(0, 1, 3, 2, 3).sigmoid()
    out = apply_blur(image, Blur(torch.tensor([True]), torch.tensor([1.0]).double()))
    assert out.shape == image.shape and out.isfinite().all()


def test_blur_draws_the_published_range() -> None:
    params = draw_blur(4_000, generator=generator(0))
    assert stats.binomtest(int(params.apply.sum()), 4_000, 0.5).pvalue > SIGNIFICANCE
    assert distribution(params.sigma, 0.15, 1.15) > SIGNIFICANCE
