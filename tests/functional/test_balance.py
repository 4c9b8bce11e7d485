"""Balanced logits, against Bayes' rule."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_css.functional.balance import balancing_shift

SEEDS = st.integers(0, 10_000)


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(2, 6), st.floats(0, 2))
def test_probabilities_become_those_of_other_shares(seed: int, classes: int, strength: float) -> None:
    """p(y | x) is in proportion to p(x | y) p(y); balanced, to p(x | y) p(y) ** (1 - strength)."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(1, 1000, (classes,), generator=generator)
    likelihoods = torch.rand(classes, 5, generator=generator) + 1e-3
    shares = (pixels / pixels.sum())[:, None]
    logits = (likelihoods * shares).log()
    balanced = (logits + balancing_shift(pixels, strength)[:, None]).softmax(dim=0)
    expected = likelihoods * shares ** (1 - strength)
    torch.testing.assert_close(balanced, expected / expected.sum(dim=0), rtol=1e-4, atol=1e-6)


def test_a_class_without_pixels_is_raised_least() -> None:
    shift = balancing_shift(torch.tensor([70, 0, 30]), 0.5)
    assert shift[1] == 0 and (shift >= 0).all() and shift[2] > shift[0] > 0


def test_no_pixels_at_all_in_words() -> None:
    with pytest.raises(ValueError, match="no class has labelled pixels"):
        balancing_shift(torch.zeros(3, dtype=torch.long), 0.5)


@pytest.mark.parametrize("strength", [float("nan"), float("inf")])
def test_a_strength_that_is_no_number_in_words(strength: float) -> None:
    with pytest.raises(ValueError, match="the strength must be a number, got"):
        balancing_shift(torch.tensor([1, 1]), strength)
