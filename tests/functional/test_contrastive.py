"""The prototype contrast: the loss of what was drawn."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmseg_css.functional import contrastive
from mmseg_css.functional.contrastive import (
    ContrastDraw,
    Sharing,
    draw_contrast,
    negative_class_probabilities,
    prototype_contrast_loss,
    similarity_indicator,
)
from tests.functional.helpers import IGNORE, SEEDS, TEMPERATURES, bits, class_map, close, equal, generator, normal
from tests.reference import contrastive as reference
from tests.reference.looped_contrast import looped_contrast


def as_reference(draw: ContrastDraw) -> reference.Draw:
    """The same draw as nested lists."""
    return reference.Draw(*(field.tolist() for field in draw[:4]))


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
    """The mean of 1500 draws of each lies within five standard errors of the exact expectation, entry by entry."""
    labels = torch.tensor([[[0, 0, 1, 2]]])
    embeddings, prototypes = normal(0, 1, 3, 1, 4).requires_grad_(), normal(1, 3, 3)
    loss, gradient = expectation(embeddings, labels, prototypes, temperature=0.5)
    drawn, source = [], generator(2)
    for _ in range(1500):
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
