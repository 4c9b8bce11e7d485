"""The prototype contrast: hardness, the two-stage draw, and the loss."""

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

from mmseg_css.functional import contrastive
from mmseg_css.functional.contrastive import (
    ContrastDraw,
    Sharing,
    confidence_indicator,
    draw_contrast,
    negative_class_probabilities,
    prototype_contrast_loss,
    similarity_indicator,
)
from tests.functional.helpers import SEEDS, SIDES, bits, class_map, close, equal, generator, normal
from tests.reference import contrastive as reference
from tests.reference.looped_contrast import looped_contrast

IGNORE = 255
TEMPERATURES = st.sampled_from([0.1, 0.5, 2.0])
# All randomness is seeded, so that a p-value this small means a wrong distribution and not bad luck.
SIGNIFICANCE = 1e-4


def as_reference(draw: ContrastDraw) -> reference.Draw:
    """The same draw as nested lists."""
    return reference.Draw(*(field.tolist() for field in draw[:4]))


def as_tensors(draw: reference.Draw) -> ContrastDraw:
    """The same draw as tensors."""
    return ContrastDraw(*(torch.tensor(field) for field in draw), torch.ones(len(draw.classes), dtype=torch.bool))


# Hardness


@given(SEEDS, SIDES, TEMPERATURES)
def test_similarity_indicator_is_the_reference(seed: int, side: int, temperature: float) -> None:
    embeddings, prototypes = normal(seed, 2, 3, side, 3), normal(seed + 1, 4, 3)
    labels, seen = class_map(seed + 2, 2, side, 3, num_classes=4), bits(seed + 3, 4, probability=0.6)
    close(
        similarity_indicator(embeddings, labels, prototypes, seen, temperature=temperature),
        reference.similarity_indicator(
            embeddings.numpy(), labels.numpy(), prototypes.numpy(), seen.numpy(), temperature
        ),
    )


@given(SEEDS, SIDES)
def test_confidence_indicator_is_the_reference(seed: int, side: int) -> None:
    logits, labels = 3 * normal(seed, 2, 4, side, 3), class_map(seed + 1, 2, side, 3, num_classes=4)
    close(confidence_indicator(logits, labels), reference.confidence_indicator(logits.numpy(), labels.numpy()))


@given(SEEDS)
def test_indicators_over_all_classes_sum_to_one(seed: int) -> None:
    embeddings, prototypes, logits = normal(seed, 1, 3, 2, 2), normal(seed + 1, 4, 3), normal(seed + 2, 1, 4, 2, 2)
    seen, maps = torch.ones(4, dtype=torch.bool), [torch.full((1, 2, 2), c) for c in range(4)]
    close(sum(similarity_indicator(embeddings, label, prototypes, seen) for label in maps), np.ones((1, 2, 2)))
    close(sum(confidence_indicator(logits, label) for label in maps), np.ones((1, 2, 2)))


def test_before_any_prototype_exists_every_pixel_is_hard() -> None:
    labels, seen = class_map(0, 2, 3, 3, num_classes=4), torch.zeros(4, dtype=torch.bool)
    indicator = similarity_indicator(normal(1, 2, 3, 3, 3), labels, torch.zeros(4, 3).double(), seen)
    equal(indicator, torch.zeros(2, 3, 3))


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


# The loss


def small_case(seed: int, num_classes: int = 4, ignored: float = 0.2) -> tuple[Tensor, ContrastDraw, Tensor]:
    """Embeddings, a draw in which pixels are query and negative at once, and prototypes."""
    embeddings, prototypes = normal(seed, 2, 3, 2, 3), normal(seed + 1, num_classes, 3)
    labels = class_map(seed + 2, 2, 2, 3, num_classes=num_classes, ignored=ignored)
    hard = bits(seed + 4, 2, 2, 3, probability=0.7)
    draw = draw_contrast(labels, hard, prototypes, num_queries=4, num_negatives=5, generator=generator(seed))
    return embeddings, draw, prototypes


@given(SEEDS, TEMPERATURES, st.sampled_from([0.0, 0.3, 0.8]))
def test_loss_is_the_reference(seed: int, temperature: float, ignored: float) -> None:
    embeddings, draw, prototypes = small_case(seed, ignored=ignored)
    array = embeddings.numpy()
    close(
        prototype_contrast_loss(embeddings, draw, prototypes, temperature=temperature),
        reference.prototype_contrast_loss(array, array, as_reference(draw), prototypes.numpy(), temperature),
    )


