"""The hook that saves: nothing is lost to a full disk, a kill or a resumed run."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from mmseg_css.engine.hooks import DurableCheckpointHook
from mmseg_css.engine.hooks.checkpoint import ECHO
from tests.engine.conftest import exit_code, full_disk, save
from tests.engine.tiny import config, write_data


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """Whoever started the tests with nohup, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_settings_that_could_lose_a_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="max_keep_ckpts=1 leaves none"):
        DurableCheckpointHook(2, by_epoch=False, max_keep_ckpts=1)
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        optim_wrapper=SimpleNamespace(_accumulative_counts=2),
        logger=SimpleNamespace(info=lambda text: None),
    )
    with pytest.raises(ValueError, match=r"interval=3 is no multiple of optim_wrapper.accumulative_counts=2"):
        DurableCheckpointHook(3, by_epoch=False).before_train(runner)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


class Trained:
    """As much of a runner as the hook needs to save: one small model, no optimiser."""

    def __init__(self, folder: Path) -> None:
        self.work_dir, self.iter, self.epoch = str(folder), 0, 0
        self.logger = SimpleNamespace(info=lambda text: None, warning=lambda text: None)
        self.message_hub = MessageHub(f"trained {folder}")
        self.optim_wrapper = SimpleNamespace(_accumulative_counts=1, should_update=lambda: True)
        self.max_iters, self.disk_is_full, self.hooks = 100, False, []

    def save_checkpoint(self, folder: str, filename: str, *_: object, **__: object) -> None:
        if self.disk_is_full:
            full_disk()
        save(Path(folder, filename), self.iter)


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[tuple[Trained, DurableCheckpointHook]]:
    runner = Trained(tmp_path)
    hook = DurableCheckpointHook(1, by_epoch=False, max_keep_ckpts=2, save_best="mIoU", rule="greater")
    hook.before_train(runner)
    yield runner, hook
    hook._restore_handlers()


def names(runner: Trained) -> set[str]:
    return {path.name for path in Path(runner.work_dir).glob("*.pth")}


def advance(runner: Trained, hook: DurableCheckpointHook, score: float) -> None:
    hook.after_train_iter(runner, runner.iter)
    runner.iter += 1
    hook.after_val_epoch(runner, {"mIoU": score})


def test_the_old_checkpoints_go_when_the_new_ones_are_there(trained: tuple[Trained, DurableCheckpointHook]) -> None:
    runner, hook = trained
    for score in (10.0, 20.0, 15.0):
        advance(runner, hook, score)
    assert names(runner) == {"iter_2.pth", "iter_3.pth", "best_mIoU_iter_2.pth"}


def test_old_checkpoints_go_without_a_best_one_too(tmp_path: Path) -> None:
    runner, hook = Trained(tmp_path), DurableCheckpointHook(1, by_epoch=False, max_keep_ckpts=2)
    hook.before_train(runner)
    for _ in range(3):
        advance(runner, hook, 10.0)
    hook._restore_handlers()
    assert names(runner) == {"iter_2.pth", "iter_3.pth"}


def test_a_full_disk_costs_neither_the_oldest_nor_the_best(trained: tuple[Trained, DurableCheckpointHook]) -> None:
    runner, hook = trained
    for score in (10.0, 20.0):
        advance(runner, hook, score)
    before = names(runner)
    assert before == {"iter_1.pth", "iter_2.pth", "best_mIoU_iter_2.pth"}
    runner.disk_is_full = True
    with pytest.raises(OSError, match="No space"):
        hook.after_train_iter(runner, runner.iter)
    with pytest.raises(OSError, match="No space"):
        hook.after_val_epoch(runner, {"mIoU": 30.0})
    assert names(runner) == before


def test_a_best_that_is_written_again_under_its_name_stays(trained: tuple[Trained, DurableCheckpointHook]) -> None:
    """A resumed run repeats the validation that may have been cut off."""
    runner, hook = trained
    advance(runner, hook, 10.0)
    hook.after_val_epoch(runner, {"mIoU": 10.5})
    assert names(runner) == {"iter_1.pth", "best_mIoU_iter_1.pth"}


