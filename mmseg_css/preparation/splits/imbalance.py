"""Lists whose classes have chosen shares of the pixels: to see what a method does when classes are rare.

Letters: n images, k classes.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int


def target_shares(shares: Float[np.ndarray, " k"], rho: float) -> Float[np.ndarray, " k"]:
    """``share^rho``, normalised: 1 is as in the pool, 0 flat, 2 steeper. Classes that the pool lacks stay absent.

    >>> target_shares(np.array([0.8, 0.2, 0.0]), 0.0).tolist()
    [0.5, 0.5, 0.0]

    Raises:
        ValueError: ``rho`` is negative or no finite number.
    """
    if not 0 <= rho < math.inf:
        raise ValueError(
            f"--imbalance {rho:g}: it must be a number from 0 (flat) on; 1 is as in the pool, 2 is steeper"
        )
    powers = np.where(shares > 0, np.power(np.where(shares > 0, shares, 1.0), rho), 0.0)
    return powers / powers.sum()


def distance(pixels: Int[np.ndarray, "*rest k"], target: Float[np.ndarray, " k"]) -> Float[np.ndarray, "*rest"]:
    """How far shares of the pixels are from a target: half the sum of their differences (total variation), 0 to 1.

    >>> distance(np.array([3, 1]), np.array([0.5, 0.5])).item()
    0.25
    """
    shares = pixels / np.maximum(pixels.sum(-1, keepdims=True), 1)
    return np.abs(shares - target).sum(-1) / 2


def entropy(shares: Float[np.ndarray, " k"]) -> float:
    """In bits; of k equal shares it is log2 k.

    >>> entropy(np.array([0.5, 0.5]))
    1.0
    """
    known = shares[shares > 0]
    return float(-(known * np.log2(known)).sum()) + 0.0


def choose_by_share(
    pixels: Mapping[str, Int[np.ndarray, " k"]], lengths: Sequence[int], *, rho: float, seed: int
) -> list[list[str]]:
    """Choose whole images greedily, so that the shares of the pixels come close to `target_shares` of the pool's.

    A sorted list for each length, shortest first, each contained in the next. The seed draws the first image; each
    step then takes the one after which the list is nearest, of equal ones the first by name. Lists of other seeds share
    images where few show a class. The result depends on names, masks, lengths, ``rho`` and the seed, and on nothing
    else.

    Raises:
        ValueError: ``rho`` is negative or no finite number, or too few images have labelled pixels.
    """
    names = sorted(name for name, counts in pixels.items() if counts.sum())  # others change no share
    if len(names) < max(lengths):
        raise ValueError(f"a list of {max(lengths)} images cannot be chosen from {len(names)} with labelled pixels")
    counts = np.stack([pixels[name] for name in names])
    target = target_shares(counts.sum(0) / counts.sum(), rho)
    # A raw double of PCG64, a stream that is fixed; numpy does not promise that for `integers`.
    first = int(np.random.Generator(np.random.PCG64(seed)).random() * len(names))
    left = np.arange(len(names))
    total = np.zeros(counts.shape[1], np.int64)
    chosen: list[str] = []
    lists = []
    for length in sorted(lengths):
        while len(chosen) < length:
            best = left[np.argmin(distance(total + counts[left], target))] if chosen else first
            total += counts[best]
            left = left[left != best]
            chosen.append(names[best])
        lists.append(sorted(chosen))
    return lists
