"""Endless shuffled streams of images: two of them dealt out in a fixed ratio, or one alone."""

from collections.abc import Iterator, Sized
from itertools import count
from math import ceil
from typing import Final

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmseg_css.datasets.checks import check_ratio
from mmseg_css.datasets.paired import PairedDataset
from mmseg_css.datasets.seeded import Draw
from mmseg_css.registry import DATA_SAMPLERS

# What the draws of one seed are for, so that no two of them share a generator.
ORDER: Final = 0
AUGMENTATION: Final = 1


class ShuffledStream:
    """The images ``first ... first + size - 1`` over and over, in a fresh order each epoch.

    Position ``p`` is image ``p % size`` of the permutation of epoch ``p // size``, which depends on nothing but
    (seed, name, epoch). So any position can be read without reading the ones before it.
    """

    def __init__(self, *, first: int, size: int, seed: int, name: int) -> None:
        self.first, self.size, self.seed, self.name = first, size, seed, name
        self._epoch = -1
        self._order = np.empty(0, dtype=np.int64)

    def __getitem__(self, position: int) -> Draw:
        epoch, offset = divmod(position, self.size)
        if epoch != self._epoch:
            self._order = np.random.default_rng(self._key(ORDER, epoch)).permutation(self.size)
            self._epoch = epoch
        seed = self._key(AUGMENTATION, position).generate_state(1, np.uint32)[0]
        return Draw(index=self.first + int(self._order[offset]), seed=int(seed))

    def _key(self, purpose: int, number: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(self.name, purpose, number))


class DrawSampler(Sampler[Draw]):
    """What the samplers share: a seed that all ranks know, a share of the draws for each rank, and a place to start.

    Args:
        seed: The same on all ranks; ``None`` draws one and shares it.
        rank: This process among ``world_size``; both default to those of the process group.
        world_size: Number of processes that share the draws.
    """

    def __init__(self, seed: int | None, rank: int | None, world_size: int | None) -> None:
        group_rank, group_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.rank = group_rank if rank is None else rank
        self.world_size = group_size if world_size is None else world_size
        self._start = 0

    def set_start(self, position: int) -> None:
        """Let the next iteration begin at the ``position``-th draw of this rank (iteration times batch size)."""
        if position < 0:
            raise ValueError(f"the start of a {type(self).__name__} must not be negative, got {position}")
        self._start = position

    # MMEngine 0.10.12's own iteration loop looks for this name when it resumes.
    skip = set_start


@DATA_SAMPLERS.register_module()
class PairedSampler(DrawSampler):
    """Endless draws from a :class:`PairedDataset`: ``ratio[0]`` labelled, then ``ratio[1]`` unlabelled, and so on.

    One such *round* goes to each rank in turn. So with a batch size that is a multiple of ``sum(ratio)`` every batch
    holds the exact ratio, and the batches of W ranks hold, step by step, the images that one rank would see with W
    times the batch size.

    Args:
        dataset: The paired data set to draw from; MMEngine's ``build_dataloader`` passes it.
        ratio: Labelled and unlabelled images of a round, both positive.
        seed: Seed of both streams, the same on all ranks; ``None`` draws one and shares it.
        rank: This process among ``world_size``; both default to those of the process group.
        world_size: Number of processes that share the rounds.

    Raises:
        TypeError: ``dataset`` is not a :class:`PairedDataset`.
        ValueError: A part of ``ratio`` is not a positive integer.

    Example:
        >>> sampler = PairedSampler(dataset, ratio=(1, 2), seed=0)  # doctest: +SKIP
        >>> [draw.index >= dataset.num_labeled for draw in islice(sampler, 6)]  # doctest: +SKIP
        [False, True, True, False, True, True]
    """

    def __init__(
        self,
        dataset: PairedDataset,
        *,
        ratio: tuple[int, int] = (1, 1),
        seed: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        if not isinstance(dataset, PairedDataset):
            raise TypeError(
                f"PairedSampler draws from a PairedDataset, but train_dataloader.dataset is a {type(dataset).__name__};"
                " set dataset=dict(type='PairedDataset', labeled=..., unlabeled=...), without num_batch_per_epoch"
            )
        check_ratio(ratio)
        super().__init__(seed, rank, world_size)
        self.dataset = dataset
        self.ratio = tuple(ratio)

    def __iter__(self) -> Iterator[Draw]:
        labeled, unlabeled = self.ratio
        sizes = self.dataset.num_labeled, self.dataset.num_unlabeled
        labeled_stream = ShuffledStream(first=0, size=sizes[0], seed=self.seed, name=0)
        unlabeled_stream = ShuffledStream(first=sizes[0], size=sizes[1], seed=self.seed, name=1)
        for position in count(self._start):
            own_round, slot = divmod(position, labeled + unlabeled)
            shared_round = own_round * self.world_size + self.rank
            if slot < labeled:
                yield labeled_stream[shared_round * labeled + slot]
            else:
                yield unlabeled_stream[shared_round * unlabeled + slot - labeled]

    def __len__(self) -> int:
        """Draws of one rank until every image was drawn: a nominal epoch (MMEngine asks; the iteration never ends)."""
        rounds = max(
            ceil(self.dataset.num_labeled / self.ratio[0]),
            ceil(self.dataset.num_unlabeled / self.ratio[1]),
        )
        return ceil(rounds / self.world_size) * sum(self.ratio)


@DATA_SAMPLERS.register_module()
class SeededSampler(DrawSampler):
    """Endless draws from one data set, for supervised training: a `PairedSampler` without unlabelled images.

    With the same seed it deals out the labelled images of a `PairedSampler` in the same order, under the same seeds, so
    that a method and its baseline see the same. `PairedTrainLoop` lets the data set understand the draws.

    Args:
        dataset: The data set to draw from; MMEngine's ``build_dataloader`` passes it.
        seed: The same on all ranks; ``None`` draws one and shares it.
        rank, world_size: As for `PairedSampler`.
    """

    def __init__(
        self, dataset: Sized, *, seed: int | None = None, rank: int | None = None, world_size: int | None = None
    ) -> None:
        super().__init__(seed, rank, world_size)
        self.size = len(dataset)

    def __iter__(self) -> Iterator[Draw]:
        stream = ShuffledStream(first=0, size=self.size, seed=self.seed, name=0)
        return (stream[position * self.world_size + self.rank] for position in count(self._start))

    def __len__(self) -> int:
        """Draws of one rank until every image was drawn."""
        return ceil(self.size / self.world_size)
