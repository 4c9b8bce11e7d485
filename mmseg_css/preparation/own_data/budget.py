"""How long to train; docs/budgets.md has the evidence."""

from typing import Final

BATCH: Final = 4  # labelled images a step in the configs, and as many unlabelled ones
PASSES: Final = 10
FEWEST, MOST = 3500, 40_000


def steps_for(images: int, batch: int = BATCH) -> int:
    """Optimiser steps: ten passes over the images that a method learns most from, within bounds, in whole hundreds.

    Args:
        images: how many there are: the unlabelled ones; the labelled ones where all are labelled, or they are more.
        batch: how many of them a step takes.

    >>> steps_for(392), steps_for(5000), steps_for(120_000)
    (3500, 12500, 40000)
    """
    passes = -(-PASSES * images // batch)
    return min(max(-(-passes // 100) * 100, FEWEST), MOST)
