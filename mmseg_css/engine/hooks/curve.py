"""The learning curve of a run, over iterations and over minutes."""

import json
import time
from pathlib import Path
from typing import Any, Final

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.files import write_text
from mmseg_css.registry import HOOKS

POINTS: Final = "curve"
SECONDS: Final = "curve_seconds"


@HOOKS.register_module()
class CurveHook(Hook):
    """Write every evaluation's metrics with the iteration and the minutes since the training began.

    What was measured before is in the checkpoint, so that the curve of a run that was stopped and went on is whole, and
    its minutes are those in which it ran.

    Args:
        file: A JSON file: a list of ``{"iteration": ..., "minutes": ..., "mIoU": ..., ...}``. On a GPU ``gpu_gib`` is
            the largest memory that torch has taken there so far.
    """

    def __init__(self, *, file: str) -> None:
        self.file = Path(file)
        self._last = 0.0

    def before_train(self, runner: Runner) -> None:
        self._last = time.perf_counter()

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        self._count(runner)

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        minutes = self._count(runner) / 60
        earlier = [p for p in runner.message_hub.get_info(POINTS, []) if p["iteration"] < runner.iter]
        measured = {name: float(value) for name, value in (metrics or {}).items()}  # of NumPy's own types otherwise
        points = [*earlier, {"iteration": runner.iter, "minutes": minutes, **_gpu_memory(), **measured}]
        runner.message_hub.update_info(POINTS, points)
        write_text(self.file, json.dumps(points))

    def _count(self, runner: Runner) -> float:
        """Seconds of training and evaluation until now."""
        now = time.perf_counter()
        seconds = runner.message_hub.get_info(SECONDS, 0.0) + now - self._last
        self._last = now
        runner.message_hub.update_info(SECONDS, seconds)
        return seconds


def _gpu_memory() -> dict[str, float]:
    return {"gpu_gib": torch.cuda.max_memory_reserved() / 2**30} if torch.cuda.is_initialized() else {}
