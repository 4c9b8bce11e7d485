"""Intervals over several data sets, from the scatter of seeds within them."""

import numpy as np
import pytest
from scipy import stats

from mmseg_css.evaluation.statistics import (
    by_seed,
    headroom_share_within,
    paired_t_test,
    paired_t_test_within,
    sign_flip_test,
)


@pytest.mark.parametrize(
    ("seeds", "scatters"), [((3, 2, 3), (1, 1, 1)), ((5, 5, 3), (0.5, 1.5, 2.5))], ids=["equal", "unequal scatter"]
)
def test_the_interval_within_data_sets_covers_their_mean(seeds: tuple[int, ...], scatters: tuple[float, ...]) -> None:
    """Of 2000 studies of three data sets with gains and scatters of their own, 95 % cover the mean gain."""
    rng, gains = np.random.default_rng(0), (12.0, 1.0, -3.0)
    covered = []
    for _ in range(2000):
        found = paired_t_test_within([rng.normal(*own) for own in zip(gains, scatters, seeds, strict=True)])
        covered.append(found.low <= np.mean(gains) <= found.high)
    assert 0.93 < np.mean(covered) < 0.98  # two or three seeds of a data set make it a little wide


def test_differences_that_share_trainings_are_taken_by_seed() -> None:
    """Three lists of a data set have baselines of their own and one ceiling: 95 % of 2000 studies cover its mean gain,
    but many fewer if the lists are taken for independent."""
    rng, seeds = np.random.default_rng(0), [range(5), range(5), range(3)]
    apart, together = [], []
    for _ in range(2000):
        ceiling = rng.normal(0, 1, 5)
        rooms = [7 + ceiling[: len(own)] - rng.normal(0, 0.5, len(own)) for own in seeds]
        for samples, covered in ((rooms, apart), (by_seed(rooms, seeds), together)):
            found = paired_t_test_within(samples)
            covered.append(found.low <= 7 <= found.high)
    assert np.mean(apart) < 0.9 and 0.93 < np.mean(together) < 0.97


def test_a_data_set_with_fewer_seeds_scatters_as_it_does_alone() -> None:
    """Where nothing else scatters the variance of the mean is that of the one data set, whatever seeds others have."""
    few = np.array([1.0, 3.0])
    sample = by_seed([few, np.zeros(5)], [[0, 1], range(5)])[0]
    of_the_mean = few.var(ddof=1) / 2 / 2**2  # two data sets
    assert sample.mean() == pytest.approx(1) and sample.var(ddof=1) / 5 == pytest.approx(of_the_mean)


def test_equal_differences_scatter_by_no_rounding() -> None:
    found = paired_t_test_within([np.full(3, 0.1), np.full(3, 0.7)])
    assert np.isnan([found.low, found.high, found.p]).all() and found.freedom == 0


def test_a_shared_training_says_nothing_of_a_data_set_with_one_seed() -> None:
    """Its mean counts, and there is no interval, as where nothing is shared."""
    samples = by_seed([np.array([12.0, 11.0, 12.4]), np.array([7.0]), np.array([3.5])], [[0, 1, 2], [0], [0]])
    found = paired_t_test_within(samples)
    assert found.mean == pytest.approx((11.8 + 7 + 3.5) / 3) and np.isnan([found.low, found.high, found.p]).all()
    assert np.isnan(sign_flip_test(np.concatenate(samples)))


@pytest.mark.parametrize("seeds", [2, 3, 7, 20])
def test_of_one_data_set_it_is_scipys_paired_test(seeds: int) -> None:
    ours, theirs = np.random.default_rng(seeds).normal(50, 2, (2, seeds))
    result = stats.ttest_rel(ours, theirs)
    expected = ((ours - theirs).mean(), *result.confidence_interval(0.95), result.pvalue, seeds - 1)
    assert paired_t_test(ours, theirs) == pytest.approx(expected, rel=1e-12)


def test_a_data_set_of_one_seed_leaves_no_interval() -> None:
    """How much seeds differ on it is not known, and may be more than on the others."""
    for last in (np.array([2.0]), np.array([1.0])):
        found = paired_t_test_within([np.array([1.0, 1.1]), last])
        assert np.isnan([found.low, found.high, found.p]).all() and found.freedom == 0
    share = headroom_share_within([np.array([1.0, 1.1]), np.array([2.0])], [np.array([2.0, 2.1]), np.array([4.0])])
    assert share.share == pytest.approx((1.05 + 2) / (2.05 + 4)) and np.isnan(share.low)
    assert np.isnan(sign_flip_test(np.array([3.0])))


def test_the_interval_of_the_share_over_data_sets_covers_it() -> None:
    """Of 2000 studies of two data sets whose shares are 0.8 and 0.4, 95 % cover that of the means, 0.6."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):
        base, ours, ceiling = rng.normal(0, 1, (3, 2, 3))
        gains, rooms = (
            (16 + ours[0] - base[0], 8 + ours[1] - base[1]),
            (20 + ceiling[0] - base[0], 20 + ceiling[1] - base[1]),
        )
        share = headroom_share_within(gains, rooms)
        covered.append(share.low <= 0.6 <= share.high)
    assert 0.935 < np.mean(covered) < 0.98
