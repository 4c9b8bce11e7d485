"""Dropped channels: how often, which together, and what they leave of the features."""

import pytest
import torch
from scipy import stats

from mmseg_css.functional.channel_dropout import (
    draw_channel_factors,
    draw_complementary_factors,
    draw_half,
    drop_channels,
    drop_complementary,
)
from tests.functional.helpers import generator

SIGNIFICANCE = 1e-4


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5])
def test_a_channel_is_dropped_with_its_probability_and_keeps_its_expectation(probability: float) -> None:
    factors = draw_channel_factors(100, 200, probability, generator(0))
    dropped = int((factors == 0).sum())
    assert stats.binomtest(dropped, 20_000, probability).pvalue > SIGNIFICANCE
    assert factors[factors > 0].unique().tolist() == [pytest.approx(1 / (1 - probability))]


def test_channels_and_images_are_dropped_independently() -> None:
    kept = (draw_channel_factors(4000, 2, 0.5, generator(1)) > 0).long()
    for pair in (kept[:, 0] * 2 + kept[:, 1], kept[::2, 0] * 2 + kept[1::2, 0]):
        assert stats.chisquare(torch.bincount(pair, minlength=4)).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_half_of_the_images_rounded_down_each_as_often_as_any_other(batch: int) -> None:
    source = generator(2)
    draws = torch.stack([draw_half(batch, source) for _ in range(2000)])
    assert (draws.sum(dim=1) == batch // 2).all()
    if batch > 1:
        assert stats.chisquare(draws.sum(dim=0)).pvalue > SIGNIFICANCE


def test_two_views_have_complementary_channels_and_undisturbed_images_all() -> None:
    undisturbed = torch.arange(100) % 2 == 0
    first, second = draw_complementary_factors(undisturbed, 200, generator(3)).chunk(2)
    assert torch.equal(first + second, torch.full((100, 200), 2.0))
    assert (first[undisturbed] == 1).all()
    assert set(first[~undisturbed].unique().tolist()) == {0.0, 2.0}
    assert stats.binomtest(int((first[~undisturbed] == 2).sum()), 10_000, 0.5).pvalue > SIGNIFICANCE


def test_whole_channels_are_dropped_of_each_level_apart() -> None:
    features = [torch.rand(3, 16, 4, 4) + 1, torch.rand(3, 16, 2, 2) + 1]
    low, high = drop_channels(features, 0.5, generator(4))
    for before, after in zip(features, (low, high), strict=True):
        factor = (after / before).flatten(2)
        assert ((factor == 0) | (factor - 2).abs().lt(1e-6)).all()
        assert (factor.amax(dim=2) - factor.amin(dim=2) < 1e-6).all()
    assert not torch.equal(low[:, :, 0, 0] == 0, high[:, :, 0, 0] == 0)


def test_all_levels_of_a_width_share_their_complementary_channels() -> None:
    features = [torch.ones(8, 16, 4, 4), torch.ones(8, 6, 3, 3), torch.ones(8, 16, 2, 2)]
    first, other, last = drop_complementary(features, generator(5))
    assert torch.equal(first[:, :, 0, 0], last[:, :, 0, 0])
    undisturbed = (first[:4] == 1).flatten(1).all(dim=1)
    assert undisturbed.sum() == 2
    assert torch.equal((other[:4] == 1).flatten(1).all(dim=1), undisturbed)
    assert all(torch.equal(level[:4] + level[4:], torch.full_like(level[:4], 2.0)) for level in (first, other, last))


def test_the_gradient_is_the_factor() -> None:
    features = torch.rand(2, 8, 3, 3, requires_grad=True)
    [dropped] = drop_channels([features], 0.5, generator(6))
    [gradient] = torch.autograd.grad(dropped.sum(), features)
    assert torch.equal(gradient, (dropped / features).detach().round())


def test_a_probability_that_drops_all_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\), got 1.0"):
        draw_channel_factors(1, 1, 1.0)
