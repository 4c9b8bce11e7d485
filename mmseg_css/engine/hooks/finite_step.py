"""No step on numbers that are none: a bad batch must not poison weights, teacher or prototypes."""

from collections.abc import Iterator
from typing import Any, Final

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn

from mmseg_css.engine.hooks.method import check_once
from mmseg_css.registry import HOOKS

STATE_KEY: Final = "skipped_steps"


@HOOKS.register_module()
class FiniteStepHook(Hook):
    """Skip the optimiser's step when a gradient is not finite, count the skipped, and stop when they do not end.

    The gradients are dropped before the optimiser looks at them, so that weights, momenta, teacher and prototypes stay
    what they were; and so do the running statistics of norm layers, in which an overflow would stay for good. Processes
    that train together share their gradients, and so skip together. Steps that a gradient scaler skips (fp16) count,
    too; a few of them in a row are its way to find its scale. The count outlives a resume.

    Args:
        patience: skipped steps in a row after which the training stops with an error.
    """

    # Before the hooks that follow the optimiser's steps.
    priority = "ABOVE_NORMAL"

    def __init__(self, *, patience: int = 20) -> None:
        if patience < 1:
            raise ValueError(f"FiniteStepHook.patience must be at least 1, got {patience}")
        self.patience = patience
        self.skipped = 0
        self._in_a_row = 0
        self._stepped = False
        self._images: list[str] = []
        self._places: list[tuple[nn.Module, str]] = []
        self._kept: list[torch.Tensor] = []
        self._accumulating = False

    def before_run(self, runner: Runner) -> None:
        check_once(runner, self)

    def before_train(self, runner: Runner) -> None:
        wrapper: OptimWrapper = runner.optim_wrapper
        wrapper.optimizer.register_step_pre_hook(self._before_optimizer_step)
        self.skipped, self._in_a_row = runner.message_hub.get_info(STATE_KEY, (0, 0))
        self._places = [
            (module, name)
            for module in runner.model.modules()
            for name, buffer in module.named_buffers(recurse=False)
            if buffer.is_floating_point()
        ]
        self._kept = [torch.empty_like(buffer) for buffer in self._buffers()]
        self._accumulating = False

    def _buffers(self) -> list[torch.Tensor]:
        """Those of now: a forward pass may put a new tensor in a buffer's place, as MMSeg's EMAHead does."""
        return [getattr(module, name) for module, name in self._places]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        if not self._accumulating:
            _copy(self._buffers(), self._kept)
        self._accumulating = True

    def _before_optimizer_step(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norms = torch._foreach_norm([p.grad for p in parameters])
        self._stepped = bool(torch.stack(norms).isfinite().all()) if norms else True
        if not self._stepped:
            for parameter in parameters:
                parameter.grad = None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        self._images += image_files(data_batch)
        if not runner.optim_wrapper.should_update():
            return
        self._accumulating = False
        if self._stepped:
            self._in_a_row = 0
        else:
            _copy(self._kept, self._buffers())
            self.skipped += 1
            self._in_a_row += 1
            runner.logger.warning(
                f"iteration {runner.iter + 1}: the gradient is not finite, so the step is skipped "
                f"({self._in_a_row} in a row, {self.skipped} in all)"
            )
        self._stepped = False
        runner.message_hub.update_scalar("train/skipped_steps", self.skipped)
        runner.message_hub.update_info(STATE_KEY, (self.skipped, self._in_a_row))
        if self._in_a_row >= self.patience:
            losses = ", ".join(f"{name} = {float(value.detach()):.4g}" for name, value in (outputs or {}).items())
            images = ", ".join(self._images) or "unknown"
            raise FloatingPointError(
                f"{self._in_a_row} steps in a row had gradients that are not finite, the last at iteration "
                f"{runner.iter + 1}. Losses there: {losses}. Images: {images}. "
                "Look at these images and masks, lower the learning rate, or train without --amp; the checkpoints "
                "written so far are untouched"
            )
        self._images = []


def _copy(sources: list[torch.Tensor], targets: list[torch.Tensor]) -> None:
    if targets:
        with torch.no_grad():
            torch._foreach_copy_(targets, sources)


def image_files(batch: Any) -> Iterator[str]:
    """Paths of the images in a batch, however it is nested."""
    if isinstance(batch, BaseDataElement):
        if "img_path" in batch.metainfo:
            yield str(batch.metainfo["img_path"])
    elif isinstance(batch, dict):
        for value in batch.values():
            yield from image_files(value)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from image_files(value)
