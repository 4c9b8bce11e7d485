"""The prototype contrast: the two-stage draw."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from mmseg_css.functional.contrastive import ContrastDraw, draw_contrast, negative_class_probabilities
from tests.functional.helpers import (
    IGNORE,
    SEEDS,
    SIDES,
    TEMPERATURES,
    bits,
    class_map,
    close,
    equal,
    generator,
    normal,
)
from tests.reference import contrastive as reference

# All randomness is seeded, so that a p-value this small means a wrong distribution and not bad luck.
SIGNIFICANCE = 1e-4


def as_tensors(draw: reference.Draw) -> ContrastDraw:
    """The same draw as tensors."""
    return ContrastDraw(*(torch.tensor(field) for field in draw), torch.ones(len(draw.classes), dtype=torch.bool))


# Classes of the negatives


@given(SEEDS, TEMPERATURES)
def test_negative_class_probabilities_are_the_reference(seed: int, temperature: float) -> None:
    prototypes, present = normal(seed, 5, 3), bits(seed + 1, 5, probability=0.7)
    actual = negative_class_probabilities(prototypes, present, temperature=temperature)
    expected = reference.negative_class_probabilities(prototypes.numpy(), present.numpy(), temperature)
    # What an absent class would draw means nothing.
    close(actual[present], expected[present.numpy()])


@given(SEEDS, TEMPERATURES)
def test_rows_sum_to_one_over_the_other_present_classes(seed: int, temperature: float) -> None:
    prototypes, present = normal(seed, 5, 3), bits(seed + 1, 5, probability=0.7)
    present[:2] = True
    probabilities = negative_class_probabilities(prototypes, present, temperature=temperature)
    close(probabilities[present].sum(dim=1), torch.ones(int(present.sum())))
    equal(probabilities.diagonal(), torch.zeros(5))
    equal(probabilities[:, ~present], torch.zeros(5, int((~present).sum())))


def test_probabilities_stay_finite_where_a_class_is_alone() -> None:
    probabilities = negative_class_probabilities(normal(0, 3, 4), torch.tensor([False, True, False]))
    equal(probabilities, torch.zeros(3, 3))


# The draw


@given(SEEDS, SIDES, st.sampled_from([0.0, 0.3, 0.9]), st.sampled_from([0.1, 0.5, 1.0]))
def test_draw_keeps_to_the_rules(seed: int, side: int, ignored: float, share_hard: float) -> None:
    labels = class_map(seed, 2, side, 3, num_classes=4, ignored=ignored)
    # Hard pixels are offered among the ignored ones too: they must not be taken.
    hard, prototypes = bits(seed + 2, 2, side, 3, probability=share_hard), normal(seed + 3, 4, 3)
    draw = draw_contrast(labels, hard, prototypes, num_queries=6, num_negatives=7, generator=generator(seed))
    flat, flat_hard = labels.flatten(), hard.flatten()
    present = [bool((flat == c).any()) for c in range(4)]
    assert draw.present.tolist() == present
    expected = [c for c in range(4) if (flat_hard & (flat == c)).any()] if sum(present) >= 2 else []
    assert sorted(draw.classes.tolist()) == expected
    assert draw.queries.shape == (len(expected), 6) and draw.negatives.shape == (len(expected), 6, 7)
    for c, queries, negatives in zip(draw.classes, draw.queries, draw.negatives, strict=True):
        assert (flat[queries] == c).all() and flat_hard[queries].all()
        assert ((flat[negatives] != c) & (flat[negatives] != IGNORE)).all()


def test_negative_labels_are_not_valid_either() -> None:
    labels = torch.tensor([[[-1, 0, 1, 2, IGNORE]]])
    draw = draw_contrast(
        labels, torch.ones_like(labels).bool(), normal(0, 2, 3), num_queries=50, num_negatives=4, generator=generator(0)
    )
    assert draw.present.tolist() == [True, True] and draw.classes.tolist() == [0, 1]
    assert draw.queries.unique(dim=1).tolist() == [[1], [2]]
    assert draw.negatives[0].unique().tolist() == [2] and draw.negatives[1].unique().tolist() == [1]


def goodness(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """p-value of the chi-square test; 0 if something impossible was counted, 1 if only one thing was possible."""
    possible = probabilities > 0
    if counts[~possible].any():
        return 0.0
    if possible.sum() == 1:
        return 1.0
    return float(stats.chisquare(counts[possible], counts.sum() * probabilities[possible]).pvalue)


def negatives_p_value(draw: ContrastDraw, labels: Tensor, prototypes: Tensor, temperature: float) -> float:
    """Do all classes draw their negative *pixels* in two stages? The smallest p-value over the classes."""
    flat = labels.flatten().numpy()
    stage = reference.negative_class_probabilities(prototypes.numpy(), draw.present.numpy(), temperature)
    p_values = []
    for c, negatives in zip(draw.classes.tolist(), draw.negatives, strict=True):
        probabilities = np.array([0.0 if j == IGNORE else stage[c, j] / (flat == j).sum() for j in flat])
        counts = np.bincount(negatives.flatten().numpy(), minlength=len(flat))
        p_values.append(goodness(counts, probabilities))
    return min(p_values)


def queries_p_value(draw: ContrastDraw, labels: Tensor, hard: Tensor) -> float:
    """Do all classes draw their queries uniformly from their hard pixels? The smallest p-value over the classes."""
    p_values = []
    for c, queries in zip(draw.classes.tolist(), draw.queries, strict=True):
        candidates = (hard & (labels == c)).flatten().numpy()
        counts = np.bincount(queries.numpy(), minlength=len(candidates))
        p_values.append(goodness(counts, candidates / candidates.sum()))
    return min(p_values)


def independence_p_value(first: Tensor, second: Tensor) -> float:
    """p-value of the hypothesis that two paired series of small integers have nothing to do with each other."""
    rows, columns = first.unique(return_inverse=True)[1], second.unique(return_inverse=True)[1]
    table = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1))
    np.add.at(table, (rows.numpy(), columns.numpy()), 1)
    return float(stats.contingency.chi2_contingency(table).pvalue)


# Classes of 1 to 16 pixels, one class absent, so that pixels and classes differ in frequency by an order.
LABELS = torch.tensor([0] * 1 + [1] * 3 + [2] * 16 + [4] * 9 + [IGNORE] * 7).view(2, 3, 6)
HARD = bits(5, 2, 3, 6, probability=0.6) | (LABELS == 0)
PROTOTYPES = normal(6, 5, 3)


def large_draw(labels: Tensor = LABELS, hard: Tensor = HARD, prototypes: Tensor = PROTOTYPES) -> ContrastDraw:
    """10^5 negatives and 2 * 10^4 queries for each of the four classes present."""
    return draw_contrast(
        labels, hard, prototypes, num_queries=20_000, num_negatives=5, temperature=0.5, generator=generator(7)
    )


def test_negatives_and_queries_follow_the_two_stage_distribution() -> None:
    draw = large_draw()
    assert draw.classes.tolist() == [0, 1, 2, 4]
    assert negatives_p_value(draw, LABELS, PROTOTYPES, temperature=0.5) > SIGNIFICANCE
    assert queries_p_value(draw, LABELS, HARD) > SIGNIFICANCE


def test_the_naive_sampler_follows_the_same_distribution() -> None:
    drawn = reference.draw_contrast(LABELS.numpy(), HARD.numpy(), PROTOTYPES.numpy(), 400, 10, 0.5, random.Random(0))
    draw = as_tensors(drawn)
    assert negatives_p_value(draw, LABELS, PROTOTYPES, temperature=0.5) > SIGNIFICANCE
    assert queries_p_value(draw, LABELS, HARD) > SIGNIFICANCE


def one_stage(draw: ContrastDraw) -> ContrastDraw:
    """A wrong sampler: any valid pixel of another class, however its class resembles the query's."""
    flat = LABELS.flatten()
    rows = []
    for c in draw.classes:
        pixels = ((flat != c) & (flat != IGNORE)).nonzero()[:, 0]
        rows.append(pixels[torch.randint(len(pixels), draw.negatives.shape[1:], generator=generator(8))])
    return draw._replace(negatives=torch.stack(rows))


