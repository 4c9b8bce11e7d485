"""What happens once per optimiser step and before an iteration: teacher, prototypes, progress."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmseg_css.engine.hooks import ProgressHook, PrototypeCommitHook, TeacherUpdateHook
from mmseg_css.models.segmentors import Progress
from tests.engine.conftest import EXPERIMENTS, NAN, Nothing, Script, Spy, css_runner
from tests.models.helpers import EMBEDDING
from tests.ranks import as_two_ranks


class Scaled(OptimWrapper):
    """Leaves out optimiser steps, as a gradient scaler does on an overflow."""

    def __init__(self, *args: object, skipped: Sequence[int] = (), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.skipped = skipped
        self.steps = count()

    def step(self, **kwargs: object) -> None:
        if next(self.steps) not in self.skipped:
            super().step(**kwargs)


def train(
    work_dir: Path, losses: Sequence[float], *hooks: Hook, accumulate: int = 1, skipped: Sequence[int] = ()
) -> Script:
    model = Script(losses)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)  # one step adds 1
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=DataLoader(Nothing()),
        train_cfg={"by_epoch": False, "max_iters": len(losses), "val_interval": 1000},
        optim_wrapper=Scaled(optimizer, accumulative_counts=accumulate, skipped=skipped),
        default_hooks={"checkpoint": None, "logger": None},
        custom_hooks=list(hooks),
        randomness={"seed": 7},
        experiment_name=f"hooks-{next(EXPERIMENTS)}",
        log_level="ERROR",
    )
    runner.train()
    return model


# -- once per optimiser step ------------------------------------------------------------------------------------------


def test_a_fused_optimiser_goes_without_a_gradient_scaler_alone() -> None:
    """What the refusal advises, a scaler that is switched off, is none."""
    wrapper = OptimWrapper(torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0, fused=True))
    runner = SimpleNamespace(optim_wrapper=wrapper)
    TeacherUpdateHook().before_train(runner)
    wrapper.loss_scaler = torch.amp.GradScaler("cpu")
    with pytest.raises(ValueError, match=r"fused=False, or .*\.loss_scale=dict\(enabled=False\)"):
        TeacherUpdateHook().before_train(runner)
    wrapper.loss_scaler = torch.amp.GradScaler("cpu", enabled=False)
    TeacherUpdateHook().before_train(runner)


def test_teacher_is_updated_after_every_step(tmp_path: Path) -> None:
    model = train(tmp_path, [0.0] * 3, TeacherUpdateHook())
    assert model.teacher.calls == ["update at 1", "update at 2", "update at 3"]


def test_prototypes_are_committed_after_every_step(tmp_path: Path) -> None:
    model = train(tmp_path, [0.0] * 3, PrototypeCommitHook())
    assert model.bank.calls == ["commit"] * 3


def test_once_per_step_of_accumulated_gradients(tmp_path: Path) -> None:
    # MMEngine makes a step of what is left at the end, too: 2 + 2 + 1 iterations.
    model = train(tmp_path, [0.0] * 5, TeacherUpdateHook(), PrototypeCommitHook(), accumulate=2)
    assert len(model.teacher.calls) == 3
    assert model.bank.calls == ["commit"] * 3


def test_step_that_the_scaler_skips(tmp_path: Path) -> None:
    model = train(tmp_path, [0.0] * 3, TeacherUpdateHook(), PrototypeCommitHook(), skipped=[1])
    assert model.teacher.calls == ["update at 1", "update at 2"]
    assert model.bank.calls == ["commit", "discard", "commit"]


@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_loss_that_is_not_finite(tmp_path: Path, bad: float) -> None:
    model = train(tmp_path, [0.0, bad, 0.0], TeacherUpdateHook(), PrototypeCommitHook())
    assert model.teacher.calls == ["update at 1", "update at 3"]
    assert model.bank.calls == ["commit", "discard", "commit"]


@pytest.mark.parametrize("losses", [[NAN, 0.0, 0.0, 0.0], [0.0, NAN, 0.0, 0.0]])
def test_one_loss_that_is_not_finite_spoils_the_accumulated_step(tmp_path: Path, losses: list[float]) -> None:
    model = train(tmp_path, losses, TeacherUpdateHook(), PrototypeCommitHook(), accumulate=2)
    assert model.teacher.calls == ["update at 2"]
    assert model.bank.calls == ["discard", "commit"]


def train_as_rank(rank: int, folder: Path) -> None:
    hook = PrototypeCommitHook()
    model = Script([])
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1.0))
    runner = type("Stub", (), {"model": model, "optim_wrapper": wrapper})()
    hook.before_train(runner)
    for step in range(3):
        loss = torch.tensor(NAN if (step, rank) == (1, 0) else 0.0)
        wrapper.update_params(model.student.weight.sum())
        hook.after_train_iter(runner, step, outputs={"loss": loss})
    (folder / f"{rank}.txt").write_text(" ".join(model.bank.calls))


def test_loss_that_is_not_finite_on_one_rank_counts_on_both(tmp_path: Path) -> None:
    as_two_ranks(train_as_rank, tmp_path)
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == ["commit discard commit"] * 2


# -- progress ---------------------------------------------------------------------------------------------------------


def test_progress_reaches_the_model_before_the_iteration(tmp_path: Path) -> None:
    model = train(tmp_path, [0.0] * 3, ProgressHook())
    assert model.progresses == [Progress(iteration, 3, 7) for iteration in range(3)]


# -- the real thing ---------------------------------------------------------------------------------------------------


def parts(state: dict[str, Tensor], prefix: str, model: nn.Module) -> dict[str, Tensor]:
    names = {name for name, _ in model.student.named_parameters()}
    return {name: state[prefix + name] for name in names}


def test_first_step_copies_the_student_and_sets_the_prototypes(data: Path) -> None:
    spy = Spy()
    runner = css_runner(data, 1, spy)
    before = {name: value.clone() for name, value in runner.model.student.named_parameters()}
    runner.train()
    [state] = spy.seen
    student, teacher = (parts(state, prefix, runner.model) for prefix in ("student.", "teacher.model."))
    # decay(0) = 0, and the update comes after the optimiser's step.
    assert all(torch.equal(student[name], teacher[name]) for name in student)
    assert any(not torch.equal(student[name], before[name]) for name in student)
    assert state["bank.seen"].any()
    assert runner.model.bank.pending_counts.sum() == 0


def test_accumulated_steps_of_css(data: Path) -> None:
    spy = Spy()
    runner = css_runner(data, 4, spy, optim_wrapper__accumulative_counts=2)
    runner.train()
    moved = [
        any(
            not torch.equal(one[name], other[name])
            for name in one
            if name.startswith(("bank", "teacher.model.decode_head.conv_seg"))
        )
        for one, other in zip(spy.seen, spy.seen[1:], strict=False)
    ]
    assert moved == [True, False, True]  # after iterations 1, 2 and 3, counted from 0
    assert runner.model.teacher.step == 2


def test_bank_has_the_size_of_the_branch(data: Path) -> None:
    assert css_runner(data, 1).model.bank.prototypes.shape == (2, EMBEDDING)
