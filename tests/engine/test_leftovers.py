"""What a training, ended as it may be, leaves behind: no files that nothing reads, and no handler."""

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.engine.checkpoints import EARLIER, latest_whole
from mmseg_css.engine.dataloaders import GRACE
from mmseg_css.engine.hooks import DurableCheckpointHook
from tests.engine.test_checkpoint_hook import Trained, advance, names, save
from tests.engine.tiny import config, write_data


class Bad(Hook):
    def after_train_iter(self, *_: object, **__: object) -> None:
        raise FloatingPointError("a bad step")


def test_a_training_that_fails_leaves_no_handler(tmp_path: Path) -> None:
    """With it, the process would not die of a SIGTERM any more."""
    runner = Runner.from_cfg(config(write_data(tmp_path), "supervised", 2))
    runner.register_hook(Bad())
    with pytest.raises(FloatingPointError, match="a bad step"):
        runner.train()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_training_that_starts_twice_leaves_no_handler(tmp_path: Path) -> None:
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    hook.before_train(runner)
    hook.before_train(runner)
    hook.after_train(runner)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_a_kill_left_half_written_goes(tmp_path: Path) -> None:
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    for name in ("iter_3.pth.71.part", "best_mIoU_iter_2.pth.71.part", "iter_2.pth", "notes.part"):
        (tmp_path / name).write_bytes(b"")
    hook.before_train(runner)
    hook.after_train(runner)
    assert {path.name for path in tmp_path.iterdir()} == {"iter_2.pth", "notes.part", EARLIER}


@pytest.mark.parametrize("resumed", [True, False])
def test_the_best_of_a_killed_run_goes_with_the_next_best(tmp_path: Path, resumed: bool) -> None:
    """It may be of after the checkpoint that was resumed from, or recorded under another folder's name. A run that only
    starts in the same folder keeps what it finds there.
    """
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False, save_best="mIoU", rule="greater")
    runner._resume = resumed
    kept = {"best_mAcc_iter_3.pth", "best_mIoU_iter_1.pth", "iter_1.pth"}
    for name in ("best_mIoU_iter_7.pth", "best_mAcc_iter_3.pth"):
        save(tmp_path / name)
    hook.before_train(runner)
    assert "best_mIoU_iter_7.pth" in names(runner)  # until there is a better one
    advance(runner, hook, 20.0)
    hook.after_train(runner)
    assert names(runner) == (kept if resumed else kept | {"best_mIoU_iter_7.pth"})


def test_resume_passes_over_what_an_earlier_training_left(tmp_path: Path) -> None:
    """Killed before its first checkpoint, a training would go on from the end of the one before, of other settings."""
    save(tmp_path / "iter_5.pth")
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_5.pth"))
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    hook.before_train(runner)
    found, [note] = latest_whole(tmp_path)
    assert found is None
    assert "are of an earlier training" in note
    for _ in range(5):
        advance(runner, hook, 1.0)
        assert latest_whole(tmp_path) == (tmp_path / f"iter_{runner.iter}.pth", [])
    assert not (tmp_path / EARLIER).exists()  # iter_5.pth is its own now
    hook.after_train(runner)


def test_a_kill_before_a_checkpoint_is_taken_back_costs_it_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the name of one of the training before, and is newer."""
    os.utime(save(tmp_path / "iter_1.pth"), (1, 1))
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    hook.before_train(runner)
    monkeypatch.setattr("mmseg_css.engine.hooks.checkpoint.take_back", lambda *_: None)
    hook._save_checkpoint_with_step(runner, 1, {})
    assert (tmp_path / EARLIER).exists()
    assert latest_whole(tmp_path) == (tmp_path / "iter_1.pth", [])
    hook.after_train(runner)


def test_notes_of_names_alone_are_read(tmp_path: Path) -> None:
    for number in (1, 2):
        os.utime(save(tmp_path / f"iter_{number}.pth"), (number, number))
    (tmp_path / EARLIER).write_text("iter_2.pth")
    assert latest_whole(tmp_path) == (tmp_path / "iter_1.pth", [])


def test_one_process_alone_takes_a_checkpoint_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, one could remove the list while another reads it."""
    save(tmp_path / "iter_1.pth")
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    hook.before_train(runner)
    for main in (False, True):
        assert (tmp_path / EARLIER).read_text().split()[::2] == ["iter_1.pth"]
        monkeypatch.setattr("mmseg_css.engine.hooks.checkpoint.is_main_process", lambda main=main: main)
        hook._save_checkpoint_with_step(runner, 1, {})
    assert not (tmp_path / EARLIER).exists()
    hook.after_train(runner)


def test_a_resumed_training_goes_on_from_what_is_there(tmp_path: Path) -> None:
    save(tmp_path / "iter_5.pth")
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False)
    runner._resume = True
    hook.before_train(runner)
    assert latest_whole(tmp_path) == (tmp_path / "iter_5.pth", [])
    hook.after_train(runner)


class Tells(Hook):
    """As a scheduler does, or a person: another process sends a signal."""

    priority = "VERY_HIGH"  # the step is still to be made

    def __init__(self, *, all_processes: bool, number: int = signal.SIGTERM) -> None:
        self.all_processes, self.number = all_processes, number
        self.alive: list[list[bool]] = []

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        if batch_idx in (2, 3):
            self.workers = multiprocessing.active_children()
            told = [worker.pid for worker in self.workers] + [os.getpid()] * self.all_processes
            subprocess.run(["kill", f"-{self.number:d}", *map(str, told)])
            time.sleep(0.5)  # in which workers would die
            self.alive.append([worker.is_alive() for worker in self.workers])


@pytest.fixture
def trains(tmp_path: Path) -> Callable[[Tells], None]:
    def train(tells: Tells) -> None:
        runner = Runner.from_cfg(config(write_data(tmp_path), "supervised", 500, train_dataloader__num_workers=2))
        runner.register_hook(tells)
        runner.train()

    return train


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_processes_leaves_a_checkpoint(
    trains: Callable[[Tells], None], tmp_path: Path, number: signal.Signals
) -> None:
    tells, before = Tells(all_processes=True, number=number), signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with pytest.raises(SystemExit, match=str(128 + number)):
        trains(tells)
    signal.signal(signal.SIGHUP, before)  # which nohup may have set
    assert [path.name for path in tmp_path.rglob("iter_*.pth")] == ["iter_3.pth"]
    for worker in tells.workers:
        worker.join(GRACE / 3)  # and not when its own patience ends
    assert [worker.is_alive() for worker in tells.workers] == [False, False]


def test_workers_that_are_told_to_end(trains: Callable[[Tells], None]) -> None:
    """They alone, and twice: each waits for its process once."""
    tells = Tells(all_processes=False)
    with pytest.raises(RuntimeError, match="ended from outside .*: --resume goes on from the last checkpoint"):
        trains(tells)
    assert tells.alive == [[True, True]]