def uniform_classes(_: ContrastDraw) -> ContrastDraw:
    """A wrong sampler: every other class as likely, as if all prototypes were the same."""
    return large_draw(prototypes=torch.ones(5, 3).double())


def easy_queries(_: ContrastDraw) -> ContrastDraw:
    """A wrong sampler: queries from all valid pixels of the class."""
    return large_draw(hard=torch.ones_like(HARD))


def first_pixels(draw: ContrastDraw) -> ContrastDraw:
    """A wrong sampler: classes as they should be, but never the last pixel of a class."""
    flat = LABELS.flatten()
    last = (flat == 2).nonzero()[-1]
    return draw._replace(negatives=torch.where(draw.negatives == last, last - 1, draw.negatives))


@pytest.mark.parametrize("wrong", [one_stage, uniform_classes, easy_queries, first_pixels])
def test_wrong_samplers_fail_the_same_test(wrong: Callable[[ContrastDraw], ContrastDraw]) -> None:
    draw = wrong(large_draw())
    p_values = (negatives_p_value(draw, LABELS, PROTOTYPES, temperature=0.5), queries_p_value(draw, LABELS, HARD))
    assert min(p_values) < SIGNIFICANCE


def test_every_negative_is_a_draw_of_its_own() -> None:
    draw = large_draw()
    negatives, queries = LABELS.flatten()[draw.negatives], draw.queries
    for of_class, of_next in zip(negatives, negatives.roll(1, dims=0), strict=True):
        assert independence_p_value(of_class[:, 0], of_class[:, 1]) > SIGNIFICANCE
        assert independence_p_value(of_class[::2, 0], of_class[1::2, 0]) > SIGNIFICANCE
        assert independence_p_value(of_class[:, 0], of_next[:, 0]) > SIGNIFICANCE
    for of_class, drawn in zip(queries[1:], draw.negatives[1:], strict=True):
        assert independence_p_value(of_class[::2], of_class[1::2]) > SIGNIFICANCE
        assert independence_p_value(of_class, drawn[:, 0]) > SIGNIFICANCE
    # The same check notices negatives that all queries share in pairs.
    shared = negatives[2].clone()
    shared[1::2] = shared[::2]
    assert independence_p_value(shared[::2, 0], shared[1::2, 0]) < SIGNIFICANCE