def test_loss_by_hand_counts_the_classes_present_not_the_classes_drawn() -> None:
    # Three classes along three axes, of which only class 0 has a hard pixel.
    embeddings = torch.eye(3, dtype=torch.float64).view(1, 3, 1, 3) * 7
    draw = ContrastDraw(
        classes=torch.tensor([0]),
        queries=torch.tensor([[0, 0]]),
        negatives=torch.tensor([[[1, 2, 1, 2], [2, 2, 2, 1]]]),
        present=torch.tensor([True, True, True]),
        found=torch.tensor([True]),
    )
    loss = prototype_contrast_loss(embeddings, draw, torch.eye(3, dtype=torch.float64) / 3, temperature=0.5)
    close(loss, np.log(1 + 4 * np.exp(-2)) / 3)


@given(SEEDS)
def test_gradient_is_that_of_the_queries_alone(seed: int) -> None:
    embeddings, draw, prototypes = small_case(seed)
    embeddings.requires_grad_()
    prototypes.requires_grad_()
    prototype_contrast_loss(embeddings, draw, prototypes, temperature=0.5).backward()
    assert embeddings.grad is not None
    assert prototypes.grad is None or not prototypes.grad.any()
    # Central differences of the reference: move what the queries read, hold what the negatives read.
    base, step, drawn, arrays = embeddings.detach().numpy(), 1e-5, as_reference(draw), prototypes.detach().numpy()
    expected = np.zeros_like(base)
    for position in np.ndindex(base.shape):
        values = []
        for sign in (1, -1):
            moved = base.copy()
            moved[position] += sign * step
            values.append(reference.prototype_contrast_loss(moved, base, drawn, arrays, 0.5))
        expected[position] = (values[0] - values[1]) / (2 * step)
    close(embeddings.grad, expected, 1e-7)


def test_pixels_that_are_no_query_get_no_gradient() -> None:
    embeddings, draw, prototypes = small_case(3)
    embeddings.requires_grad_()
    prototype_contrast_loss(embeddings, draw, prototypes).backward()
    assert embeddings.grad is not None
    touched = embeddings.grad.abs().sum(dim=1).flatten() > 0
    assert set(touched.nonzero()[:, 0].tolist()) == set(draw.queries.flatten().tolist())
    assert set(draw.negatives.flatten().tolist()) - set(draw.queries.flatten().tolist())


@pytest.mark.parametrize("sharing", ["per_query", "per_class"])
@pytest.mark.parametrize("labels", [[0, 0, 1, 255], [1, 1, 1, 1], [255, 255, 255, 255], [3, 2, 3, 2]])
def test_classes_that_have_nothing_to_draw_cost_nothing(
    monkeypatch: pytest.MonkeyPatch, sharing: Sharing, labels: list[int]
) -> None:
    # On a GPU all classes draw, whether they can or not.
    monkeypatch.setattr(contrastive, "_drawing", lambda eligible: torch.arange(len(eligible)))
    embeddings, prototypes = normal(0, 1, 3, 1, 4).requires_grad_(), normal(1, 4, 3)
    of_pixels, hard = torch.tensor(labels).view(1, 1, 4), torch.ones(1, 1, 4, dtype=torch.bool)
    draw = draw_contrast(of_pixels, hard, prototypes, 3, 2, sharing=sharing, generator=generator(0))
    assert draw.classes.tolist() == [0, 1, 2, 3]
    mixed = len({label for label in labels if label < 4}) > 1
    assert draw.found.tolist() == [mixed and label in labels for label in range(4)]
    drawn = ContrastDraw(
        draw.classes[draw.found],
        draw.queries[draw.found],
        draw.negatives[draw.found],
        draw.present,
        draw.found[draw.found],
    )
    (gradient,) = torch.autograd.grad(prototype_contrast_loss(embeddings, draw, prototypes), embeddings)
    loss = prototype_contrast_loss(embeddings, drawn, prototypes)
    close(prototype_contrast_loss(embeddings, draw, prototypes), loss.detach())
    close(gradient, torch.autograd.grad(loss, embeddings)[0])