def test_the_best_of_the_run_that_was_resumed_from_stays(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    runner, hook = Trained(tmp_path / "new"), DurableCheckpointHook(1, by_epoch=False, save_best="mIoU", rule="greater")
    runner.message_hub.update_info("best_ckpt", str(save(tmp_path / "old" / "best_mIoU_iter_1.pth")))
    (tmp_path / "new").mkdir()
    hook.before_train(runner)
    advance(runner, hook, 20.0)
    hook._restore_handlers()
    assert (tmp_path / "old" / "best_mIoU_iter_1.pth").exists()
    assert names(runner) == {"iter_1.pth", "best_mIoU_iter_1.pth"}


def test_nothing_is_saved_with_gradients_that_accumulate(trained: tuple[Trained, DurableCheckpointHook]) -> None:
    runner, hook = trained
    runner.iter = 3
    runner.optim_wrapper.should_update = lambda: False
    hook.after_val_epoch(runner, {"mIoU": 10.0})
    os.kill(os.getpid(), signal.SIGTERM)
    hook.after_val_iter(runner, 1)  # goes on to the optimiser's next step
    assert names(runner) == {"best_mIoU_iter_3.pth"}
    runner.optim_wrapper.should_update = lambda: True
    with pytest.raises(SystemExit):
        hook.after_train_iter(runner, 3)
    assert "iter_4.pth" in names(runner)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, "143"), (signal.SIGINT, "130"), (signal.SIGHUP, "129")]
)
def test_a_signal_during_validation_saves_and_stops(
    trained: tuple[Trained, DurableCheckpointHook], number: signal.Signals, status: str
) -> None:
    runner, hook = trained
    hook.after_val_iter(runner, 0)  # nothing has happened
    runner.iter = 7  # iterations done
    os.kill(os.getpid(), number)
    with pytest.raises(SystemExit, match=status):
        hook.after_val_iter(runner, 1)
    assert names(runner) == {"iter_7.pth"}
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_a_training_that_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    hook = DurableCheckpointHook(1, by_epoch=False)
    hook.before_train(Trained(tmp_path))
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    hook._restore_handlers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_worker_leaves_what_a_terminal_says_to_its_process(
    trained: tuple[Trained, DurableCheckpointHook], number: signal.Signals
) -> None:
    """It reaches all processes of the terminal; a worker that died of it would end the last step."""
    _, hook = trained
    hook._process = -1  # as in a worker, whose number is another
    os.kill(os.getpid(), number)
    assert hook._told is None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, "143"), (signal.SIGHUP, "129")])
def test_a_signal_that_comes_twice_is_one(
    trained: tuple[Trained, DurableCheckpointHook], number: signal.Signals, status: str
) -> None:
    """`timeout` tells its child, and then the group of which that is one; so do system and shell."""
    runner, hook = trained
    for _ in range(2):
        os.kill(os.getpid(), number)
    with pytest.raises(SystemExit, match=status):
        hook.after_train_iter(runner, 0)
    assert "iter_1.pth" in names(runner)


def told_twice(number: signal.Signals, folder: Path) -> None:
    DurableCheckpointHook(1, by_epoch=False).before_train(Trained(folder))
    os.kill(os.getpid(), number)
    (folder / "goes on").touch()
    time.sleep(ECHO)
    os.kill(os.getpid(), number)
    (folder / "still there").touch()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, number: signal.Signals) -> None:
    assert exit_code(told_twice, number, tmp_path) == -number
    assert [path.name for path in tmp_path.iterdir()] == ["goes on"]


def test_two_of_it_are_refused(tmp_path: Path) -> None:
    """Each would remove what the other wrote."""
    other = {"type": "DurableCheckpointHook", "interval": 1, "by_epoch": False}
    runner = Runner.from_cfg(config(write_data(tmp_path), "supervised", 1, custom_hooks=[other]))
    with pytest.raises(ValueError, match="DurableCheckpointHook"):
        runner.train()
