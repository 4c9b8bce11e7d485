"""PC2Seg's negative samplers: the linear form draws what the m x m matrix says."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from mmseg_css.functional.negative_sampling import SAMPLERS, Mixture, draw_anchors, draw_negatives
from tests.functional.helpers import SEEDS, bits, equal, generator, normal, uniform
from tests.reference.pc2seg import probability_matrix

DRAWS = 100_000
PROBLEMS = 20
# All randomness is seeded, so that a p-value this small means a wrong distribution and not bad luck.
SIGNIFICANCE = 1e-4
NAMES = pytest.mark.parametrize("name", SAMPLERS)


def problem(seed: int, batch: int = 3, classes: int = 4, size: tuple[int, int] = (2, 3)) -> tuple[Tensor, Tensor]:
    """Class probabilities, some nearly certain, of frequent and rare classes; valid pixels, at least one an image."""
    sharpness = 3 * uniform(seed + 1, batch, 1, *size)
    frequency = 2 * normal(seed + 3, 1, classes, 1, 1)
    probabilities = (sharpness * normal(seed, batch, classes, *size) + frequency).softmax(dim=1)
    valid = bits(seed + 2, batch, *size, probability=0.7)
    valid[:, 0, 0] = True
    return probabilities, valid


def fit(mixture: Mixture, expected: Tensor, anchor: int, valid: Tensor, seed: int) -> float:
    """The p-value of a chi-square test of one anchor's negatives; 0 if an impossible pixel was drawn."""
    draw = draw_negatives(mixture, torch.tensor([anchor]), valid, DRAWS, generator(seed))
    return chi_square(draw.negatives[0], expected)


def chi_square(negatives: Tensor, expected: Tensor) -> float:
    """The p-value of draws from a distribution; 0 if an impossible pixel was drawn."""
    counts = torch.bincount(negatives, minlength=len(expected)).double()
    if counts[expected == 0].any():
        return 0.0
    # Chi-square wants no rare cells: those are taken as one.
    rare = DRAWS * expected < 20
    observed = torch.cat([counts[~rare], counts[rare].sum(dim=0, keepdim=True)])
    wanted = DRAWS * torch.cat([expected[~rare], expected[rare].sum(dim=0, keepdim=True)])
    enough = wanted > 1e-6
    return float(stats.chisquare(observed[enough].numpy(), wanted[enough].numpy()).pvalue)


@NAMES
@pytest.mark.parametrize("seed", range(PROBLEMS))
def test_negatives_follow_the_matrix(name: str, seed: int) -> None:
    probabilities, valid = problem(1000 + seed)
    anchor = 7 * seed % valid.numel()
    expected = probability_matrix(name, probabilities, valid)[anchor]
    assert fit(SAMPLERS[name](probabilities), expected, anchor, valid, seed) > SIGNIFICANCE


@NAMES
def test_every_anchor_of_one_draw_follows_its_row(name: str) -> None:
    """In float32, as in training."""
    probabilities, valid = problem(1)
    anchors = valid.flatten().nonzero()[:, 0]
    draw = draw_negatives(SAMPLERS[name](probabilities.float()), anchors, valid, DRAWS, generator(0))
    expected = probability_matrix(name, probabilities, valid)[anchors]
    assert len(anchors) > 5
    assert min(map(chi_square, draw.negatives, expected)) > SIGNIFICANCE


def wrong(name: str, probabilities: Tensor) -> Mixture:
    """A plausible mistake: the class drawn by y_ic alone, not by y_ic S_c; or the image condition the other way."""
    mixture = SAMPLERS[name](probabilities)
    if name.endswith("debiased"):
        return mixture._replace(candidate=mixture.candidate / mixture.candidate.sum(dim=(0, 2, 3), keepdim=True))
    return mixture._replace(other_images_only=not mixture.other_images_only)


@NAMES
def test_a_wrong_sampler_does_not_follow_the_matrix(name: str) -> None:
    p_values = []
    for seed in range(PROBLEMS):
        probabilities, valid = problem(1000 + seed)
        anchor = 7 * seed % valid.numel()
        expected = probability_matrix(name, probabilities, valid)[anchor]
        p_values.append(fit(wrong(name, probabilities), expected, anchor, valid, seed))
    assert sum(p <= SIGNIFICANCE for p in p_values) > PROBLEMS / 2


@given(SEEDS, st.sampled_from(list(SAMPLERS)))
def test_the_mixture_is_the_matrix(seed: int, name: str) -> None:
    """The decomposition itself, without a draw."""
    probabilities, valid = problem(seed)
    mixture = SAMPLERS[name](probabilities)
    anchor, candidate = (maps.movedim(1, -1).reshape(valid.numel(), -1) for maps in mixture[:2])
    weight = anchor @ candidate.T * valid.reshape(1, -1)
    if mixture.other_images_only:
        image = torch.arange(valid.numel()) // valid[0].numel()
        weight = weight * (image[:, None] != image[None, :])
    expected = probability_matrix(name, probabilities, valid)
    torch.testing.assert_close(weight / weight.sum(dim=1, keepdim=True), expected, rtol=0, atol=1e-12)


