"""What a sampler hands to a data set: which image, and the seed of everything random that happens to it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, order=True)
class Draw:
    """An index into a :class:`PairedDataset`, and the seed (in [0, 2**32)) of its augmentation."""

    index: int
    seed: int


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Give the global generators of Python, numpy and torch (CPU) a seed, and afterwards their former state back.

    MMSeg's transforms draw from these generators. Seeding them per image makes a batch a function of (seed, position):
    the same for any number of workers or ranks, and after a resume. The accelerators' generators are left alone,
    because they belong to the model.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