def test_gradcheck() -> None:
    # Queries and negatives are different pixels here: finite differences cannot tell a constant from a variable.
    draw = ContrastDraw(
        classes=torch.tensor([0, 2]),
        queries=torch.tensor([[0, 1, 0], [2, 3, 3]]),
        negatives=torch.tensor([[[4, 5], [6, 7], [7, 7]], [[4, 4], [5, 6], [4, 7]]]),
        present=torch.tensor([True, True, True]),
        found=torch.tensor([True, True]),
    )
    prototypes, rest = normal(1, 3, 4), normal(2, 1, 4, 1, 4)
    queries = normal(0, 1, 4, 1, 4).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: prototype_contrast_loss(torch.cat([x, rest], dim=3), draw, prototypes, temperature=0.3), (queries,)
    )


def shared_draw(draw: ContrastDraw) -> ContrastDraw:
    """The first query's negatives for all queries of its class."""
    return draw._replace(negatives=draw.negatives[:, :1])


@given(SEEDS, TEMPERATURES)
def test_shared_negatives_are_the_reference_with_equal_rows(seed: int, temperature: float) -> None:
    embeddings, draw, prototypes = small_case(seed)
    shared = shared_draw(draw)
    written_out = shared._replace(negatives=shared.negatives.expand_as(draw.negatives))
    embeddings.requires_grad_()
    array = embeddings.detach().numpy()
    loss = prototype_contrast_loss(embeddings, shared, prototypes, temperature)
    close(
        loss,
        reference.prototype_contrast_loss(array, array, as_reference(written_out), prototypes.numpy(), temperature),
    )
    [gradient] = torch.autograd.grad(loss, embeddings)
    expected = torch.autograd.grad(
        prototype_contrast_loss(embeddings, written_out, prototypes, temperature), embeddings
    )
    close(gradient, expected[0])


