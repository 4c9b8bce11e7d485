"""What must happen once per optimiser step, and only if there was one."""

from abc import abstractmethod
from typing import Any, cast

import torch
from mmengine.dist import all_reduce
from mmengine.runner import Runner

from mmseg_css.engine.hooks.method import MethodHook, unwrap
from mmseg_css.registry import HOOKS


class OptimizerStepHook(MethodHook):
    """Calls `after_step` when the optimiser has stepped on finite losses, `after_skip` when the step fell out.

    It does neither while gradients are still accumulating. Whether the optimiser stepped is not deduced but heard from
    the optimiser itself, so that a step skipped by a gradient scaler counts as what it is. A loss that is not finite on
    one rank counts on all of them, because they have shared its gradient, and their states must not drift apart.
    """

    def before_train(self, runner: Runner) -> None:
        self._stepped = False
        self._not_finite: torch.Tensor | None = None
        scaler = getattr(runner.optim_wrapper, "loss_scaler", None)
        scaled = scaler is not None and scaler.is_enabled()
        if scaled and any(group.get("fused") for group in runner.optim_wrapper.optimizer.param_groups):
            raise ValueError(
                "optim_wrapper.optimizer.fused=True with a gradient scaler hides which steps an overflow skips, and "
                "teacher and prototypes must not move then: set fused=False, or train in bfloat16, which needs no "
                "scaler: optim_wrapper.dtype='bfloat16' and optim_wrapper.loss_scale=dict(enabled=False)"
            )
        runner.optim_wrapper.optimizer.register_step_post_hook(self._on_optimizer_step)

    def _on_optimizer_step(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        # Without gradients, as FiniteStepHook leaves it, a step moves nothing.
        self._stepped = any(p.grad is not None for group in optimizer.param_groups for p in group["params"])

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        losses = cast(dict, outputs)  # MMEngine's training loops pass them
        not_finite = (~torch.isfinite(losses["loss"])).float()
        self._not_finite = not_finite if self._not_finite is None else self._not_finite + not_finite
        if not runner.optim_wrapper.should_update():
            return
        all_reduce(self._not_finite)
        if self._stepped and self._not_finite == 0:
            self.after_step(unwrap(runner.model))
        else:
            self.after_skip(unwrap(runner.model))
        self._stepped, self._not_finite = False, None

    @abstractmethod
    def after_step(self, model: Any) -> None:
        """The optimiser has stepped."""

    def after_skip(self, model: Any) -> None:
        """The step fell out. By default nothing."""


@HOOKS.register_module()
class TeacherUpdateHook(OptimizerStepHook):
    """Move the teacher towards the student after every optimiser step."""

    def after_step(self, model: Any) -> None:
        model.teacher.update(model.student)


@HOOKS.register_module()
class PrototypeCommitHook(OptimizerStepHook):
    """Make what the step's loss looked ahead to the state of the banks; forget it if the step fell out."""

    def after_step(self, model: Any) -> None:
        for bank in model.banks:
            bank.commit()

    def after_skip(self, model: Any) -> None:
        for bank in model.banks:
            bank.discard()
