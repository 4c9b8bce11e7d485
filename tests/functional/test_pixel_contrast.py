"""InfoNCE over drawn negatives, PC2Seg's contrast and its consistency."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmseg_css.functional import info_nce as module
from mmseg_css.functional.consistency import cosine_consistency
from mmseg_css.functional.info_nce import info_nce
from mmseg_css.functional.negative_sampling import NegativeDraw
from mmseg_css.functional.pixel_contrast import pixel_contrast
from tests.functional.helpers import SEEDS, bits, close, generator, normal, uniform
from tests.reference import pc2seg as reference

TEMPERATURES = st.sampled_from([0.05, 0.1, 0.5])


def pixels(maps: Tensor) -> list[list[float]]:
    return maps.movedim(1, -1).reshape(-1, maps.shape[1]).tolist()


def random_draw(seed: int, anchors: int, negatives: int, pool: int) -> NegativeDraw:
    indices = torch.randint(pool, (anchors, negatives), generator=generator(seed))
    return NegativeDraw(indices, bits(seed + 1, anchors, probability=0.8))


@given(SEEDS, TEMPERATURES)
def test_pixel_contrast_is_the_reference(seed: int, temperature: float) -> None:
    weak, strong, pool = normal(seed, 2, 3, 2, 2), normal(seed + 1, 2, 3, 2, 2), normal(seed + 2, 3, 3, 2, 2)
    anchors, draw = torch.randint(8, (5,), generator=generator(seed)), random_draw(seed + 3, 5, 4, 12)
    close(
        pixel_contrast(weak, strong, pool, anchors, draw, temperature),
        reference.pixel_contrast(
            pixels(weak), pixels(strong), pixels(pool), anchors.tolist(), *map(Tensor.tolist, draw), temperature
        ),
    )


@pytest.mark.parametrize("sampler", ["different_image", "different_image_debiased"])
def test_the_benchmarks_matrix_is_the_reference(sampler: str) -> None:
    """Of two images of one pixel each, each pixel has the other as its only negative."""
    weak, strong = normal(0, 2, 3, 1, 1), normal(1, 2, 3, 1, 1)
    probabilities = normal(2, 2, 4, 1, 1).softmax(dim=1)
    anchors, negatives, found = [0, 1], [[1] * 5, [0] * 5], [True, True]
    close(
        reference.matrix_loss(sampler, weak, strong, probabilities, num_negatives=5, temperature=0.2),
        reference.pixel_contrast(pixels(weak), pixels(strong), pixels(weak), anchors, negatives, found, 0.2),
    )


@pytest.mark.parametrize("same_pool", [True, False])
def test_pixel_contrast_has_the_gradient_of_its_value(same_pool: bool) -> None:
    weak, strong, pool = (normal(seed, 2, 3, 2, 2).requires_grad_() for seed in range(3))
    anchors, draw = torch.tensor([0, 3, 3, 7]), random_draw(4, 4, 5, 8)

    def loss(weak: Tensor, strong: Tensor, pool: Tensor) -> Tensor:
        return pixel_contrast(weak, strong, weak if same_pool else pool, anchors, draw, 0.2)

    inputs = (weak, strong, pool)
    assert torch.autograd.gradcheck(loss, inputs)
    gradients = torch.autograd.grad(loss(*inputs), inputs, allow_unused=True)
    for gradient in gradients[: 2 if same_pool else 3]:
        assert gradient.abs().sum() > 0


def test_info_nce_is_the_same_in_one_block_and_in_many(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = [normal(seed, *shape).requires_grad_() for seed, shape in enumerate([(7, 3), (7, 3), (6, 3)])]
    negatives, weights = random_draw(0, 7, 4, 6).negatives, uniform(5, 7)
    results = []
    for numbers in (1, 2**20):
        monkeypatch.setitem(module.BLOCK_NUMBERS, "cpu", numbers)
        loss = info_nce(*inputs, negatives, weights, 0.3)
        results.append([loss, *torch.autograd.grad(3 * loss, inputs)])
    for many, one in zip(*results, strict=True):
        close(many, one.detach(), atol=1e-12)


def test_info_nce_is_cross_entropy() -> None:
    """Against autograd on the direct form."""
    queries, positives, pool = (normal(s, *shape).requires_grad_() for s, shape in enumerate([(7, 3), (7, 3), (6, 3)]))
    negatives, weights = random_draw(0, 7, 4, 6).negatives, uniform(5, 7)
    logits = torch.cat(
        [(queries * positives).sum(1, keepdim=True), torch.einsum("qd,qnd->qn", queries, pool[negatives])], dim=1
    )
    direct = (weights * torch.nn.functional.cross_entropy(logits / 0.3, torch.zeros(7).long(), reduction="none")).sum()
    ours = info_nce(queries, positives, pool, negatives, weights, 0.3)
    inputs = (queries, positives, pool)
    close(ours, direct.detach())
    for own, other in zip(torch.autograd.grad(ours, inputs), torch.autograd.grad(direct, inputs), strict=True):
        close(own, other)


def test_info_nce_without_queries_is_zero_and_attached() -> None:
    pool = normal(0, 4, 3).requires_grad_()
    loss = info_nce(pool[:0], pool[:0], pool, torch.zeros(0, 2).long(), torch.zeros(0).double(), 0.3)
    loss.backward()
    assert loss == 0 and (pool.grad == 0).all()


def test_info_nce_keeps_nothing_of_the_negatives_size() -> None:
    kept: list[int] = []
    queries = normal(0, 50, 8).requires_grad_()

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = info_nce(queries, queries, queries, torch.zeros(50, 40).long(), torch.ones(50).double(), 0.3)
    context = [g.numel() for g in loss.grad_fn.gradients if g is not None]
    assert max(kept + context) <= queries.numel()


def test_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="temperature"):
        info_nce(torch.eye(2), torch.eye(2), torch.eye(2), torch.zeros(2, 1).long(), torch.ones(2), temperature=0)


@given(SEEDS, st.sampled_from([0.0, 0.5, 1.0]))
def test_consistency_is_the_reference(seed: int, share: float) -> None:
    weak, strong = (normal(s, 2, 3, 2, 4).softmax(dim=1) for s in (seed, seed + 1))
    valid = bits(seed + 2, 2, 2, 4, probability=share)
    close(cosine_consistency(weak, strong, valid), reference.cosine_consistency(weak, strong, valid))


def test_consistency_has_the_gradient_of_its_value_on_the_strong_side_only() -> None:
    weak, strong = (normal(s, 2, 3, 2, 2).softmax(dim=1).requires_grad_() for s in (0, 1))
    valid = bits(2, 2, 2, 2, probability=0.7)
    assert torch.autograd.gradcheck(lambda y: cosine_consistency(weak.detach(), y, valid), strong)
    of_weak, of_strong = torch.autograd.grad(cosine_consistency(weak, strong, valid), (weak, strong), allow_unused=True)
    assert of_weak is None
    assert (of_strong.abs().sum(dim=1) > 0).eq(valid).all()


def test_consistency_without_a_valid_pixel_is_zero_and_attached() -> None:
    strong = normal(0, 1, 2, 2, 2).softmax(dim=1).requires_grad_()
    loss = cosine_consistency(strong, strong, torch.zeros(1, 2, 2, dtype=torch.bool))
    loss.backward()
    assert loss == 0 and np.isfinite(strong.grad.numpy()).all()