def expectation(embeddings: Tensor, labels: Tensor, prototypes: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Loss and gradient averaged over every possible query and pair of negatives, weighted by its probability."""
    present = torch.tensor([bool((labels == c).any()) for c in range(len(prototypes))])
    of_class = negative_class_probabilities(prototypes, present, 0.5)
    members = [(labels.flatten() == c).nonzero()[:, 0].tolist() for c in range(len(prototypes))]
    total = torch.zeros((), dtype=embeddings.dtype)
    for c, own in enumerate(members):
        pixel = {j: float(of_class[c, k]) / len(members[k]) for k in range(len(members)) for j in members[k]}
        for query in own:
            for first, p in pixel.items():
                for second, q in pixel.items():
                    if p * q > 0:
                        drawn = [c], [[query]], [[[first, second]]], present, [True]
                        draw = ContrastDraw(*(torch.as_tensor(field) for field in drawn))
                        loss = prototype_contrast_loss(embeddings, draw, prototypes, temperature)
                        total = total + p * q / len(own) * loss
    return total.detach(), torch.autograd.grad(total, embeddings)[0]


@pytest.mark.parametrize("sharing", ["per_query", "per_class"])
def test_both_ways_of_drawing_have_the_same_expected_loss_and_gradient(sharing: str) -> None:
    """The mean of 4000 draws of each lies within five standard errors of the exact expectation, entry by entry."""
    labels = torch.tensor([[[0, 0, 1, 2]]])
    embeddings, prototypes = normal(0, 1, 3, 1, 4).requires_grad_(), normal(1, 3, 3)
    loss, gradient = expectation(embeddings, labels, prototypes, temperature=0.5)
    drawn, source = [], generator(2)
    for _ in range(4000):
        draw = draw_contrast(labels, labels >= 0, prototypes, 3, 2, 0.5, sharing, source)
        value = prototype_contrast_loss(embeddings, draw, prototypes, 0.5)
        slope = torch.autograd.grad(value, embeddings)[0]
        drawn.append(torch.cat([value.detach()[None], slope.flatten()]))
    samples = torch.stack(drawn)
    error = samples.std(dim=0) / len(samples) ** 0.5
    deviation = (samples.mean(dim=0) - torch.cat([loss[None], gradient.flatten()])).abs()
    assert (deviation < 5 * error + 1e-12).all()


@given(SEEDS, st.floats(min_value=1e-2, max_value=1e2))
def test_lengths_do_not_matter(seed: int, length: float) -> None:
    embeddings, draw, prototypes = small_case(seed)
    loss = prototype_contrast_loss(embeddings, draw, prototypes)
    close(prototype_contrast_loss(length * embeddings, draw, prototypes / length), loss)


@given(SEEDS)
def test_two_classes_draw_their_negatives_from_each_other(seed: int) -> None:
    labels = class_map(seed, 2, 2, 3, num_classes=2, ignored=0.0)
    labels[0, 0, 0], labels[0, 0, 1] = 0, 1
    prototypes, embeddings = normal(seed + 1, 2, 3), normal(seed + 2, 2, 3, 2, 3)
    hard = torch.ones_like(labels).bool()
    draw = draw_contrast(labels, hard, prototypes, num_queries=5, num_negatives=6, generator=generator(seed))
    assert draw.classes.tolist() == [0, 1]
    assert (labels.flatten()[draw.negatives] == 1 - draw.classes[:, None, None]).all()
    array = embeddings.numpy()
    expected = reference.prototype_contrast_loss(array, array, as_reference(draw), prototypes.numpy())
    close(prototype_contrast_loss(embeddings, draw, prototypes), expected)


@pytest.mark.parametrize("case", ["one class", "all ignored", "nothing hard"])
def test_without_a_contrast_the_loss_is_an_attached_zero(case: str) -> None:
    labels = {
        "one class": class_map(0, 2, 3, 3, num_classes=1, ignored=0.3),
        "all ignored": torch.full((2, 3, 3), IGNORE),
        "nothing hard": class_map(0, 2, 3, 3, num_classes=3),
    }[case]
    hard = torch.full((2, 3, 3), case != "nothing hard")
    embeddings, prototypes = normal(1, 2, 4, 3, 3).requires_grad_(), normal(2, 3, 4)
    draw = draw_contrast(labels, hard, prototypes, num_queries=4, num_negatives=5, generator=generator(3))
    assert draw.classes.shape == (0,) and draw.queries.shape == (0, 4) and draw.negatives.shape == (0, 4, 5)
    loss = prototype_contrast_loss(embeddings, draw, prototypes)
    assert loss.shape == () and loss.item() == 0.0
    loss.backward()
    assert embeddings.grad is not None
    equal(embeddings.grad, torch.zeros_like(embeddings))


def test_a_zero_embedding_has_finite_loss_and_gradient() -> None:
    embeddings, draw, prototypes = small_case(3)
    embeddings[:, :, 0] = 0
    embeddings.requires_grad_()
    array = embeddings.detach().numpy()
    loss = prototype_contrast_loss(embeddings, draw, prototypes)
    close(loss, reference.prototype_contrast_loss(array, array, as_reference(draw), prototypes.numpy()))
    loss.backward()
    assert embeddings.grad is not None and embeddings.grad.isfinite().all()


@pytest.mark.parametrize("temperature", [0.0, -0.5])
def test_a_temperature_that_is_not_positive_is_refused_in_words(temperature: float) -> None:
    embeddings, draw, prototypes = small_case(0)
    labels, present = torch.zeros(2, 2, 3).long(), torch.ones(4, dtype=torch.bool)
    calls: list[Callable[[], object]] = [
        lambda: prototype_contrast_loss(embeddings, draw, prototypes, temperature=temperature),
        lambda: negative_class_probabilities(prototypes, present, temperature=temperature),
        lambda: similarity_indicator(embeddings, labels, prototypes, present, temperature=temperature),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="temperature.*positive"):
            call()


def test_the_looped_transcription_has_the_same_expectation() -> None:
    """What the benchmark compares with computes the same term: means of 300 draws each, within five standard errors."""
    labels = torch.tensor([[[0, 0, 1, 2], [2, 1, 0, 0]]])
    embeddings, prototypes = normal(0, 1, 3, 2, 4), normal(1, 3, 3)
    torch.manual_seed(0)
    np.random.seed(0)
    source = generator(2)
    theirs, ours = [], []
    for _ in range(300):
        theirs.append(looped_contrast(embeddings, labels, labels >= 0, prototypes, 4, 5))
        draw = draw_contrast(labels, labels >= 0, prototypes, 4, 5, generator=source)
        ours.append(prototype_contrast_loss(embeddings, draw, prototypes))
    first, second = torch.stack(theirs), torch.stack(ours)
    error = ((first.var() + second.var()) / 300).sqrt()
    assert (first.mean() - second.mean()).abs() < 5 * error
