"""What follows from counts, against what follows from the pixels themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_css.evaluation.diagnosis import quantities
from mmseg_css.evaluation.diagnosis.regions import boundary_band, components, size_terciles
from mmseg_css.evaluation.diagnosis.resampling import estimate, resampled
from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import InspectedImage, Labelling, Tally
from mmseg_css.functional.diagnosis import BINS
from mmseg_css.types import PseudoLabel

K = 3
CLASSES = ("sky", "road", "car")
SEEDS = st.integers(0, 10_000)


def histogram(values: np.ndarray, target: np.ndarray, bins: int) -> np.ndarray:
    index = np.minimum((values * bins).astype(int), bins - 1)
    return np.stack([np.bincount(index[target == side], minlength=bins) for side in (0, 1)])


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, number=st.integers(2, 60))
def test_auroc_is_off_by_half_a_bin_at_most(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    values, target = rng.random(number), rng.random(number) < 0.4
    found = quantities.auroc(histogram(values, target, 50))
    if target.all() or not target.any():
        assert np.isnan(found)
        return
    low, high = values[target][:, None], values[~target][None]
    exact = ((low < high) + 0.5 * (low == high)).mean()
    shared = ((low * 50).astype(int) == (high * 50).astype(int)).mean()
    assert abs(found - exact) <= shared / 2 + 1e-12


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, number=st.integers(1, 60))
def test_average_precision_of_binned_values(seed: int, number: int) -> None:
    """Over values that are the bins, so that nothing is lost: recall steps times precision, lowest first."""
    rng = np.random.default_rng(seed)
    index, target = rng.integers(0, 10, number), rng.random(number) < 0.5
    found = quantities.average_precision(histogram(index / 10 + 0.01, target, 10))
    if not target.any():
        assert np.isnan(found)
        return
    steps = []
    for value in range(10):
        taken = index <= value
        if taken.any():
            steps.append((target & (index == value)).sum() / target.sum() * target[taken].mean())
    assert found == pytest.approx(sum(steps))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, number=st.integers(1, 200))
def test_corrections_and_phi_are_those_of_pixels(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    logit, representation, truth = (rng.integers(0, 3, number) for _ in range(3))
    cell = np.where(
        logit == representation,
        np.where(logit == truth, 0, 1),
        np.where(logit == truth, 2, np.where(representation == truth, 3, 4)),
    )
    counts = np.bincount(cell, minlength=5).astype(float)
    wrong, removed = logit != truth, logit != representation
    found = quantities.corrections(counts)
    if wrong.any():
        assert found["removed_wrong"] == pytest.approx(removed[wrong].mean())
        assert found["mended"] == pytest.approx((representation == truth)[wrong].mean())
    if not wrong.all():
        assert found["removed_right"] == pytest.approx(removed[~wrong].mean())
        assert found["spoiled"] == pytest.approx((representation != truth)[~wrong].mean())
    errors = np.stack([wrong, representation != truth]).astype(float)
    if errors.std(axis=1).all():
        assert quantities.phi(counts) == pytest.approx(np.corrcoef(errors)[0, 1])
    else:
        assert np.isnan(quantities.phi(counts))


def test_removed_by_confidence_takes_the_least_sure_first() -> None:
    wrong_right = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 5.0]])
    for removed, expected in ((0, 0), (4, 3 / 4), (5.5, (3 + 0.5) / 4), (12, 1)):
        assert quantities.removed_by_confidence(wrong_right, np.array(float(removed))) == pytest.approx(expected)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_calibration(seed: int) -> None:
    """Pixels of which as many are right as their confidence says have no error; others have theirs."""
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, 1000, BINS)
    centres = (np.arange(BINS) + 0.5) / BINS
    for shift in (0.0, 0.2):
        right = totals * np.clip(centres - shift, 0, 1)
        bins = quantities.reliability(np.stack([totals - right, right]))
        expected = (np.abs(np.clip(centres - shift, 0, 1) - centres) * totals).sum() / totals.sum()
        assert quantities.calibration_error(bins) == pytest.approx(expected, abs=1e-9)
        assert bins[:, 2].sum() == totals.sum()
        assert bins[:, 2].max() <= totals.sum() / quantities.RELIABILITY_BINS + 2 * totals.max()


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_band_is_what_lies_near_another_class(seed: int) -> None:
    truth = np.random.default_rng(seed).choice([0, 1, 255], (7, 9), p=[0.7, 0.2, 0.1])
    band = boundary_band(truth, 2, radius=2)
    places = list(np.ndindex(truth.shape))
    for row, column in places:
        near = any(
            truth[other] < 2
            and truth[other] != truth[row, column]
            and (other[0] - row) ** 2 + (other[1] - column) ** 2 <= 4
            for other in places
        )
        assert band[row, column] == (truth[row, column] < 2 and near)


def test_components_and_sizes() -> None:
    truth = np.array([[0, 0, 1, 255], [1, 0, 1, 0], [1, 1, 0, 0]])
    found = components(truth, 2)
    assert found.of[truth == 255].tolist() == [-1]
    assert sorted(zip(found.classes.tolist(), found.areas.tolist(), strict=True)) == [(0, 6), (1, 5)]
    assert all(len({*truth[found.of == part].tolist()}) == 1 for part in range(2))
    assert size_terciles(np.array([1] * 6 + [0]), np.array([1, 2, 3, 4, 5, 6, 9])).tolist() == [0, 0, 1, 1, 2, 2, 0]


def test_resamples_draw_blocks() -> None:
    counts = {"pixels": np.arange(5)[:, None], "drawn": np.eye(5)}
    drawn = resampled(counts, block=2, draws=500)
    assert drawn.total("pixels")[0].tolist() == [10]
    times = drawn.total("drawn")  # how often each image counts
    assert (
        (times[:, 0] == times[:, 1]).all() and (times[:, 2] == times[:, 3]).all() and (times[:, 1] != times[:, 2]).any()
    )
    own = estimate(drawn.total("pixels")[:, 0])
    assert own["interval"][0] < own["value"] == 10 < own["interval"][1]


def test_draws_are_with_replacement() -> None:
    """As many as there are, and each as often as a multinomial variable says: its variance is 1 - 1/m."""
    for number in (2, 20):
        first, *draws = resampled({"pixels": np.zeros((number, 1))}, draws=4000).weights.astype(int)
        assert (first == 1).all() and (np.sum(draws, axis=1) == number).all()
        assert np.var(draws) == pytest.approx(1 - 1 / number, rel=0.06)


def test_one_block_has_no_interval() -> None:
    own = estimate(resampled({"pixels": np.arange(3)[:, None]}, block=5).total("pixels")[:, 0])
    assert own["value"] == 3 and np.isnan(own["interval"]).all()


def test_an_interval_of_coarser_counts_stays_in_range() -> None:
    own = estimate(np.array([0.995, 0.999, 1.0, 0.998]), exact=0.9996)
    assert own["value"] == 0.9996 and own["interval"][1] <= 1
    assert estimate(np.array([1.5, 1.6, 1.7]), exact=1.5, highest=np.inf)["interval"][1] > 1.5


def test_nothing_to_say_is_nan() -> None:
    """One class, everything agreed and right, the rest ignored: no error to correlate, no class to rank."""
    truth = torch.tensor([[0, 0, 255]])
    source = PseudoLabel(torch.zeros_like(truth), torch.ones(1, 3))
    labelling = Labelling(truth, truth < K, {"confidence": torch.ones(1, 3)}, {"student_wrong": truth > 0})
    tally = Tally(num_classes=K)
    tally.add(InspectedImage(truth, dict.fromkeys(("logit", "representation", "mix"), source), {"pseudo": labelling}))
    found = summarise(tally, CLASSES, "mix")
    assert found["sources"]["mix"]["all"]["precision"]["value"] == 1
    assert np.isnan(found["spaces"]["phi"]["value"])
    assert np.isnan(found["sources"]["logit"]["classes"]["car"]["IoU"]["value"])
    assert np.isnan(found["indicators"]["pseudo"]["student_wrong"]["confidence"]["auroc"]["value"])
