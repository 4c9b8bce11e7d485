"""Hard example mining of the supervised loss."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.functional.ohem import ohem_cross_entropy
from tests.functional.helpers import SEEDS, SIDES, class_map, close, equal, normal
from tests.reference import ohem as reference


@given(SEEDS, SIDES, st.sampled_from([0.1, 0.7, 0.95]), st.integers(1, 12), st.sampled_from([0.0, 0.4, 0.9]))
def test_loss_is_the_reference(seed: int, side: int, threshold: float, min_kept: int, ignored: float) -> None:
    logits, label = 2 * normal(seed, 2, 3, side, 3), class_map(seed + 1, 2, side, 3, num_classes=3, ignored=ignored)
    close(
        ohem_cross_entropy(logits, label, threshold=threshold, min_kept=min_kept),
        reference.ohem_cross_entropy(logits.numpy(), label.numpy(), threshold, min_kept),
    )


def test_easy_pixels_do_not_dilute_the_mean() -> None:
    # Probabilities 0.5 and 0.88 at a threshold of 0.7.
    logits = torch.tensor([[0.0, 2.0], [0.0, 0.0]], dtype=torch.float64).view(1, 2, 1, 2)
    close(ohem_cross_entropy(logits, torch.zeros(1, 1, 2).long(), min_kept=1), torch.tensor(2.0).double().log())


@pytest.mark.parametrize("min_kept", [1, 100])
def test_without_a_valid_pixel_the_loss_is_an_attached_zero(min_kept: int) -> None:
    logits = normal(0, 2, 3, 3, 3).requires_grad_()
    loss = ohem_cross_entropy(logits, torch.full((2, 3, 3), 255), min_kept=min_kept)
    assert loss.shape == () and loss.item() == 0.0
    loss.backward()
    assert logits.grad is not None
    equal(logits.grad, torch.zeros_like(logits))


def test_gradcheck() -> None:
    logits, label = normal(0, 2, 3, 2, 3).requires_grad_(), class_map(1, 2, 2, 3, num_classes=3, ignored=0.3)
    assert torch.autograd.gradcheck(lambda x: ohem_cross_entropy(x, label, threshold=0.3, min_kept=2), (logits,))
