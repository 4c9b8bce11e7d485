"""Cosine to the prototypes, class sums, and the moving average."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.functional.prototypes import class_sums, ema_prototypes, prototype_similarity
from tests.functional.helpers import SEEDS, SIDES, bits, class_map, close, equal, normal
from tests.reference import prototypes as reference


@given(SEEDS, SIDES, SIDES)
def test_similarity_is_the_reference(seed: int, h: int, w: int) -> None:
    embeddings, prototypes = normal(seed, 2, 4, h, w), normal(seed + 1, 3, 4)
    expected = reference.prototype_similarity(embeddings.numpy(), prototypes.numpy())
    close(prototype_similarity(embeddings, prototypes), expected)


def test_a_zero_vector_is_similar_to_nothing_and_harms_nothing() -> None:
    embeddings = normal(0, 1, 4, 1, 2)
    embeddings[..., 0] = 0
    embeddings.requires_grad_()
    prototypes = normal(1, 3, 4)
    prototypes[2] = 0
    similarity = prototype_similarity(embeddings, prototypes)
    equal(similarity[0, :, 0, 0], torch.zeros(3))
    assert similarity[0, 2, 0, 1] == 0
    similarity.sum().backward()
    assert embeddings.grad is not None and embeddings.grad.isfinite().all()


@given(SEEDS, SIDES, SIDES, st.sampled_from([0.0, 0.3, 1.0]))
def test_class_sums_are_the_reference(seed: int, h: int, w: int, ignored: float) -> None:
    embeddings, labels = normal(seed, 2, 4, h, w), class_map(seed + 1, 2, h, w, num_classes=5, ignored=ignored)
    sums, counts = class_sums(embeddings, labels, 5)
    expected_sums, expected_counts = reference.class_sums(embeddings.numpy(), labels.numpy(), 5)
    close(sums, expected_sums)
    equal(counts, expected_counts)


def test_only_labels_of_a_class_count() -> None:
    embeddings = torch.ones(1, 2, 1, 5)
    sums, counts = class_sums(embeddings, torch.tensor([[[-1, 0, 2, 3, 255]]]), 3)
    assert counts.tolist() == [1, 0, 1]
    assert sums.tolist() == [[1, 1], [0, 0], [1, 1]]


def test_sums_of_halves_are_fp32_and_exact_where_halves_saturate() -> None:
    # 4096 halves of 1 sum to 2048 when the accumulator is fp16 (2048 + 1 rounds to 2048).
    sums, counts = class_sums(torch.ones(1, 1, 64, 64, dtype=torch.float16), torch.zeros(1, 64, 64).long(), 2)
    assert sums.dtype == torch.float32 and counts.dtype == torch.float32
    assert sums.tolist() == [[4096], [0]] and counts.tolist() == [4096, 0]


@given(SEEDS, st.integers(1, 3))
def test_class_sums_add_over_any_split_of_the_batch(seed: int, split: int) -> None:
    embeddings, labels = normal(seed, 4, 3, 3, 2), class_map(seed + 1, 4, 3, 2, num_classes=4)
    whole = class_sums(embeddings, labels, 4)
    parts = [class_sums(embeddings[s], labels[s], 4) for s in (slice(split), slice(split, None))]
    close(parts[0][0] + parts[1][0], whole[0])
    equal(parts[0][1] + parts[1][1], whole[1])


@given(SEEDS, st.sampled_from([0.0, 0.9, 0.99, 1.0]))
def test_ema_is_the_reference(seed: int, decay: float) -> None:
    prototypes, seen, sums = normal(seed, 5, 3), bits(seed + 1, 5), 10 * normal(seed + 2, 5, 3)
    counts = class_map(seed + 3, 5, num_classes=4, ignored=0.4, ignore_index=0).double()
    actual = ema_prototypes(prototypes, seen, sums, counts, decay)
    expected = reference.ema_prototypes(prototypes.numpy(), seen.numpy(), sums.numpy(), counts.numpy(), decay)
    close(actual[0], expected[0])
    equal(actual[1], expected[1])


@given(SEEDS)
def test_first_sight_is_the_mean_later_a_blend_and_absence_changes_nothing(seed: int) -> None:
    prototypes, sums = normal(seed, 4, 3), normal(seed + 1, 4, 3)
    before = prototypes.clone()
    seen, counts = torch.tensor([False, True, False, True]), torch.tensor([2.0, 4.0, 0.0, 0.0]).double()
    new, new_seen = ema_prototypes(prototypes, seen, sums, counts, 0.99)
    close(new[0], sums[0] / 2)
    close(new[1], 0.99 * prototypes[1] + 0.01 * sums[1] / 4)
    equal(new[2:], before[2:])
    assert new_seen.tolist() == [True, True, False, True]
    # Pure: neither argument was written to.
    equal(prototypes, before)
    assert seen.tolist() == [False, True, False, True]


def test_a_prototype_that_happens_to_be_zero_is_still_seen() -> None:
    new, _ = ema_prototypes(
        torch.zeros(1, 2), torch.ones(1, dtype=torch.bool), torch.tensor([[2.0, 4.0]]), torch.tensor([2.0]), 0.75
    )
    close(new, [[0.25, 0.5]])


@given(SEEDS)
def test_a_constant_mean_is_a_fixed_point_whatever_the_number_of_pixels(seed: int) -> None:
    mean, counts = normal(seed, 3, 4), torch.tensor([1.0, 7.0, 100.0]).double()
    prototypes, seen = torch.zeros(3, 4).double(), torch.zeros(3, dtype=torch.bool)
    for _ in range(3):
        prototypes, seen = ema_prototypes(prototypes, seen, mean * counts[:, None], counts, 0.5)
        close(prototypes, mean)
