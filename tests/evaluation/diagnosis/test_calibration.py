"""The calibration error of a summary, against one over 15 groups of the sorted pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import InspectedImage, Tally
from mmseg_css.functional.diagnosis import BINS
from mmseg_css.types import PseudoLabel
from tests.reference.diagnosis import calibration_error

LEVELS, EACH = 30, 40  # two levels of confidence in each of 15 bins of equal mass, 40 pixels a level


def pixels(errors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each pixel and whether it is right; levels differ by ``errors`` from the share of right ones.

    A level lies within one bin of the histogram. High ones lie close together, so that bins of equal width hold other
    pixels than those of equal mass.
    """
    rng = np.random.default_rng(seed)
    level = 0.3 + 0.6 * (1 - (1 - np.arange(LEVELS) / LEVELS) ** 2)
    confidence = (np.floor(level * BINS)[:, None] + rng.uniform(0.1, 0.9, (LEVELS, EACH))) / BINS
    number = np.rint(EACH * np.clip(level - errors, 0, 1)).astype(int)
    right = rng.permuted(np.arange(EACH)[None] < number[:, None], axis=1)
    order = rng.permutation(LEVELS * EACH)
    return confidence.ravel()[order].astype(np.float32), right.ravel()[order]


def found_in(confidence: np.ndarray, right: np.ndarray) -> dict:
    """The calibration of a summary of one image of two classes."""
    truth = torch.zeros(1, len(right), dtype=torch.long)
    source = PseudoLabel(torch.from_numpy(~right).long()[None], torch.from_numpy(confidence)[None])
    tally = Tally(num_classes=2)
    tally.add(InspectedImage(truth, {"logit": source}, {}))
    return summarise(tally, ("sky", "road"), "logit")["sources"]["logit"]["calibration"]


def of_equal_width(confidence: np.ndarray, right: np.ndarray) -> float:
    group = np.floor(confidence * 15)
    of_groups = [np.flatnonzero(group == index) for index in np.unique(group)]
    return sum(abs(confidence[own].sum() - right[own].sum()) for own in of_groups) / len(right)


def test_it_is_that_of_15_bins_of_equal_mass() -> None:
    """Too sure where less sure, not sure enough where surer, and one level apart from the next: errors of both signs,
    which cancel in one bin, partly in bins of two levels, and not in finer ones."""
    slow = np.where(np.arange(LEVELS) < LEVELS // 2 - 1, 0.1, -0.1)
    confidence, right = pixels(slow + np.where(np.arange(LEVELS) % 2, 0.12, -0.12), seed=0)
    expected = calibration_error(confidence, right, 15)
    others = [calibration_error(confidence, right, bins) for bins in (1, 5, 10, 30, 100, 1000)]
    assert all(abs(other - expected) > 0.01 for other in [*others, of_equal_width(confidence, right)])
    found = found_in(confidence, right)
    assert found["ece"]["value"] == pytest.approx(
        expected, abs=0.5 / BINS
    )  # confidences are those of the bins' centres
    assert [one["pixels"] for one in found["bins"]] == [2 * EACH] * 15


@given(seed=st.integers(0, 10_000))
def test_any_errors(seed: int) -> None:
    errors = np.random.default_rng(seed).uniform(-0.3, 0.3, LEVELS)
    confidence, right = pixels(errors, seed)
    found = found_in(confidence, right)
    assert found["ece"]["value"] == pytest.approx(calibration_error(confidence, right, 15), abs=0.5 / BINS)
    order = np.argsort(confidence)
    for part, one in zip(np.split(order, 15), found["bins"], strict=True):
        assert one["right"] == pytest.approx(right[part].mean())
        assert one["confidence"] == pytest.approx(confidence[part].mean(), abs=0.5 / BINS)
