"""Trainings of `tests.engine.tiny` with a validation after every step."""

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.registry import HOOKS
from tests.engine.tiny import config, with_validation


def validating(root: Path, iterations: int = 3, method: str = "css", **changes: Any) -> Config:
    """``changes`` as for `tests.engine.tiny.config`."""
    cfg = with_validation(config(root, method, iterations))
    cfg.merge_from_dict({name.replace("__", "."): value for name, value in changes.items()})
    return cfg


def state(runner: Runner) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in unwrap(runner.model).state_dict().items()}


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


def saved(runner: Runner, iteration: int) -> dict[str, Any]:
    return torch.load(Path(runner.work_dir) / f"iter_{iteration}.pth", weights_only=True)


@HOOKS.register_module()
class States(Hook):
    """Keeps what the model holds after each step, and in each validation."""

    priority = "LOWEST"

    def before_train(self, runner: Runner) -> None:
        self.trained: list[dict[str, torch.Tensor]] = []
        self.validated: list[dict[str, torch.Tensor]] = []

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        self.trained.append(state(runner))

    def after_val_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        if batch_idx == 0:
            self.validated.append(state(runner))


def states_of(runner: Runner) -> States:
    return next(hook for hook in runner.hooks if isinstance(hook, States))
