from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import BaseDataset

from mmseg_css.datasets import Draw, PairedDataset, PairedSampler

ratios = st.tuples(st.integers(1, 3), st.integers(1, 3))
sizes = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)


class Sizes(PairedDataset):
    """A paired data set that is nothing but its sizes."""

    def __init__(self, labeled: int, unlabeled: int) -> None:
        self.labeled, self.unlabeled = range(labeled), range(unlabeled)


def draws(sampler: PairedSampler, count: int) -> list[Draw]:
    return list(islice(sampler, count))


@given(sizes, sizes, ratios, seeds, st.integers(1, 3))
def test_every_batch_holds_the_ratio(
    labeled: int, unlabeled: int, ratio: tuple[int, int], seed: int, rounds: int
) -> None:
    sampler = PairedSampler(Sizes(labeled, unlabeled), ratio=ratio, seed=seed)
    batch_size = rounds * sum(ratio)
    indices = [draw.index for draw in draws(sampler, 5 * batch_size)]
    for start in range(0, len(indices), batch_size):
        batch = indices[start : start + batch_size]
        assert sum(index < labeled for index in batch) == rounds * ratio[0]
        assert all(0 <= index < labeled + unlabeled for index in batch)


@given(sizes, sizes, ratios, seeds)
def test_every_image_once_per_epoch_of_its_stream(
    labeled: int, unlabeled: int, ratio: tuple[int, int], seed: int
) -> None:
    sampler = PairedSampler(Sizes(labeled, unlabeled), ratio=ratio, seed=seed)
    indices = [draw.index for draw in draws(sampler, 3 * max(labeled, unlabeled) * sum(ratio))]
    for images in (range(labeled), range(labeled, labeled + unlabeled)):
        stream = [index for index in indices if index in images]
        for epoch in range(len(stream) // len(images)):
            assert sorted(stream[epoch * len(images) : (epoch + 1) * len(images)]) == list(images)


@given(sizes, sizes, ratios, seeds, st.integers(1, 4), st.integers(1, 2))
def test_ranks_together_are_one_rank(
    labeled: int, unlabeled: int, ratio: tuple[int, int], seed: int, world_size: int, rounds: int
) -> None:
    dataset = Sizes(labeled, unlabeled)
    batch_size, steps = rounds * sum(ratio), 4
    alone = draws(PairedSampler(dataset, ratio=ratio, seed=seed), steps * batch_size * world_size)
    ranks = [
        draws(PairedSampler(dataset, ratio=ratio, seed=seed, rank=rank, world_size=world_size), steps * batch_size)
        for rank in range(world_size)
    ]
    for step in range(steps):
        together = [draw for rank in ranks for draw in rank[step * batch_size : (step + 1) * batch_size]]
        expected = alone[step * batch_size * world_size : (step + 1) * batch_size * world_size]
        assert sorted(together) == sorted(expected)


@given(sizes, sizes, ratios, seeds, st.integers(0, 60), st.integers(0, 1))
def test_start_is_the_tail(
    labeled: int, unlabeled: int, ratio: tuple[int, int], seed: int, start: int, rank: int
) -> None:
    sampler = PairedSampler(Sizes(labeled, unlabeled), ratio=ratio, seed=seed, rank=rank, world_size=2)
    whole = draws(sampler, start + 20)
    sampler.set_start(start)
    assert draws(sampler, 20) == whole[start:]
    assert draws(sampler, 20) == whole[start:]  # iterating anew starts there again


def test_start_far_away_takes_no_time() -> None:
    sampler = PairedSampler(Sizes(1000, 100_000), seed=0)
    sampler.set_start(10**15)
    assert len(draws(sampler, 4)) == 4


def test_streams_epochs_and_seeds_differ() -> None:
    def orders(seed: int) -> list[tuple[int, ...]]:
        indices = [draw.index % 50 for draw in draws(PairedSampler(Sizes(50, 50), seed=seed), 200)]
        return [tuple(indices[stream : stream + 100 : 2]) for stream in (0, 1, 100, 101)]

    assert len({*orders(0), *orders(1)}) == 8
    assert orders(0) == orders(0)


def test_augmentation_seeds_differ_between_epochs() -> None:
    seeds = [draw.seed for draw in draws(PairedSampler(Sizes(2, 3), seed=0), 600)]
    assert len(set(seeds)) == 600
    assert all(0 <= seed < 2**32 for seed in seeds)


@pytest.mark.parametrize(
    ("labeled", "unlabeled", "ratio", "world_size", "length"),
    [(20, 380, (1, 1), 1, 760), (20, 380, (1, 1), 4, 190), (3, 7, (1, 2), 1, 12), (30, 7, (1, 2), 1, 90)],
)
def test_length_is_a_nominal_epoch(
    labeled: int, unlabeled: int, ratio: tuple[int, int], world_size: int, length: int
) -> None:
    assert len(PairedSampler(Sizes(labeled, unlabeled), ratio=ratio, seed=0, rank=0, world_size=world_size)) == length


def test_a_seed_is_drawn_where_none_is_given() -> None:
    assert len({PairedSampler(Sizes(1, 1)).seed for _ in range(5)}) > 1


@pytest.mark.parametrize("ratio", [(0, 1), (1, -1), (1,), (1, 1, 1), (0.5, 1)])
def test_ratio_that_is_none(ratio: tuple) -> None:
    with pytest.raises(ValueError, match="ratio must be two positive integers"):
        PairedSampler(Sizes(1, 1), ratio=ratio)


def test_other_data_sets_are_refused() -> None:
    with pytest.raises(TypeError, match="draws from a PairedDataset, but train_dataloader.dataset is a BaseDataset"):
        PairedSampler(BaseDataset(lazy_init=True))


def test_negative_start() -> None:
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        PairedSampler(Sizes(1, 1), seed=0).set_start(-1)
