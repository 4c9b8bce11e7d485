"""The teacher's decay and update."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.functional.ema import ema_decay, ema_update_
from tests.functional.helpers import SEEDS, close, equal, normal
from tests.reference import ema as reference


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.9, 0.99, 0.999]))
def test_decay_is_the_reference(step: int, maximum: float) -> None:
    assert ema_decay(step, maximum) == pytest.approx(reference.ema_decay(step, maximum), abs=1e-15)


def test_decay_starts_at_zero_so_that_the_first_teacher_is_the_student() -> None:
    assert [ema_decay(t, 0.99) for t in (0, 1, 3)] == [0.0, 0.5, 0.75]
    assert ema_decay(98, 0.99) < 0.99 + 1e-12 and ema_decay(10**6, 0.99) == 0.99


@given(SEEDS, st.sampled_from([0.0, 0.5, 0.99, 1.0]))
def test_update_is_the_reference_and_in_place(seed: int, decay: float) -> None:
    targets, sources = [normal(seed, 2, 3), normal(seed + 1, 4)], [normal(seed + 2, 2, 3), normal(seed + 3, 4)]
    expected = [reference.ema_update(t.numpy(), s.numpy(), decay) for t, s in zip(targets, sources, strict=True)]
    kept, pointers = [s.clone() for s in sources], [t.data_ptr() for t in targets]
    ema_update_(targets, sources, decay)
    assert [t.data_ptr() for t in targets] == pointers
    for target, value, source, before in zip(targets, expected, sources, kept, strict=True):
        close(target, value, 1e-14)
        equal(source, before)


def test_update_of_parameters_builds_no_graph() -> None:
    targets, sources = [torch.nn.Parameter(normal(0, 3))], [torch.nn.Parameter(normal(1, 3))]
    expected = (targets[0] / 4 + 3 * sources[0] / 4).detach()
    ema_update_(targets, sources, 0.25)
    close(targets[0], expected)
    assert targets[0].is_leaf and targets[0].grad_fn is None and targets[0].requires_grad


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected as many sources as targets, at least one; got 2 and 1"):
        ema_update_([torch.zeros(1), torch.zeros(1)], [torch.ones(1)], 0.5)
