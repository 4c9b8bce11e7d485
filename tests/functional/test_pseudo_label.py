"""Pseudo-labels of both spaces, their agreement, and the loss."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmseg_css.functional.pseudo_label import (
    agreement,
    logit_pseudo_label,
    prototype_pseudo_label,
    pseudo_label_loss,
    relative_confidence,
)
from mmseg_css.types import PseudoLabel
from tests.functional.helpers import SEEDS, SIDES, bits, class_map, close, equal, normal, uniform
from tests.reference import pseudo_label as reference

UPSAMPLED = st.integers(min_value=1, max_value=7)
IGNORE = 255


def labeled(label: Tensor) -> PseudoLabel:
    """A pseudo-label whose confidence does not matter."""
    return PseudoLabel(label, torch.ones(label.shape, dtype=torch.float64))


@given(SEEDS, SIDES, SIDES, UPSAMPLED, UPSAMPLED, st.booleans())
def test_logit_pseudo_label_is_the_reference(seed: int, h: int, w: int, big_h: int, big_w: int, corners: bool) -> None:
    logits = 3 * normal(seed, 2, 4, h, w)
    actual = logit_pseudo_label(logits, (big_h, big_w), align_corners=corners)
    label, confidence = reference.logit_pseudo_label(logits.numpy(), (big_h, big_w), corners)
    equal(actual.label, label)
    close(actual.confidence, confidence)


def test_logits_are_upsampled_before_the_softmax_not_after() -> None:
    # Half way between logits (4, 0) and (0, 8) lie (2, 4): class 1. Half way between the *probabilities* lies less
    # confidence than softmax(2, 4) has.
    logits = torch.tensor([[4.0, 0.0], [0.0, 8.0]], dtype=torch.float64).view(1, 2, 1, 2)
    label, confidence = logit_pseudo_label(logits, (1, 3))
    assert label[0, 0].tolist() == [0, 1, 1]
    close(confidence[0, 0, 1], torch.sigmoid(torch.tensor(2.0, dtype=torch.float64)))


@given(SEEDS, SIDES, UPSAMPLED, UPSAMPLED, st.booleans(), st.sampled_from([0.1, 0.5, 2.0]))
def test_prototype_pseudo_label_is_the_reference(
    seed: int, side: int, big_h: int, big_w: int, corners: bool, temperature: float
) -> None:
    embeddings, prototypes = normal(seed, 2, 3, side, 3), normal(seed + 1, 4, 3)
    seen = bits(seed + 2, 4, probability=0.6)
    actual = prototype_pseudo_label(
        embeddings, prototypes, seen, (big_h, big_w), temperature=temperature, align_corners=corners
    )
    label, confidence = reference.prototype_pseudo_label(
        embeddings.numpy(), prototypes.numpy(), seen.numpy(), (big_h, big_w), temperature, corners
    )
    equal(actual.label, label)
    close(actual.confidence, confidence)


@given(SEEDS, st.floats(min_value=1e-3, max_value=1e3))
def test_lengths_do_not_matter_to_the_representation_space(seed: int, length: float) -> None:
    embeddings, prototypes = normal(seed, 1, 3, 3, 3), normal(seed + 1, 4, 3)
    seen = torch.ones(4, dtype=torch.bool)
    plain = prototype_pseudo_label(embeddings, prototypes, seen, (5, 5))
    longer = prototype_pseudo_label(length * embeddings, prototypes / length, seen, (5, 5))
    equal(longer.label, plain.label)
    close(longer.confidence, plain.confidence)


@given(SEEDS)
def test_an_unseen_class_is_never_predicted_whatever_its_prototype_holds(seed: int) -> None:
    embeddings, prototypes = normal(seed, 2, 3, 3, 3), normal(seed + 1, 4, 3)
    seen = torch.tensor([True, False, True, False])
    other = prototypes.clone()
    other[~seen] = 100 * normal(seed + 2, 2, 3)
    first = prototype_pseudo_label(embeddings, prototypes, seen, (4, 4))
    second = prototype_pseudo_label(embeddings, other, seen, (4, 4))
    assert set(first.label.unique().tolist()) <= {0, 2}
    equal(first.label, second.label)
    close(first.confidence, second.confidence)


def test_without_any_prototype_there_is_no_pseudo_label() -> None:
    seen = torch.zeros(4, dtype=torch.bool)
    label, confidence = prototype_pseudo_label(normal(0, 2, 3, 3, 3), torch.zeros(4, 3).double(), seen, (4, 5))
    equal(label, torch.full((2, 4, 5), IGNORE))
    equal(confidence, torch.zeros(2, 4, 5))


@given(SEEDS, st.sampled_from([1e-3, 1.0, 1e3]))
def test_confidences_are_probabilities_of_the_largest_class(seed: int, spread: float) -> None:
    seen = torch.ones(4, dtype=torch.bool)
    for pseudo in (
        logit_pseudo_label(spread * normal(seed, 2, 4, 3, 3), (5, 5)),
        prototype_pseudo_label(spread * normal(seed, 2, 3, 3, 3), normal(seed + 1, 4, 3), seen, (5, 5)),
    ):
        assert ((pseudo.confidence >= 1 / 4 - 1e-12) & (pseudo.confidence <= 1 + 1e-12)).all()
        assert ((pseudo.label >= 0) & (pseudo.label < 4)).all()


@given(SEEDS, SIDES)
def test_agreement_is_the_reference_symmetric_and_a_subset_of_both(seed: int, side: int) -> None:
    first, second = class_map(seed, 2, side, 4, num_classes=2), class_map(seed + 7, 2, side, 4, num_classes=2)
    common = agreement(labeled(first), labeled(second))
    equal(common, reference.agreement(first.numpy(), second.numpy()))
    equal(common, agreement(labeled(second), labeled(first)))
    equal(agreement(labeled(first), labeled(first)), first)
    kept = common != IGNORE
    assert (common[kept] == first[kept]).all() and (common[kept] == second[kept]).all()


@given(SEEDS, SIDES, st.sampled_from([0.0, 0.5, 0.97]), st.sampled_from([0.0, 0.3, 0.9]))
def test_loss_is_the_reference(seed: int, side: int, threshold: float, ignored: float) -> None:
    logits, confidence = 2 * normal(seed, 3, 4, side, 4), uniform(seed + 1, 3, side, 4)
    label = class_map(seed + 2, 3, side, 4, num_classes=4, ignored=ignored)
    close(
        pseudo_label_loss(logits, label, confidence, threshold=threshold),
        reference.pseudo_label_loss(logits.numpy(), label.numpy(), confidence.numpy(), threshold),
    )


def test_loss_with_another_ignore_index_is_the_reference() -> None:
    logits, confidence = normal(0, 2, 4, 3, 4), uniform(1, 2, 3, 4)
    label = class_map(2, 2, 3, 4, num_classes=4, ignored=0.3, ignore_index=9)
    close(
        pseudo_label_loss(logits, label, confidence, threshold=0.4, ignore_index=9),
        reference.pseudo_label_loss(logits.numpy(), label.numpy(), confidence.numpy(), 0.4, 9),
    )


def test_the_weight_counts_ignored_pixels_so_it_can_exceed_one() -> None:
    logits = normal(0, 1, 3, 2, 2)
    label = torch.tensor([[[2, IGNORE], [IGNORE, IGNORE]]])
    confidence = torch.tensor([[[0.1, 0.99], [0.98, 0.97]]], dtype=torch.float64)
    expected = 3 / 1 * -logits.log_softmax(dim=1)[0, 2, 0, 0]
    close(pseudo_label_loss(logits, label, confidence, threshold=0.97), expected)


def test_the_weight_is_per_image_and_the_mean_over_the_pixels_of_the_batch() -> None:
    logits = normal(0, 2, 3, 1, 2)
    label = torch.tensor([[[0, 1]], [[2, IGNORE]]])
    confidence = torch.tensor([[[0.99, 0.2]], [[0.99, 0.99]]], dtype=torch.float64)
    ce = -logits.log_softmax(dim=1)
    expected = (0.5 * (ce[0, 0, 0, 0] + ce[0, 1, 0, 1]) + 2.0 * ce[1, 2, 0, 0]) / 3
    close(pseudo_label_loss(logits, label, confidence), expected)


def test_pixels_without_any_loss_do_not_dilute_the_mean() -> None:
    # In float64 log(1 + exp(-1000)) is 0 exactly: such a pixel counts for the weight, not for the mean.
    logits = torch.tensor([[1000.0, 0.0], [0.0, 0.0]], dtype=torch.float64).view(1, 2, 1, 2)
    loss = pseudo_label_loss(logits, torch.tensor([[[0, 1]]]), torch.ones(1, 1, 2).double())
    close(loss, torch.tensor(2.0, dtype=torch.float64).log())


@given(SEEDS)
def test_ignored_pixels_touch_neither_loss_nor_gradient(seed: int) -> None:
    label, confidence = class_map(seed, 2, 3, 3, num_classes=3, ignored=0.5), uniform(seed + 1, 2, 3, 3)
    ignored = label == IGNORE
    first = normal(seed + 2, 2, 3, 3, 3).requires_grad_()
    second = torch.where(ignored[:, None], 1e3 * normal(seed + 3, 2, 3, 3, 3), first.detach()).requires_grad_()
    losses = [pseudo_label_loss(x, label, confidence, threshold=0.3) for x in (first, second)]
    close(losses[0], losses[1].detach())
    losses[0].backward()
    assert first.grad is not None
    assert (first.grad.movedim(1, -1)[ignored] == 0).all()


@given(SEEDS)
def test_images_of_a_batch_can_be_permuted(seed: int) -> None:
    logits, label = normal(seed, 3, 3, 2, 3), class_map(seed + 1, 3, 2, 3, num_classes=3)
    confidence, order = uniform(seed + 2, 3, 2, 3), torch.tensor([2, 0, 1])
    close(
        pseudo_label_loss(logits[order], label[order], confidence[order], threshold=0.5),
        pseudo_label_loss(logits, label, confidence, threshold=0.5),
    )


@pytest.mark.parametrize("case", ["all ignored", "nothing confident"])
def test_without_a_supervised_pixel_the_loss_is_an_attached_zero(case: str) -> None:
    logits = normal(0, 2, 3, 3, 3).requires_grad_()
    label = torch.full((2, 3, 3), IGNORE) if case == "all ignored" else class_map(1, 2, 3, 3, num_classes=3)
    confidence = torch.ones(2, 3, 3).double() if case == "all ignored" else torch.full((2, 3, 3), 0.9699).double()
    loss = pseudo_label_loss(logits, label, confidence, threshold=0.97)
    assert loss.shape == () and loss.item() == 0.0
    loss.backward()
    assert logits.grad is not None
    equal(logits.grad, torch.zeros_like(logits))


def test_an_image_without_valid_pixels_leaves_the_others_alone() -> None:
    logits, label = normal(0, 2, 3, 3, 3).requires_grad_(), class_map(1, 2, 3, 3, num_classes=3)
    confidence = uniform(2, 2, 3, 3)
    label[1] = IGNORE
    loss = pseudo_label_loss(logits, label, confidence, threshold=0.5)
    close(loss, pseudo_label_loss(logits[:1], label[:1], confidence[:1], threshold=0.5).detach())
    loss.backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_the_threshold_itself_is_confident_enough() -> None:
    logits, label = normal(0, 1, 3, 1, 1), torch.tensor([[[1]]])
    loss = pseudo_label_loss(logits, label, torch.tensor([[[0.75]]]).double(), threshold=0.75)
    close(loss, -logits.log_softmax(dim=1)[0, 1, 0, 0])


def test_gradcheck() -> None:
    logits = normal(0, 2, 3, 2, 3).requires_grad_()
    label, confidence = class_map(1, 2, 2, 3, num_classes=3, ignored=0.3), uniform(2, 2, 2, 3)
    assert torch.autograd.gradcheck(lambda x: pseudo_label_loss(x, label, confidence, threshold=0.4), (logits,))


@given(SEEDS, st.integers(1, 5), SIDES, st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), min_size=5, max_size=5))
def test_confidences_are_seen_beside_the_mean_ones_of_their_classes(
    seed: int, num_classes: int, side: int, means: list[float]
) -> None:
    """Pixel by pixel; of ignored labels, and of classes not seen yet, nothing is known."""
    label, confidence = class_map(seed, 2, side, 4, num_classes=num_classes), uniform(seed + 2, 2, side, 4)
    means = means[:num_classes]
    found = relative_confidence(confidence, label, torch.tensor(means, dtype=torch.float64))
    for got, own, of_class in zip(found.flatten(), confidence.flatten(), label.flatten().tolist(), strict=True):
        known = of_class != IGNORE and means[of_class] > 0
        close(got, min(1.0, own.item() * max(means) / means[of_class]) if known else own)


def test_confidences_of_equally_sure_classes_stay() -> None:
    label, confidence = class_map(0, 2, 3, 4, num_classes=3), uniform(1, 2, 3, 4)
    close(relative_confidence(confidence, label, torch.full((3,), 0.3, dtype=torch.float64)), confidence)
