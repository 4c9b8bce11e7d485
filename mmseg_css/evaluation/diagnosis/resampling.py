"""Intervals over images, from the counts of each image.

Letters: n images, m blocks of neighbouring ones, r rows of counts, s resamples, of which the first is the images as
they are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int, UInt8

DRAWS: Final = 2000
#: Weights that are numbers of 8 bytes at a time.
CHUNK: Final = 2**20


@dataclass(frozen=True)
class Resampled:
    """Counts of the images, and of the same number of images drawn from them again and again (bootstrap).

    Attributes:
        counts: Of each image, by name.
        weights: How often each block counts in each resample; in bytes, since this is what grows with the images.
        block: Images of a block.
    """

    counts: Mapping[str, Float[np.ndarray, "n ..."]]
    weights: UInt8[np.ndarray, "s m"]
    block: int = 1

    def total(self, name: str) -> Float[np.ndarray, "s ..."]:
        """Counts over all images, in each resample."""
        own = self.counts[name]
        return self.total_of(np.arange(len(own)), own)

    def total_of(self, images: Int[np.ndarray, " r"], counts: Float[np.ndarray, "r ..."]) -> Float[np.ndarray, "s ..."]:
        """The same of counts that only some images have, or several times; ``images`` says whose, in order."""
        blocks = images // self.block
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        rows = counts.reshape(len(counts), math.prod(counts.shape[1:])).astype(np.float64)
        of_blocks = np.add.reduceat(rows, starts, axis=0)
        weights = self.weights[:, blocks[starts]]
        chunks = np.array_split(weights, max(1, weights.size // CHUNK))
        summed = np.concatenate([chunk.astype(np.float64) @ of_blocks for chunk in chunks])
        return summed.reshape(len(weights), *counts.shape[1:])


def resampled(
    counts: Mapping[str, Float[np.ndarray, "n ..."]], *, block: int = 1, draws: int = DRAWS, seed: int = 0
) -> Resampled:
    """Draw ``draws`` times as many blocks of ``block`` neighbouring images as there are, with replacement."""
    number = len(next(iter(counts.values())))
    blocks = -(-number // block)
    if blocks < 2:  # nothing to draw from: no interval
        draws = 0
    generator, chances = np.random.default_rng(seed), np.full(blocks, 1 / blocks)
    weights = np.ones((1 + draws, blocks), np.uint8)  # a block is drawn once on average, and more than 255 times never
    for row in weights[1:]:
        row[:] = generator.multinomial(blocks, chances)
    return Resampled(counts, weights, block)


def estimate(values: Float[np.ndarray, " s"], exact: float | None = None, highest: float = 1.0) -> dict[str, Any]:
    """What was observed, and the interval that holds 95 % of what other images would have given.

    Args:
        values: Of each resample.
        exact: What was observed, where ``values`` come from coarser counts: the interval moves with it.
        highest: Of what can be observed; the lowest is 0.

    >>> estimate(np.array([0.5, 0.4, 0.6]))["value"]
    0.5
    """
    if exact is not None:
        values = np.clip(values + (exact - values[0]), 0.0, highest)
    drawn = values[1:][np.isfinite(values[1:])]
    interval = np.quantile(drawn, (0.025, 0.975)).tolist() if len(drawn) else [np.nan, np.nan]
    return {"value": float(values[0]), "interval": interval}
