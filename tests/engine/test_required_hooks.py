"""What a method cannot do without is there, or is missed, whatever is done to the lists of hooks."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmseg_css.engine.hooks import (
    DiagnosticsHook,
    FiniteStepHook,
    ProgressHook,
    PrototypeCommitHook,
    TeacherUpdateHook,
)
from mmseg_css.engine.hooks.method import register_missing, unwrap
from mmseg_css.models.segmentors import Progress, SemiSegmentor
from mmseg_css.registry import HOOKS
from tests.engine.tiny import config, log_of, train, write_data
from tests.models.helpers import PREPROCESSOR, build_css, random_batch, tiny_segmentor
from tests.ranks import destroy_group, init_group


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


@HOOKS.register_module()
class Watch(Hook):
    """A hook of one's own, that looks at the model after every iteration."""

    priority = "LOWEST"
    seen: list[dict[str, Any]] = []

    def before_train(self, runner: Runner) -> None:
        self.seen.clear()

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        model = unwrap(runner.model)
        state = {name: value.clone() for name, value in model.state_dict().items() if "extra" not in name}
        self.seen.append({"progress": model.progress, "state": state, "draw": torch.rand(()).item()})


OWN_HOOK = [{"type": "Watch"}]
WAYS = {
    "a hook of one's own": {"custom_hooks": OWN_HOOK},
    "no hooks at all": {"custom_hooks": OWN_HOOK, "default_hooks": {"checkpoint": None, "logger": None, "timer": None}},
    "the hooks of older configs": {
        "custom_hooks": [
            {"type": "ProgressHook"},
            {"type": "TeacherUpdateHook"},
            {"type": "PrototypeCommitHook"},
            {"type": "DiagnosticsHook"},
            *OWN_HOOK,
        ]
    },
    "a part of them": {"custom_hooks": [{"type": "TeacherUpdateHook"}, *OWN_HOOK]},
    "MMEngine's loop with the hooks": {
        "train_cfg": {"_delete_": True, "type": "IterBasedTrainLoop", "max_iters": 3},
        "custom_hooks": [
            {"type": "ProgressHook"},
            {"type": "TeacherUpdateHook"},
            {"type": "PrototypeCommitHook"},
            *OWN_HOOK,
        ],
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_css_trains_whatever_hooks_are_listed(root: Path, way: str) -> None:
    runner = train(config(root, "css", 3, **WAYS[way]))
    model = unwrap(runner.model)
    assert model.teacher.step == 3  # once a step: not never, and not twice
    assert model.bank.seen.any()
    assert model.bank.pending_counts.sum() == 0
    teachers = [step["state"]["teacher.model.decode_head.conv_seg.weight"] for step in Watch.seen]
    assert all(not torch.equal(*pair) for pair in pairwise(teachers))
    assert [step["progress"] for step in Watch.seen] == [Progress(iteration, 3, 7) for iteration in range(3)]
    assert len({step["draw"] for step in Watch.seen}) == 3  # every step has random numbers of its own


@pytest.mark.parametrize("way", ["a hook of one's own", "no hooks at all"])
def test_pc2seg_knows_how_far_it_is(root: Path, way: str) -> None:
    runner = train(config(root, "pc2seg", 3, **WAYS[way]))
    assert [step["progress"].iteration for step in Watch.seen] == [0, 1, 2]
    assert any(isinstance(hook, DiagnosticsHook) for hook in runner.hooks)


def test_the_log_names_what_was_registered(root: Path) -> None:
    train(config(root, "css", 1, custom_hooks=[{"type": "PrototypeCommitHook"}]))
    assert "Registered for the model: ProgressHook, TeacherUpdateHook, DiagnosticsHook, FiniteStepHook." in log_of(root)


def test_a_hook_keeps_the_settings_it_is_listed_with(root: Path) -> None:
    runner = train(config(root, "css", 1, custom_hooks=[{"type": "DiagnosticsHook", "log_interval": 3}]))
    assert [hook.log_interval for hook in runner.hooks if isinstance(hook, DiagnosticsHook)] == [3]


def test_a_hook_derived_from_ours_stands_for_it(root: Path) -> None:
    class Slower(TeacherUpdateHook):
        calls = 0

        def after_step(self, model: Any) -> None:
            type(self).calls += 1
            super().after_step(model)

    runner = Runner.from_cfg(config(root, "css", 2))
    runner.register_hook(Slower())
    runner.train()
    assert Slower.calls == unwrap(runner.model).teacher.step == 2


# -- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [(), ("ProgressHook", "PrototypeCommitHook")])
def test_another_loop_without_the_hooks_is_refused_before_a_weight_moves(root: Path, listed: tuple[str, ...]) -> None:
    plain = {"_delete_": True, "type": "IterBasedTrainLoop", "max_iters": 3}
    runner = Runner.from_cfg(config(root, "css", 3, train_cfg=plain, custom_hooks=[{"type": name} for name in listed]))
    with pytest.raises(RuntimeError, match=r"CSS does not train without .*TeacherUpdateHook.*PairedTrainLoop") as error:
        runner.train()
    assert ("PrototypeCommitHook" in str(error.value).split(":")[0]) == (not listed)
    assert runner.iter == 0
    assert unwrap(runner.model).teacher.step == 0


def test_an_earlier_training_hides_nothing(root: Path) -> None:
    first = train(config(root, "css", 1))
    plain = {"_delete_": True, "type": "IterBasedTrainLoop", "max_iters": 1}
    second = Runner.from_cfg(config(root, "css", 1, train_cfg=plain))
    second.model = first.model
    with pytest.raises(RuntimeError, match="does not train without ProgressHook and TeacherUpdateHook and Proto"):
        second.train()


def step_of_ones_own(model: nn.Module, owner: SemiSegmentor) -> None:
    inputs, samples = random_batch()
    wrapper = OptimWrapper(torch.optim.SGD(owner.student.parameters(), lr=0.1))
    images = {branch: list((127.5 + 127.5 * batch).byte()) for branch, batch in inputs.items()}
    batch = {branch: {"inputs": images[branch], "data_samples": samples[branch]} for branch in inputs}
    model.train_step(batch, wrapper)


def test_a_loop_of_ones_own_is_refused_or_does_the_work() -> None:
    model = build_css()
    with pytest.raises(RuntimeError, match="does not train without"):
        step_of_ones_own(model, model)
    model.present_hooks |= set(model.required_hooks)
    step_of_ones_own(model, model)
    with pytest.raises(RuntimeError, match="does not train without"):  # said for one step only
        step_of_ones_own(model, model)
    model.eval()(random_batch()[0]["unlabeled"], mode="tensor")


@pytest.mark.parametrize("wrapping", ["ddp", "compiled", "both"])
def test_wrappers_do_not_come_between(wrapping: str, tmp_path: Path) -> None:
    model = build_css()
    init_group(tmp_path, 0, 1)
    try:
        outer: nn.Module = model
        if wrapping != "compiled":
            outer = MMDistributedDataParallel(module=outer, broadcast_buffers=False, find_unused_parameters=True)
        if wrapping != "ddp":
            outer = torch.compile(outer, backend="eager")
        assert unwrap(outer) is model
        with pytest.raises(RuntimeError, match="does not train without"):
            step_of_ones_own(outer, model)
        runner = SimpleNamespace(model=outer, iter=1, max_iters=2, seed=3)
        for hook in (ProgressHook(), TeacherUpdateHook(), PrototypeCommitHook()):
            hook.before_train_iter(runner, 1)
        assert model.progress == Progress(1, 2, 3)
        step_of_ones_own(outer, model)
    finally:
        destroy_group()


@pytest.mark.parametrize(
    "hook", [TeacherUpdateHook(), PrototypeCommitHook(), ProgressHook(), DiagnosticsHook(), FiniteStepHook()]
)
def test_twice_is_refused(root: Path, hook: Hook) -> None:
    name = type(hook).__name__
    runner = Runner.from_cfg(config(root, "css", 1, custom_hooks=[{"type": name}]))
    runner.register_hook(hook)
    with pytest.raises(ValueError, match=f"{name} is registered 2 times.*leave one"):
        runner.train()


# -- methods to come --------------------------------------------------------------------------------------------------


def test_a_method_without_teacher_and_prototypes_needs_neither() -> None:
    class FixMatch(SemiSegmentor):
        """Its own pseudo-labels, one network."""

        def losses(self, *_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return {}, {}

    model = FixMatch(segmentor=tiny_segmentor(), data_preprocessor=PREPROCESSOR)
    runner = SimpleNamespace(model=model, hooks=[])
    runner.register_hook = runner.hooks.append
    assert register_missing(runner) == ["ProgressHook", "DiagnosticsHook", "FiniteStepHook"]
    assert register_missing(runner) == []