@given(SEEDS, st.sampled_from(list(SAMPLERS)), st.integers(1, 60))
def test_negatives_are_valid_and_possible(seed: int, name: str, num_negatives: int) -> None:
    probabilities, valid = problem(seed)
    anchors = torch.arange(valid.numel())
    draw = draw_negatives(SAMPLERS[name](probabilities.float()), anchors, valid, num_negatives, generator(seed))
    assert draw.found.all()
    assert valid.flatten()[draw.negatives].all()
    if name.startswith("different_image"):
        assert (draw.negatives // valid[0].numel() != anchors[:, None] // valid[0].numel()).all()


@NAMES
def test_one_image_is_its_own_pool(name: str) -> None:
    probabilities, valid = problem(5, batch=1)
    expected = probability_matrix(name, probabilities, valid)[2]
    assert fit(SAMPLERS[name](probabilities), expected, 2, valid, seed=0) > SIGNIFICANCE


@pytest.mark.parametrize("name", ["pseudo_label_debiased", "different_image_debiased"])
def test_all_pixels_surely_of_one_class_leave_no_negatives(name: str) -> None:
    certain = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1).expand(2, 2, 2, 2)
    draw = draw_negatives(SAMPLERS[name](certain), torch.arange(8), torch.ones(2, 2, 2).bool(), 3, generator(0))
    assert not draw.found.any()
    equal(draw.negatives, torch.zeros(8, 3))


@pytest.mark.parametrize("name", ["pseudo_label_debiased", "different_image_debiased"])
def test_small_doubts_are_drawn_in_proportion(name: str) -> None:
    """A softmax is rarely certain: p is what the equation says, though below 1 float32 has steps of 6e-8."""
    doubt = torch.tensor([1e-7, 2e-8, 5e-8, 1e-7, 3e-7, 1e-6]).double()
    probabilities = torch.stack([-doubt.log(), torch.zeros(6)], dim=1).float().softmax(dim=1).reshape(6, 2, 1, 1)
    valid = torch.ones(6, 1, 1).bool()
    draw = draw_negatives(SAMPLERS[name](probabilities), torch.tensor([0]), valid, DRAWS, generator(0))
    weight = doubt[0] * (1 - doubt) + (1 - doubt[0]) * doubt  # that the two pixels are of different classes
    if name == "different_image_debiased":
        weight[0] = 0
    assert draw.found.all()
    assert chi_square(draw.negatives[0], weight / weight.sum()) > SIGNIFICANCE


def test_an_image_surely_of_the_anchors_class_is_left_for_the_anchors_own_image() -> None:
    # Image 0 shows both classes, image 1 only the first: a pixel of it in image 0 finds its opposite at home.
    probabilities = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]], [[[1.0, 1.0]], [[0.0, 0.0]]]])
    mixture, valid = SAMPLERS["different_image_debiased"](probabilities), torch.ones(2, 1, 2).bool()
    draw = draw_negatives(mixture, torch.arange(4), valid, 5, generator(0))
    assert draw.found.all()
    equal(draw.negatives[0], torch.full((5,), 1))  # nothing elsewhere differs from it
    assert set(draw.negatives[1].tolist()) <= {2, 3}
    equal(draw.negatives[2:], torch.full((2, 5), 1))


@NAMES
def test_nothing_valid_leaves_no_negatives(name: str) -> None:
    probabilities, valid = problem(0)
    draw = draw_negatives(SAMPLERS[name](probabilities), torch.arange(4), torch.zeros_like(valid), 3, generator(0))
    assert not draw.found.any()


def test_small_weights_in_a_pool_of_a_million_pixels() -> None:
    """After half a million weights of 1, a float32 sum no longer grows by 0.01."""
    pixels = 2**20
    other = torch.full((pixels,), 0.01)
    other[: pixels // 2] = 1
    other[0] = 0  # the anchor, sure of the first class
    probabilities = torch.stack([1 - other, other]).reshape(1, 2, 1024, 1024)
    valid = torch.ones(1, 1024, 1024, dtype=torch.bool)
    mixture = SAMPLERS["pseudo_label_debiased"](probabilities)
    [negatives] = draw_negatives(mixture, torch.tensor([0]), valid, DRAWS, generator(0)).negatives
    quarters = other.double().reshape(4, -1).sum(dim=1)
    assert chi_square(negatives // (pixels // 4), quarters / quarters.sum()) > SIGNIFICANCE


@given(SEEDS)
def test_anchors_are_valid(seed: int) -> None:
    valid = bits(seed, 2, 3, 4, probability=0.3)
    anchors = draw_anchors(valid, 50, generator(seed))
    assert valid.flatten()[anchors].all() if valid.any() else (anchors == 0).all()


def test_anchors_are_uniform() -> None:
    valid = bits(0, 2, 3, 4, probability=0.5)
    counts = torch.bincount(draw_anchors(valid, 20_000, generator(0)), minlength=24)
    assert stats.chisquare(counts[valid.flatten()].numpy()).pvalue > SIGNIFICANCE


@NAMES
def test_probabilities_that_are_no_numbers_give_indices_all_the_same(name: str) -> None:
    """What is lost already is for the loss to show, not for an index out of range."""
    probabilities, valid = problem(0)
    probabilities[0, :, 0] = float("nan")
    draw = draw_negatives(SAMPLERS[name](probabilities), torch.arange(18), valid, 30, generator(0))
    assert (draw.negatives >= 0).all() and (draw.negatives < 18).all()
