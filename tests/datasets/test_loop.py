"""The loop belongs to the engine; it is tested here because it is all about the data."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner, loops
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmseg_css.datasets import Draw, PairedDataset
from tests.datasets.helpers import dataloader_config
from tests.ranks import as_two_ranks

Batch = list[tuple[str, float]]


class Recorder(BaseModel):
    """Notes the path and the sum of every image that it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.batches: list[Batch] = []

    def forward(self, labeled: dict, unlabeled: dict, mode: str) -> dict[str, Tensor]:
        images = [
            (sample.img_path, image.sum().item())
            for part in (labeled, unlabeled)
            for sample, image in zip(part["data_samples"], part["inputs"], strict=True)
        ]
        self.batches.append(images)
        return {"loss": self.weight.sum()}


def runner(root: Path, max_iters: int, *, seed: int | None = 5, resume: bool = False, **dataloader: object) -> Runner:
    return Runner(
        model=Recorder(),
        work_dir=str(root / "work_dir"),
        train_dataloader=dataloader_config(root, "labeled.txt", **dataloader),
        train_cfg={"type": "PairedTrainLoop", "max_iters": max_iters, "val_interval": 1000},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
        default_hooks={"checkpoint": {"type": "CheckpointHook", "interval": 3, "by_epoch": False}},
        randomness={"seed": seed},
        resume=resume,
        default_scope="mmseg",
        experiment_name=f"{root.parent.name}-{max_iters}-{resume}",
    )


def train(*arguments: object, **keywords: object) -> list[Batch]:
    training = runner(*arguments, **keywords)
    training.train()
    return training.model.batches


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("seed", [5, None])
def test_resumed_run_sees_what_the_uninterrupted_one_sees(root: Path, num_workers: int, seed: int | None) -> None:
    whole = train(root, 6, seed=seed, num_workers=num_workers)
    (root / "work_dir" / "last_checkpoint").write_text(str(root / "work_dir" / "iter_3.pth"))
    rest = train(root, 6, seed=seed, num_workers=num_workers, resume=True)
    assert len(whole) == 6
    assert rest == whole[3:]


def test_resuming_loads_nothing_twice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(root, 3)
    loaded, started = [], []
    get, start = PairedDataset.__getitem__, DataLoader.__iter__
    monkeypatch.setattr(PairedDataset, "__getitem__", lambda self, index: (loaded.append(index), get(self, index))[1])
    monkeypatch.setattr(DataLoader, "__iter__", lambda self: (started.append(self), start(self))[1])
    monkeypatch.setattr(loops, "_InfiniteDataloaderIterator", EagerIterator)
    train(root, 5, resume=True)
    draws = [index for index in loaded if isinstance(index, Draw)]
    assert len(draws) == 2 * 6
    assert len(started) == 1


class EagerIterator:
    """MMEngine 0.10.7's: it iterates the dataloader, and so starts its workers, when it is built."""

    def __init__(self, dataloader: object) -> None:
        self.iterator: Iterator[object] = iter(dataloader)


@pytest.mark.parametrize("failure", [None, RuntimeError("a bad step")])
def test_the_collector_passes_over_what_stays_for_the_training(root: Path, failure: Exception | None) -> None:
    class Frozen(Hook):
        counts: list[int] = []

        def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
            self.counts.append(gc.get_freeze_count())
            if failure is not None:
                raise failure

    training, hook = runner(root, 1), Frozen()
    training.register_hook(hook)
    with nullcontext() if failure is None else pytest.raises(RuntimeError, match="a bad step"):
        training.train()
    assert hook.counts[0] > 1000
    assert gc.get_freeze_count() == 0


def test_finished_run_resumes_to_nothing(root: Path) -> None:
    train(root, 3)
    assert train(root, 3, resume=True) == []
    logs = "".join(path.read_text() for path in root.rglob("*.log"))
    assert "All 3 iterations are done: raise train_cfg.max_iters to train on, and the end in param_scheduler" in logs


def go_on_as_rank(rank: int, folder: Path) -> None:
    """Only the first process sees the checkpoint."""
    training = runner(folder, 6, resume=rank == 0)
    training.register_hook(changed := NotesItsStart())
    with pytest.raises(ValueError, match=r"from different iterations \(0, 3\).*work_dir must be one folder"):
        training.train()
    assert not changed.started and not training.model.batches
    (folder / f"refused-{rank}").touch()


class NotesItsStart(Hook):
    started = False

    def before_train(self, runner: Runner) -> None:
        self.started = True


def test_processes_that_do_not_see_one_folder_are_refused(root: Path) -> None:
    train(root, 3)
    as_two_ranks(go_on_as_rank, root)
    assert {path.name for path in root.glob("refused-*")} == {"refused-0", "refused-1"}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), r"DataLoader worker \(pid.*\) (is killed|exited)"),
        (lambda: 1 / 0, r"(?s)in DataLoader worker process 0.*Traceback.*ZeroDivisionError"),
    ],
    ids=["killed", "error"],
)
def test_a_worker_that_dies_is_reported(
    root: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[], object], said: str
) -> None:
    get = PairedDataset.__getitem__
    monkeypatch.setattr(PairedDataset, "__getitem__", lambda self, index: end() and get(self, index))
    with pytest.raises((RuntimeError, ZeroDivisionError), match=said):
        train(root, 2, num_workers=1)


def test_batch_size_is_checked_when_the_loop_is_built(root: Path) -> None:
    with pytest.raises(ValueError, match=r"batch_size=4 .*no multiple of 3"):
        runner(root, 1, batch_size=4).build_train_loop({"type": "PairedTrainLoop", "max_iters": 1})


def test_other_samplers_are_refused(root: Path) -> None:
    with pytest.raises(TypeError, match="PairedTrainLoop needs train_dataloader.sampler.*got InfiniteSampler"):
        train(root, 1, sampler={"type": "InfiniteSampler"})
