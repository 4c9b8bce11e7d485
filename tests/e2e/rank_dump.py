"""Imported by the processes of the distributed test: every rank writes what it ended with."""

from pathlib import Path

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class RankDump(Hook):
    def after_train(self, runner: Runner) -> None:
        model = unwrap(runner.model)
        state = {
            "student": dict(model.student.named_parameters()),
            "teacher": dict(model.teacher.model.named_parameters()),
            "bank": dict(model.bank.named_buffers()),
            "step": model.teacher.step,
            "norms": sorted(
                {type(module).__name__ for module in model.modules() if "BatchNorm" in type(module).__name__}
            ),
            "image": model.diagnostics.image,
        }
        torch.save(state, Path(runner.work_dir) / f"rank{get_rank()}.pth")
