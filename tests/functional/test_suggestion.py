"""Scores of images and the choice among them, against loops over pixels and images."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.functional import suggestion
from tests.reference import suggestion as reference

SEEDS = st.integers(0, 10_000)


def problem(seed: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities of three images, some of which are 0 or 1; padding, which covers the last image."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, classes, 3, 4, generator=generator)
    logits[0] *= 200
    valid = torch.rand(3, 3, 4, generator=generator) < 0.6
    valid[2] = False
    return logits.softmax(1), valid


@given(seed=SEEDS, classes=st.integers(1, 4))
def test_entropy(seed: int, classes: int) -> None:
    probabilities, valid = problem(seed, classes)
    found = suggestion.mean_entropy(probabilities, valid)
    assert found.tolist() == pytest.approx(reference.mean_entropy(probabilities, valid), abs=1e-5)
    assert found[2] == 0 and (found >= 0).all() and (found <= 1 + 1e-6).all()


@given(seed=SEEDS, classes=st.integers(1, 4))
def test_disagreement(seed: int, classes: int) -> None:
    probabilities, valid = problem(seed, classes)
    first, second = probabilities.argmax(1), problem(seed + 1, classes)[0].argmax(1)
    found = suggestion.disagreement(first, second, valid)
    assert found.tolist() == pytest.approx(reference.disagreement(first, second, valid))
    assert not suggestion.disagreement(first, first, valid).any()


@given(pixels=st.lists(st.sampled_from([0, 1, 5, 10**9]), min_size=1, max_size=5))
def test_rarity(pixels: list[int]) -> None:
    weights = suggestion.rarity(torch.tensor(pixels))
    assert weights.tolist() == pytest.approx(reference.rarity(pixels))
    assert weights.isfinite().all()


@given(seed=SEEDS, classes=st.integers(1, 4))
def test_expected_rarity(seed: int, classes: int) -> None:
    probabilities, valid = problem(seed, classes)
    weights = torch.rand(classes, generator=torch.Generator().manual_seed(seed)) * 100
    found = suggestion.expected_rarity(probabilities, weights, valid)
    assert found.tolist() == pytest.approx(reference.expected_rarity(probabilities, weights.tolist(), valid), rel=1e-4)


def test_an_image_of_a_rare_class_comes_before_one_of_a_frequent_class() -> None:
    weights = suggestion.rarity(torch.tensor([900, 100]))
    sure = torch.eye(2).reshape(2, 2, 1, 1)
    assert suggestion.expected_rarity(sure, weights, torch.ones(2, 1, 1, dtype=torch.bool)).tolist() == pytest.approx(
        [1000 / 900, 10]
    )


@given(seed=SEEDS, images=st.integers(1, 12), labelled=st.integers(0, 4), number=st.integers(1, 14))
def test_k_centre(seed: int, images: int, labelled: int, number: int) -> None:
    """On a lattice, so that there are copies and ties."""
    generator = torch.Generator().manual_seed(seed)
    vectors, known = (torch.randint(0, 3, (n, 2), generator=generator).float() for n in (images, labelled))
    indices, distances = suggestion.k_centre(vectors, known, number)
    assert indices.tolist() == reference.k_centre(vectors.tolist(), known.tolist(), number)
    assert (distances.diff().nan_to_num(0) <= 0).all()


def test_k_centre_with_more_labelled_images_than_fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    vectors, labelled = (torch.rand(n, 3, generator=generator) for n in (20, 11))
    whole = suggestion.k_centre(vectors, labelled, 5)
    monkeypatch.setattr(suggestion, "CHUNK", 4)
    assert [part.tolist() for part in suggestion.k_centre(vectors, labelled, 5)] == [part.tolist() for part in whole]


@given(scores=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=9), number=st.integers(1, 10))
def test_highest(scores: list[float], number: int) -> None:
    expected = sorted(range(len(scores)), key=lambda index: -scores[index])[:number]
    assert suggestion.highest(torch.tensor(scores), number).tolist() == expected
