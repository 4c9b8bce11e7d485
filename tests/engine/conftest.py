"""A model that only notes what the hooks ask of it, and `tiny`'s CSS with hooks that look at it."""

import errno
import multiprocessing
import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.models.segmentors import Progress
from tests.engine import tiny

NAN = float("nan")
EXPERIMENTS = count()


class Calls:
    """A teacher and a bank that only note what is asked of them."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def update(self, student: nn.Module) -> None:
        self.calls.append(f"update at {student.weight.item():.0f}")

    def commit(self) -> None:
        self.calls.append("commit")

    def discard(self) -> None:
        self.calls.append("discard")


class Script(BaseModel):
    """Its weight counts optimiser steps; its losses are given."""

    def __init__(self, losses: Sequence[float]) -> None:
        super().__init__()
        self.student = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.student.weight)
        self.losses = iter(losses)
        self.teacher, self.bank = Calls(), Calls()
        self.banks = (self.bank,)
        self.progresses: list[Progress] = []
        self.progress = Progress()

    def forward(self, inputs: Tensor, mode: str) -> dict[str, Tensor]:
        self.progresses.append(self.progress)
        # A gradient of -1 whatever the loss, so that the weight is a number also after a NaN.
        return {"loss": -self.student.weight.sum() + torch.tensor(next(self.losses))}


class Nothing(Dataset):
    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": torch.zeros(1)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tiny.write_data(tmp_path)


class Spy(Hook):
    """Looks at the model after the other hooks of every iteration."""

    priority = "LOWEST"

    def __init__(self) -> None:
        self.seen: list[dict[str, Tensor]] = []

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        self.seen.append(
            {name: value.clone() for name, value in runner.model.state_dict().items() if "extra" not in name}
        )


def css_runner(data: Path, max_iters: int, *hooks: Hook, **changes: object) -> Runner:
    """With what it logs in files, and hooks as objects, which a config would copy."""
    cfg = tiny.config(
        data,
        iterations=max_iters,
        default_hooks__checkpoint=None,
        default_hooks__logger={"type": "LoggerHook", "interval": 1},
        visualizer__vis_backends=[{"type": "LocalVisBackend"}],
        **changes,
    )
    runner = Runner.from_cfg(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def exit_code(function: Callable[..., None], *arguments: object) -> int | None:
    """Of a process of its own in which a function runs; forked, it has everything imported."""
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    process.join(200)
    return process.exitcode


def save(path: Path, value: float = 0.0) -> Path:
    torch.save({"state_dict": {"weight": torch.full((1000,), value)}, "meta": {"iter": 1}}, path)
    return path


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
