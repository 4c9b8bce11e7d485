"""The ramp-down of the contrastive weight, and the ramp-up of PC2Seg's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.functional.ramps import exponential_rampdown, exponential_rampup
from tests.functional.helpers import close
from tests.reference import ramps as reference

PROGRESS = st.floats(min_value=0.0, max_value=3.0)


@given(PROGRESS, st.sampled_from([0.5, 1.0, 4.0]), st.sampled_from([0.0, 0.1]), st.sampled_from([-5.0, -1.0]))
def test_rampdown_is_the_reference(progress: float, maximum: float, minimum: float, mult: float) -> None:
    close(
        exponential_rampdown(progress, maximum=maximum, minimum=minimum, mult=mult),
        reference.exponential_rampdown(progress, maximum, minimum, mult),
        1e-15,
    )


def test_rampdown_at_the_epochs_of_the_paper() -> None:
    values = [exponential_rampdown(epoch / 200) for epoch in (0, 100, 199, 200, 201)]
    close(values, [1.0, math.exp(-1.25), math.exp(-5 * (199 / 200) ** 2), 0.0, 0.0], 1e-15)


@given(PROGRESS, PROGRESS)
def test_rampdown_never_rises(first: float, second: float) -> None:
    early, late = sorted((first, second))
    assert exponential_rampdown(early) >= exponential_rampdown(late) >= 0


def test_a_ramp_does_not_start_before_its_beginning() -> None:
    with pytest.raises(ValueError, match="negative"):
        exponential_rampdown(-0.1)


LENGTH = st.sampled_from([0.0, 0.25, 1.0])


@given(PROGRESS, LENGTH)
def test_rampup_is_the_reference(progress: float, length: float) -> None:
    close(exponential_rampup(progress, length), reference.exponential_rampup(progress, length), 1e-15)


@given(PROGRESS, PROGRESS, LENGTH)
def test_rampup_never_falls(first: float, second: float, length: float) -> None:
    early, late = sorted((first, second))
    assert 0 < exponential_rampup(early, length) <= exponential_rampup(late, length) <= 1


@pytest.mark.parametrize(("progress", "length"), [(-0.1, 0.5), (0.5, -0.1), (0.5, 1.1)])
def test_rampup_out_of_range_in_words(progress: float, length: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        exponential_rampup(progress, length)
