"""Counts of a diagnosis against lists of pixels."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_css.functional import diagnosis
from mmseg_css.functional.diagnosis import BINS, CELLS
from mmseg_css.types import PseudoLabel

K = 3


def maps(seed: int, pixels: int, *kinds: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.choice([0, 1, 2, 7, 255], (1, pixels), p=[0.4, 0.2, 0.2, 0.1, 0.1])) for _ in kinds]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pixels=st.integers(1, 40))
def test_source_counts_are_those_of_a_list(seed: int, pixels: int) -> None:
    label, truth = maps(seed, pixels, 1, 2)
    rng = np.random.default_rng(seed)
    confidence = torch.from_numpy(rng.random((1, pixels)).astype(np.float32))
    band = torch.from_numpy(rng.random((1, pixels)) < 0.5)
    counts = diagnosis.source_counts(PseudoLabel(label, confidence), truth, band, K)
    by_label, by_truth, by_band, squares = Counter(), Counter(), Counter(), 0.0
    for own, true, sure, near in zip(*(part[0].tolist() for part in (label, truth, confidence, band)), strict=True):
        if own < K and true < K:
            place = (int(own == true), min(int(sure * BINS + 1e-4), BINS - 1))
            by_label[(own, *place)] += 1
            by_truth[(true, *place)] += 1
            by_band[(int(near), 0, own)] += 1
            by_band[(int(near), 1, own)] += own == true
            by_band[(int(near), 2, true)] += 1
            squares += (sure - (own == true)) ** 2
    for found, expected in ((counts.by_label, by_label), (counts.by_truth, by_truth), (counts.by_band, by_band)):
        assert int(found.sum()) == sum(expected.values())
        assert all(found[place] == number for place, number in expected.items())
    assert counts.squares.item() == pytest.approx(squares)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pixels=st.integers(1, 40))
def test_space_counts_are_those_of_a_list(seed: int, pixels: int) -> None:
    logit, representation, truth = maps(seed, pixels, 1, 2, 3)
    band = torch.from_numpy(np.random.default_rng(seed).random((1, pixels)) < 0.5)
    of_cells = diagnosis.cells(logit, representation, truth, K)
    counts = diagnosis.space_counts(of_cells, logit, representation, truth, band, K)
    by_truth, by_band, agree, first, second = (Counter() for _ in range(5))
    for own, other, true, near in zip(
        *(part[0].tolist() for part in (logit, representation, truth, band)), strict=True
    ):
        if max(own, other, true) >= K:
            continue
        if own == other:
            cell = "agree_right" if own == true else "agree_wrong"
        else:
            cell = {own: "logit_right", other: "representation_right"}.get(true, "both_wrong")
        by_truth[(true, CELLS.index(cell))] += 1
        by_band[(int(near), true, CELLS.index(cell))] += 1
        if cell == "agree_wrong":
            agree[(true, own)] += 1
        if cell == "both_wrong":
            first[(true, own)] += 1
            second[(true, other)] += 1
    for found, expected in zip(counts, (by_truth, by_band, agree, first, second), strict=True):
        assert int(found.sum()) == sum(expected.values())
        assert all(found[place] == number for place, number in expected.items())


def test_indicator_counts() -> None:
    labels = torch.tensor([[0, 0, 1, 255, 2]])
    target = torch.tensor([[True, False, True, True, True]])
    known = torch.tensor([[True, True, True, True, False]])
    counts = diagnosis.indicator_counts(torch.tensor([[0.0, 0.25, 1.0, 0.5, 0.5]]), labels, target, known, K)
    assert counts.sum() == 3
    assert counts[0, 1, 0] == counts[0, 0, BINS // 4] == counts[1, 1, BINS - 1] == 1


@given(threshold=st.integers(0, BINS - 1))
def test_thresholds_are_edges(threshold: int) -> None:
    """A confidence that is a threshold in use, as a float32, counts as not below it."""
    value = torch.tensor(threshold / BINS, dtype=torch.float32)
    assert int(diagnosis.bins_of(value)) == threshold
