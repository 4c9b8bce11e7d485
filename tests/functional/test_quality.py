"""Precision and coverage of pseudo-labels, against loops over pixels."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_css.functional.quality import quality_counts


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([255, 0]))
def test_counts_are_those_of_a_loop(seed: int, classes: int, ignored: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.tensor([*range(classes), ignored])
    label, truth = (values[torch.randint(classes + 1, (2, 3, 4), generator=generator)] for _ in range(2))
    expected = {name: [0] * classes for name in ("labeled", "right", "covered", "truth")}
    for own, true in zip(label.flatten().tolist(), truth.flatten().tolist(), strict=True):
        if true == ignored:
            continue
        expected["truth"][true] += 1
        if own != ignored:
            expected["labeled"][own] += 1
            expected["covered"][true] += 1
            expected["right"][own] += own == true
    counts = quality_counts(label, truth, classes, ignored)
    assert {name: part.tolist() for name, part in counts._asdict().items()} == expected


def test_more_pixels_than_float32_has_numbers_are_counted() -> None:
    label = torch.zeros(1, dtype=torch.long).expand(1, 2, 2**23 + 1)
    assert [part.tolist() for part in quality_counts(label, label, 1)] == [[2**24 + 2]] * 4
