"""Is one method better than another? Two questions, for two kinds of luck: of the training, and of the images.

`paired_t_test` asks whether other seeds would give a gain, too; `paired_swap_test` whether other images would. A gain
that is more than chance passes both.

Letters: s seeds, n images, k classes, 2 for (intersection, union), m blocks of neighbouring images, p permutations.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from einops import reduce
from jaxtyping import Float
from scipy import stats
from statsmodels.stats.power import TTestPower

from mmseg_css.evaluation.areas import iou_of

#: Up to so many blocks of images all ways to swap them are tried.
FEW_BLOCKS: Final = 13


class Gain(NamedTuple):
    """Mean difference of paired runs, its 95 % confidence interval, the two-sided p-value of no difference, and the
    degrees of freedom of these; 0 where there are none."""

    mean: float
    low: float
    high: float
    p: float
    freedom: float


def paired_t_test(ours: Float[np.ndarray, " s"], theirs: Float[np.ndarray, " s"]) -> Gain:
    """Student's t-test of the differences of runs with the same seed: would other seeds show a gain, too?

    It takes the differences for normally distributed, which few seeds cannot show. With one seed, or with equal
    differences, interval and p are NaN: nothing is known about how much seeds differ.

    >>> gain = paired_t_test(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    >>> gain.mean, round(gain.p, 3)
    (2.0, 0.074)
    """
    return paired_t_test_within([ours - theirs])


def paired_t_test_within(differences: Sequence[Float[np.ndarray, " _"]]) -> Gain:
    """The same of differences of several data sets, in the mean of these: would other seeds on them show a gain?

    How much seeds differ is taken from within each data set, and may be more in one than in another (Welch 1938,
    Satterthwaite 1946); that data sets differ is no chance. Where one has a single seed, which tells nothing of how
    much seeds differ there, or where differences are equal, interval and p are NaN.

    >>> gain = paired_t_test_within([np.array([20.0, 20.5, 19.5]), np.array([1.0, 1.2, 0.8])])
    >>> gain.mean, round(gain.low, 2), round(gain.high, 2), round(gain.freedom, 1)
    (10.5, 9.96, 11.04, 2.6)
    """
    mean = float(np.mean([own.mean() for own in differences]))
    variance, freedom = _covariance(differences, differences), _freedom(differences)
    if not freedom:
        return Gain(mean, np.nan, np.nan, np.nan, 0)
    error = variance**0.5
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Gain(mean, mean - reach, mean + reach, float(2 * stats.t.sf(abs(mean) / error, freedom)), freedom)


def _covariance(first: Sequence[Float[np.ndarray, " _"]], second: Sequence[Float[np.ndarray, " _"]]) -> float:
    """Of the means of two samples' means of data sets, by their scatter within each; NaN where one has one seed."""
    return sum(_covariances(first, second))


def _covariances(first: Sequence[Float[np.ndarray, " _"]], second: Sequence[Float[np.ndarray, " _"]]) -> list[float]:
    """What each data set adds to it."""
    return [
        float((_deviations(x) * _deviations(y)).sum()) / (len(x) * (len(x) - 1) * len(first) ** 2)
        if len(x) > 1
        else np.nan
        for x, y in zip(first, second, strict=True)
    ]


def _deviations(sample: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """From the mean; of equal values nothing, which rounding must not make scatter."""
    return np.zeros_like(sample) if np.ptp(sample) == 0 else sample - sample.mean()


def _freedom(samples: Sequence[Float[np.ndarray, " _"]]) -> float:
    """Degrees of freedom of the variance of their means' mean; 0 where that is not known, or nothing scatters."""
    variances = _covariances(samples, samples)
    if not sum(variances) > 0:
        return 0.0
    return sum(variances) ** 2 / sum(own**2 / (len(x) - 1) for own, x in zip(variances, samples, strict=True))


def by_seed(
    differences: Sequence[Float[np.ndarray, " _"]], seeds: Sequence[Sequence[int]]
) -> list[Float[np.ndarray, " _"]]:
    """One sample for several data sets whose differences of one seed hang together, having a training in common.

    Its mean is that of the data sets' means, and it scatters as the sums of what each seed adds to that. With the same
    seeds everywhere it is the mean over the data sets, by seed; those of a data set that has fewer are stretched, so
    that the variance of its mean stays what it is. Where a data set has one seed, how much seeds scatter there is not
    known: then it is that mean alone.

    >>> by_seed([np.array([1.0, 2.0]), np.array([5.0, 7.0])], [[0, 1], [0, 1]])
    [array([3. , 4.5])]
    """
    mean = float(np.mean([own.mean() for own in differences]))
    if min(map(len, differences)) == 1:
        return [np.array([mean])]
    every = sorted({seed for own in seeds for seed in own})
    added = np.zeros(len(every))
    for own, of_seeds in zip(differences, seeds, strict=True):
        fewer = ((1 - 1 / len(every)) / (1 - 1 / len(own))) ** 0.5
        added[np.searchsorted(every, of_seeds)] += fewer * _deviations(own) / (len(own) * len(differences))
    return [mean + len(every) * added]


def sign_flip_test(differences: Float[np.ndarray, " n"]) -> float:
    """Two-sided p-value of a mean difference of paired runs, from all ways to swap the runs of pairs.

    Null hypothesis: in each pair, of one data set and seed, it is chance which run is whose. All ``2^n`` ways count up
    to 16 pairs, a hundred thousand random ones beyond. Unlike Student's test it takes nothing for normal. One pair
    tells nothing: NaN.

    >>> sign_flip_test(np.array([1.0, 2.0, 3.0, 4.0]))
    0.125
    """
    if len(differences) < 2:
        return np.nan
    if not differences.any():
        return 1.0
    result = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=100_000, vectorized=True, rng=0
    )
    return float(result.pvalue)


class Share(NamedTuple):
    """A ratio of means and its 95 % confidence interval."""

    share: float
    low: float
    high: float


def headroom_share(
    ours: Float[np.ndarray, " s"], base: Float[np.ndarray, " s"], ceiling: Float[np.ndarray, " s"]
) -> Share:
    """``(ours - base) / (ceiling - base)``, of means over seeds: how much of what all labels would give is reached.

    The interval is Fieller's for the ratio of the means of two paired samples (Fieller 1954), NaN with one seed or
    where nothing differs. There is no share of a headroom that is none, or may be none: NaN.

    >>> [round(part, 2) for part in headroom_share(np.array([4.0, 5.0]), np.array([2.0, 2.0]), np.array([7.0, 7.0]))]
    [0.5, -0.77, 1.77]
    """
    return headroom_share_within([ours - base], [ceiling - base])


def headroom_share_within(gains: Sequence[Float[np.ndarray, " _"]], rooms: Sequence[Float[np.ndarray, " _"]]) -> Share:
    """The same over several data sets, of the means of their means; the scatter is that of seeds within data sets.

    Args:
        gains: Method - baseline on each data set, by seed.
        rooms: Ceiling - baseline of the same.
    """
    x, y = (float(np.mean([own.mean() for own in part])) for part in (gains, rooms))
    if y <= 0:
        return Share(np.nan, np.nan, np.nan)
    freedom = min(filter(None, map(_freedom, (gains, rooms))), default=0)  # of what does not scatter it is 0
    if not freedom:
        return Share(x / y, np.nan, np.nan)
    vx, c, vy = _covariance(gains, gains), _covariance(gains, rooms), _covariance(rooms, rooms)
    # The ratios r for which the mean of gain - r * room differs from 0 by less than chance: a quadratic in r.
    square = float(stats.t.ppf(0.975, freedom)) ** 2
    a, b = y * y - square * vy, x * y - square * c
    if a <= 0:
        return Share(np.nan, np.nan, np.nan)
    root = max(0.0, b * b - a * (x * x - square * vx))  # with a > 0 it is negative by rounding only
    return Share(x / y, (b - root**0.5) / a, (b + root**0.5) / a)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of a family of tests, adjusted so that the chance of any false positive stays below each (Holm 1979).

    NaN, a test that could not be made, is left out of the family.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    # Not statsmodels' multipletests, which collects garbage in each call: 0.3 s beside MMSegmentation's modules.
    adjusted = np.array(p_values, dtype=np.float64)
    order = np.argsort(adjusted)[: np.isfinite(adjusted).sum()]  # NaN comes last
    adjusted[order] = np.minimum(np.maximum.accumulate(adjusted[order] * np.arange(len(order), 0, -1)), 1)
    return [round(value, 12) for value in adjusted.tolist()]


def detectable_gain(differences: Float[np.ndarray, " s"], *, power: float = 0.8) -> float:
    """The smallest true gain that :func:`paired_t_test` on so many seeds, scattering like these, finds at p < 0.05.

    Args:
        differences: Of runs with the same seed.
        power: The chance to find it. With one seed, or equal differences, the result is NaN.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return np.nan
    return float(np.std(differences, ddof=1) * TTestPower().solve_power(nobs=len(differences), alpha=0.05, power=power))


def paired_swap_test(
    ours: Float[np.ndarray, "s n k 2"],
    theirs: Float[np.ndarray, "s n k 2"],
    *,
    block: int = 1,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """Two-sided p-value of the difference of mIoU, averaged over seeds: would other images show a gain, too?

    Null hypothesis: of these trained networks, on a run of ``block`` neighbouring images, it is chance which method
    gave which predictions. So each such run of images is swapped by a fair coin, for all seeds together, in all ways up
    to 13 runs and ``permutations`` times beyond; p is the share of swaps (the observed one counted in) whose mean
    difference is at least as large. ``block`` > 1 for frames of a video, which are no independent images; images are
    parted into runs of nearly the same length (p of one is NaN). Nothing is said of other trainings: `paired_t_test`.

    Raises:
        ValueError: if the two do not have the same seeds, images and classes.
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"the runs to compare differ in seeds, images or classes: {ours.shape} and {theirs.shape}")
    blocks = np.array_split(np.arange(ours.shape[1]), max(1, round(ours.shape[1] / block)))
    if len(blocks) < 2:  # the one swap there is changes the sign alone
        return np.nan
    starts = [part[0] for part in blocks]
    ours, theirs = (np.add.reduceat(areas.astype(np.float64), starts, axis=1) for areas in (ours, theirs))

    def difference(swaps: Float[np.ndarray, "p m"]) -> Float[np.ndarray, " p"]:
        flow = np.tensordot(swaps, theirs - ours, axes=(1, 1))  # p s k 2
        first, second = ours.sum(axis=1) + flow, theirs.sum(axis=1) - flow
        return reduce(np.nanmean(iou_of(first), axis=-1) - np.nanmean(iou_of(second), axis=-1), "p s -> p", "mean")

    observed = difference(np.zeros((1, len(starts))))[0]
    if len(starts) <= FEW_BLOCKS:
        coins, beside = np.arange(2 ** len(starts))[:, None] >> np.arange(len(starts)) & 1, 0
    else:
        coins, beside = np.random.default_rng(seed).integers(0, 2, (permutations, len(starts))), 1  # what was observed
    # Rounding must not decide whether a swap that changes nothing is as large as what was observed.
    as_large = np.abs(difference(coins.astype(np.float64))) >= abs(observed) - 1e-9
    return float((as_large.sum() + beside) / (len(coins) + beside))
