"""When checkpoints are written, and what is asked of one that is loaded."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

from mmengine.dist import get_world_size, is_main_process, master_only
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop

from mmseg_css.engine.checkpoints import (
    META_KEY,
    check_fit,
    check_format,
    check_some_fit,
    not_exact,
    set_aside,
    stamp,
    take_back,
)
from mmseg_css.engine.hooks.method import check_once, unwrap
from mmseg_css.engine.iterations import check_counts_iterations
from mmseg_css.engine.preprocessing import PREPROCESSING, STEPS, preprocessing_of, steps_of
from mmseg_css.engine.resuming import describe, reconcile
from mmseg_css.registry import HOOKS

#: The iteration whose validation was finished when a checkpoint was written, as that of a best one is.
VALIDATED: Final = "validated_iteration"
#: What comes so soon after the first SIGTERM or SIGHUP is the same one: `timeout` tells its child, and then the child's
#: group; when a terminal ends, the system does, and then the shell.
ECHO: Final = 1.0  # seconds


@HOOKS.register_module()
class DurableCheckpointHook(CheckpointHook):
    """MMEngine's hook, for runs that are killed and go on.

    Checkpoints are written beside their place, flushed to the disk and renamed, so that there is never half of one; an
    older or less good one goes only when the new one is there. At a SIGTERM, with which schedulers announce the end, a
    SIGINT (Ctrl-C) or a SIGHUP (the end of its terminal), a single process finishes its optimiser step or validation
    batch, saves, and exits with 143, 130 or 129 (a second one ends it at once), even if its workers are sent the
    signal, too; several processes cannot agree on a step without waiting for each other at each, and go on from the
    last regular checkpoint. A checkpoint that is resumed from or evaluated must be of this very model.

    Args:
        interval: as for ``CheckpointHook``; under gradient accumulation a multiple of ``accumulative_counts``.
        kwargs: the other arguments of ``CheckpointHook``. ``max_keep_ckpts`` is at least 2, so that a damaged
            one leaves another to fall back on. ``backend_args`` choose another file backend than the durable one.
    """

    def __init__(self, interval: int = -1, **kwargs: Any) -> None:
        if kwargs.get("max_keep_ckpts", -1) == 1:
            raise ValueError(
                "default_hooks.checkpoint.max_keep_ckpts=1 leaves none to fall back on when that one is damaged: set 2"
            )
        super().__init__(interval, **{"backend_args": {"backend": "durable"}, **kwargs})
        if self.args:  # MMEngine would try them when the first checkpoint is due
            name = f"{type(self).__name__}.__init__()"
            raise TypeError(f"{name} got an unexpected keyword argument {next(iter(self.args))!r}")
        self._told: int | None = None  # the signal
        self._told_at = 0.0
        self._former_handlers: dict[int, Any] = {}
        self._saved: int | None = None
        self._run: dict[str, Any] | None = None

    def before_run(self, runner: Runner) -> None:
        check_once(runner, self)
        check_counts_iterations(runner)

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        counts = runner.optim_wrapper._accumulative_counts
        if self.interval > 0 and not self.by_epoch and self.interval % counts:
            raise ValueError(
                f"default_hooks.checkpoint.interval={self.interval} is no multiple of "
                f"optim_wrapper.accumulative_counts={counts}: gradients that are still accumulating are not in a "
                "checkpoint, so that a resumed run would lose them"
            )
        if get_world_size() == 1 and threading.current_thread() is threading.main_thread():
            self.after_loop(runner)
            self._told = None
            self._process = os.getpid()
            self._former_handlers = {number: signal.signal(number, self._on_signal) for number in _signals()}
        self._clear_away(resumed=getattr(runner, "_resume", False))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        worker = os.getpid() != self._process  # that has inherited this, and does not yet listen itself
        if worker and number != signal.SIGTERM:
            return  # and ends with its process
        if number == self._told != signal.SIGINT and time.monotonic() - self._told_at < ECHO:
            return
        if worker or self._told is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._told, self._told_at = number, time.monotonic()
        if number == signal.SIGINT:
            os.write(2, b"\nstopping after this step, with a checkpoint; once more stops at once\n")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        self._stop_if_told(runner, runner.iter + 1)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: Sequence | None = None
    ) -> None:
        if self._told_to_stop(runner):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    hook._swap_ema_parameters()  # the model holds the averages during a validation
        self._stop_if_told(runner, runner.iter)  # the validation is repeated by the run that resumes

    def _told_to_stop(self, runner: Runner) -> bool:
        return self._told is not None and runner.optim_wrapper.should_update()

    def _stop_if_told(self, runner: Runner, iteration: int) -> None:
        if not self._told_to_stop(runner):
            return
        if not self.by_epoch and self._saved != iteration:
            self._save_checkpoint_with_step(runner, iteration, meta={"epoch": runner.epoch, "iter": iteration})
        told = signal.Signals(cast(int, self._told))
        runner.logger.warning(f"{told.name}: stopped after iteration {iteration}; go on with --resume")
        self._restore_handlers()
        raise SystemExit(128 + told)

    def after_train(self, runner: Runner) -> None:
        super().after_train(runner)
        self._restore_handlers()

    def after_loop(self, runner: Runner) -> None:
        """What `PairedTrainLoop` calls last, whatever became of the training."""
        self._restore_handlers()

    @master_only
    def _clear_away(self, *, resumed: bool) -> None:
        """Remove what a killed run left half written, and tell an earlier training's checkpoints from those to come."""
        for part in Path(self.out_dir).glob("*.pth.*.part"):
            part.unlink()
        if not resumed:
            set_aside(self.out_dir)

    def _restore_handlers(self) -> None:
        for number, handler in self._former_handlers.items():
            signal.signal(number, handler)
        self._former_handlers = {}

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        # Not with gradients that are still accumulating, say because a validation in between was the best.
        if self.by_epoch or runner.optim_wrapper.should_update():
            with self._removals_at_the_end():
                super()._save_checkpoint_with_step(runner, step, meta)
            if is_main_process():
                take_back(self.out_dir, self.filename_tmpl.format(step))
            self._saved = step

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        unknown = [key for key in getattr(self, "key_indicators", ()) if key != "auto" and key not in metrics]
        if unknown:
            raise KeyError(
                f"default_hooks.checkpoint.save_best={unknown[0]!r} is no metric of the validation, which gave "
                f"{', '.join(metrics)}: set save_best to one of them, and go on with --resume"
            )
        runner.message_hub.update_info(VALIDATED, runner.iter)
        before = self._best()
        with self._removals_at_the_end():
            super()._save_best_checkpoint(runner, metrics)
        self._remove_of_before(runner, self._best() - before)

    def _best(self) -> set[str]:
        # MMEngine sets them only with save_best: the one for a single metric, the other for several.
        found = {getattr(self, "best_ckpt_path", None), *getattr(self, "best_ckpt_path_dict", {}).values()}
        return {path for path in found if path is not None}

    @master_only
    def _remove_of_before(self, runner: Runner, new: set[str]) -> None:
        """In a resumed run, remove the best checkpoints of before, of which the one resumed from may not have known."""
        if not getattr(runner, "_resume", False):
            return
        for path in map(Path, new):
            for other in path.parent.glob("best_*.pth"):
                if other != path and _without_step(other) == _without_step(path):
                    other.unlink()

    @contextmanager
    def _removals_at_the_end(self) -> Iterator[None]:
        """What is removed inside goes at the end, if all went well. (MMEngine removes before it writes.)

        But not what was written again under its name, nor what lies in another folder, whose run was resumed from.
        """
        backend: Any = self.file_backend  # type: ignore[has-type]  # MMEngine sets it before the training
        later = self.file_backend = RemovesLater(backend)
        try:
            yield
        finally:
            self.file_backend = backend
        best = self._best()
        for path in later.removed:
            if path not in best and os.path.abspath(os.path.dirname(path)) == os.path.abspath(self.out_dir):
                backend.remove(path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        stamp(checkpoint)
        checkpoint["meta"][META_KEY]["run"] = self._described(runner)

    def _described(self, runner: Runner) -> dict[str, Any]:
        if self._run is None:  # once, because it reads every name in the data sets
            images = {
                PREPROCESSING: preprocessing_of(unwrap(runner.model).data_preprocessor),
                STEPS: steps_of(runner.cfg, "val"),
            }
            self._run = {**describe(runner), **images}
        return self._run

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        path = runner._load_from or "the checkpoint"
        check_format(checkpoint, path)
        training = isinstance(runner._train_loop, BaseLoop)
        # Only a training that starts from other weights may take what fits, if something does.
        if not training or runner._resume:
            check_fit(unwrap(runner.model), checkpoint, path)
        else:
            model = unwrap(runner.model)
            check_some_fit(model, checkpoint, path, getattr(model, "networks", ()))
        if training and runner._resume:
            processes = [note] if (note := not_exact(checkpoint)) else []
            for note in processes + reconcile(runner, checkpoint, self._described(runner)):
                runner.logger.warning(f"Resumed: {note}.")


def _signals() -> Iterator[signal.Signals]:
    """What tells a training to end: schedulers, Ctrl-C, and the end of its terminal, unless it is to outlive that."""
    yield from (signal.SIGTERM, signal.SIGINT)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # Windows; nohup
        yield signal.SIGHUP


def _without_step(path: Path) -> str:
    return re.sub(r"_\d+\.pth$", "", path.name)


class RemovesLater:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.removed: list[str] = []

    def remove(self, path: str) -> None:
        self.removed.append(path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)
