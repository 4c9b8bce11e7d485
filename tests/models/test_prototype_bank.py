"""The bank: what a step adds to it, when, and that all ranks agree."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmseg_css.models import PrototypeBank
from tests.models.helpers import random_labels
from tests.ranks import as_two_ranks


def row(*values: tuple[float, ...]) -> Tensor:
    """One image, one row of pixels with these embeddings."""
    return torch.tensor(values).T.reshape(1, len(values[0]), 1, len(values))


def labels(*values: int) -> Tensor:
    return torch.tensor(values).reshape(1, 1, -1)


def state(bank: PrototypeBank) -> tuple[list, list]:
    return bank.prototypes.tolist(), bank.seen.tolist()


def test_two_steps_computed_by_hand() -> None:
    bank = PrototypeBank(num_classes=3, channels=2, decay=0.75)
    bank.observe(row((2.0, 0.0), (4.0, 2.0), (0.0, 8.0), (9.0, 9.0)), labels(0, 0, 2, 255))
    bank.commit()
    # First sight: the means themselves. The ignored pixel counts for nothing, and class 1 was not there.
    assert state(bank) == ([[3.0, 1.0], [0.0, 0.0], [0.0, 8.0]], [True, False, True])

    bank.observe(row((7.0, 5.0), (1.0, 2.0), (3.0, 4.0)), labels(0, 1, 1))
    bank.commit()
    # 0.75 * (3, 1) + 0.25 * (7, 5); the mean of class 1; class 2 stays.
    assert state(bank) == ([[4.0, 2.0], [2.0, 3.0], [0.0, 8.0]], [True, True, True])


def test_lookahead_is_what_commit_makes_the_state() -> None:
    bank = PrototypeBank(num_classes=2, channels=1, decay=0.5)
    bank.observe(row((4.0,)), labels(0))
    prototypes, seen = bank.lookahead()
    assert state(bank) == ([[0.0], [0.0]], [False, False])
    assert (prototypes.tolist(), seen.tolist()) == ([[4.0], [0.0]], [True, False])
    bank.commit()
    assert torch.equal(bank.prototypes, prototypes)
    assert torch.equal(bank.seen, seen)
    assert torch.equal(bank.lookahead()[0], prototypes)


def test_skipped_step_leaves_no_trace() -> None:
    bank = PrototypeBank(num_classes=2, channels=1, decay=0.5)
    bank.observe(row((4.0,)), labels(0))
    bank.commit()
    bank.observe(row((float("nan"),), (1.0,)), labels(0, 1))
    bank.discard()
    assert state(bank) == ([[4.0], [0.0]], [True, False])
    bank.observe(row((8.0,)), labels(0))
    bank.commit()
    assert state(bank) == ([[6.0], [0.0]], [True, False])


def test_commit_without_an_observation_changes_nothing() -> None:
    bank = PrototypeBank(num_classes=2, channels=1, decay=0.5)
    bank.observe(row((4.0,)), labels(0))
    bank.commit()
    bank.commit()
    assert state(bank) == ([[4.0], [0.0]], [True, False])


def test_two_observations_are_one_of_the_union() -> None:
    pieces = [(row((1.0,), (2.0,), (5.0,)), labels(0, 0, 1)), (row((9.0,), (3.0,), (6.0,)), labels(0, 1, 255))]
    union = row((1.0,), (2.0,), (5.0,), (9.0,), (3.0,), (6.0,)), labels(0, 0, 1, 0, 1, 255)
    accumulated, whole = (PrototypeBank(num_classes=2, channels=1, decay=0.5) for _ in range(2))
    for _ in range(2):  # the second round blends instead of setting
        for piece in pieces:
            accumulated.observe(*piece)
        accumulated.commit()
        whole.observe(*union)
        whole.commit()
    # Means of the union: (1 + 2 + 9) / 3 and (5 + 3) / 2, weighted by pixels and not by observations.
    assert state(accumulated) == state(whole) == ([[4.0], [4.0]], [True, True])


def test_class_whose_mean_is_zero_counts_as_seen() -> None:
    bank = PrototypeBank(num_classes=1, channels=1, decay=0.75)
    bank.observe(row((-1.0,), (1.0,)), labels(0, 0))
    bank.commit()
    assert state(bank) == ([[0.0]], [True])
    bank.observe(row((8.0,)), labels(0))
    bank.commit()
    assert state(bank) == ([[2.0]], [True])  # blended, and not taken for a first sight


def test_checkpoint_holds_the_state_and_nothing_pending() -> None:
    bank = PrototypeBank(num_classes=2, channels=1)
    bank.observe(row((4.0,)), labels(0))
    assert set(bank.state_dict()) == {"prototypes", "seen"}
    bank.commit()
    loaded = PrototypeBank(num_classes=2, channels=1)
    loaded.load_state_dict(bank.state_dict())
    assert state(loaded) == state(bank)


def test_no_gradient_and_full_precision() -> None:
    bank = PrototypeBank(num_classes=1, channels=1)
    embeddings = torch.ones(1, 1, 60, 60, dtype=torch.float16, requires_grad=True)  # 3600: half precision stops at 2048
    bank.observe(embeddings, torch.zeros(1, 60, 60, dtype=torch.long))
    bank.commit()
    assert not bank.prototypes.requires_grad
    assert state(bank) == ([[1.0]], [True])


CLASSES, CHANNELS, STEPS = 4, 3, 3


def observation(step: int, rank: int) -> tuple[Tensor, Tensor]:
    """Class 1 is missing on rank 1, class 2 on rank 0, class 3 everywhere until the last step."""
    seed = 10 * step + rank
    embeddings = torch.randn(2, CHANNELS, 5, 5, generator=torch.Generator().manual_seed(seed))
    own = random_labels(seed, 2, (5, 5), CLASSES)
    own = own.masked_fill(own == 2 - rank, 255)
    return embeddings, own if step == STEPS - 1 else own.masked_fill(own == 3, 255)


def observe_as_rank(rank: int, folder: Path) -> None:
    bank = PrototypeBank(num_classes=CLASSES, channels=CHANNELS, decay=0.9)
    for step in range(STEPS):
        bank.observe(*observation(step, rank))
        bank.commit()
    torch.save(bank.state_dict(), folder / f"{rank}.pth")


def test_two_ranks_agree_and_equal_one_process(tmp_path: Path) -> None:
    as_two_ranks(observe_as_rank, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pth", weights_only=True) for rank in range(2))
    assert torch.equal(first["prototypes"], second["prototypes"])
    assert torch.equal(first["seen"], second["seen"])

    alone = PrototypeBank(num_classes=CLASSES, channels=CHANNELS, decay=0.9)
    for step in range(STEPS):
        pieces = zip(observation(step, 0), observation(step, 1), strict=True)
        alone.observe(*(torch.cat(piece) for piece in pieces))
        alone.commit()
    assert alone.seen.all()
    assert torch.equal(first["seen"], alone.seen)
    assert first["prototypes"].numpy() == pytest.approx(alone.prototypes.numpy(), abs=1e-6)
