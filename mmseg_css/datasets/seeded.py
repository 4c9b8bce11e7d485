"""What a sampler hands to a data set: which image, and the seed of everything random that happens to it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from torch.utils.data import Dataset

from mmseg_css.registry import DATASETS


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


@DATASETS.register_module()
class SeededDataset(Dataset[Any]):
    """Any data set of MMEngine's kind, whose images are augmented under the seed that a :class:`Draw` brings.

    Args:
        dataset: The data set or its config.
    """

    def __init__(self, *, dataset: BaseDataset | dict) -> None:
        self.dataset: Any = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        return self.dataset.metainfo

    def full_init(self) -> None:
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int | Draw) -> Any:
        if isinstance(index, Draw):
            with seeded(index.seed):
                return self.dataset[index.index]
        return self.dataset[index]
