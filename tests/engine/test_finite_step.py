"""Steps whose loss or gradient is no number: skipped, counted, and the end of a training if they do not end."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmseg_css.engine.hooks import FiniteStepHook, PrototypeCommitHook, TeacherUpdateHook
from mmseg_css.engine.hooks.finite_step import image_files
from mmseg_css.registry import MODELS
from tests.engine import tiny
from tests.engine.conftest import EXPERIMENTS, NAN, Nothing, Script, Spy, css_runner
from tests.models.helpers import css_config


class Poisoned(Script):
    """Its gradient is that of the loss: minus the given factor."""

    def forward(self, inputs: Tensor, mode: str) -> dict[str, Tensor]:
        return {"loss": -self.student.weight.sum() * next(self.losses)}


def train_poisoned(
    work_dir: Path,
    factors: Sequence[float],
    patience: int = 20,
    accumulate: int = 1,
    wrapper: type[OptimWrapper] = OptimWrapper,
) -> Poisoned:
    model = Poisoned(factors)
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=DataLoader(Nothing()),
        train_cfg={"by_epoch": False, "max_iters": len(factors), "val_interval": 1000},
        # Momentum of 1: a step adds the sum of all gradients so far.
        optim_wrapper=wrapper(
            torch.optim.SGD(model.parameters(), lr=1.0, momentum=1.0), accumulative_counts=accumulate
        ),
        default_hooks={"checkpoint": None, "logger": None},
        custom_hooks=[TeacherUpdateHook(), PrototypeCommitHook(), FiniteStepHook(patience=patience)],
        experiment_name=f"hooks-{next(EXPERIMENTS)}",
        log_level="ERROR",
    )
    runner.train()
    model.skipped = runner.message_hub.get_scalar("train/skipped_steps").current()
    return model


@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_a_gradient_that_is_not_finite_moves_nothing(tmp_path: Path, bad: float) -> None:
    model = train_poisoned(tmp_path, [1.0, bad, 1.0])
    assert model.student.weight.item() == 1 + 2  # the momentum of the first step lives on, the bad one left no trace
    assert model.teacher.calls == ["update at 1", "update at 3"]
    assert model.bank.calls == ["commit", "discard", "commit"]
    assert model.skipped == 1


def test_a_bad_part_of_accumulated_gradients_falls_out_with_its_step(tmp_path: Path) -> None:
    model = train_poisoned(tmp_path, [1.0, NAN, 1.0, 1.0], accumulate=2)
    assert model.student.weight.item() == 1
    assert model.bank.calls == ["discard", "commit"]


def test_training_stops_when_it_does_not_end(tmp_path: Path) -> None:
    with pytest.raises(
        FloatingPointError, match=r"2 steps in a row .* iteration 4\. Losses there: loss = nan\. Images: "
    ):
        train_poisoned(tmp_path, [NAN, 1.0, NAN, NAN, 1.0], patience=2)
    with pytest.raises(ValueError, match="patience"):
        FiniteStepHook(patience=0)


class GradScaled(OptimWrapper):
    """What AmpOptimWrapper does with fp16, which MMEngine does not build on a CPU."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.loss_scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)

    def backward(self, loss: Tensor, **kwargs: object) -> None:
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs: object) -> None:
        self.loss_scaler.step(self.optimizer)
        self.loss_scaler.update()


def test_an_overflow_under_the_gradient_scaler_is_a_skipped_step(tmp_path: Path) -> None:
    """1e38 is a number, and 65536 times that is none. The halved scale does not help."""
    model = train_poisoned(tmp_path, [1.0, 1e38, 1.0], wrapper=GradScaled)
    assert model.student.weight.item() == 1 + 2
    assert model.teacher.calls == ["update at 1", "update at 3"]
    assert model.bank.calls == ["commit", "discard", "commit"]
    assert model.skipped == 1
    with pytest.raises(FloatingPointError, match="2 steps in a row"):
        train_poisoned(tmp_path, [1.0, 1e38, 1e38], patience=2, wrapper=GradScaled)


class Broken(Hook):
    """Breaks a weight of the student's head before the given iteration, and mends it after the iteration."""

    def __init__(self, iteration: int, value: float) -> None:
        self.iteration, self.value = iteration, value

    def before_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        self.bias = runner.model.student.decode_head.conv_seg.bias
        self.kept = self.bias.detach().clone()
        if runner.iter >= self.iteration:
            self.bias.data[0] = self.value

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        if runner.iter >= self.iteration:
            self.bias.data.copy_(self.kept)


def test_a_poisoned_step_of_css_is_skipped_and_named(data: Path) -> None:
    spy = Spy()
    runner = css_runner(data, 4, spy, Broken(iteration=2, value=NAN), FiniteStepHook(patience=2))
    with pytest.raises(FloatingPointError) as caught:
        runner.train()
    message = str(caught.value)
    assert "2 steps in a row" in message
    assert "the last at iteration 4" in message
    assert "sup.loss_ce = nan" in message
    assert message.count("/images/") == 6  # a batch
    before, *poisoned = spy.seen[1:]
    for state in poisoned:
        for name in before:
            if "num_batches_tracked" not in name:  # running statistics are among them
                assert torch.equal(before[name], state[name]), name


class Overflow(Hook):
    """Makes what a backbone's first layer gives infinite in passes without gradients, as half precision may."""

    def __init__(self, iteration: int, network: str) -> None:
        self.iteration, self.network = iteration, network

    def before_train(self, runner: Runner) -> None:
        def overflow(layer: nn.Module, inputs: object, output: Tensor) -> Tensor | None:
            return None if torch.is_grad_enabled() or runner.iter != self.iteration else output * torch.inf

        next(runner.model.get_submodule(self.network).backbone.children()).register_forward_hook(overflow)


@pytest.mark.parametrize(
    ("method", "network", "changes"),
    [
        ("css", "teacher.model", {}),
        ("css", "teacher.model", {"model__confidence_decay": 0.9}),
        ("fixmatch", "student", {"model__statistics": "apart"}),
        ("cps_cutmix", "peer", {}),
    ],
)
def test_an_overflow_in_a_pass_without_gradients_leaves_no_trace(
    data: Path, method: str, network: str, changes: dict
) -> None:
    """Its labels are never sure, so that loss and gradients are numbers; statistics and mean confidences are not."""
    runner, spy = Runner.from_cfg(tiny.config(data, method, 4, **changes)), Spy()
    for hook in (Overflow(2, network), spy):
        runner.register_hook(hook)
    runner.train()
    assert runner.message_hub.get_scalar("train/skipped_steps").current() == 1
    _, before, skipped, after = spy.seen
    for name, value in before.items():
        if "num_batches_tracked" not in name:
            assert torch.equal(value, skipped[name]), name
    assert all(value.isfinite().all() for value in after.values())
    assert any(not torch.equal(after[name], value) for name, value in skipped.items() if "running_mean" in name)


class Replacing(nn.Module):
    """Puts a new tensor in its buffer's place with each pass, as MMSeg's EMAHead does."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bases", torch.zeros(1))

    def forward(self, value: float) -> None:
        self.bases = self.bases + value


def test_a_buffer_that_is_another_tensor_is_what_it_was_too() -> None:
    hook, model = FiniteStepHook(), Replacing()
    wrapper = SimpleNamespace(optimizer=torch.optim.SGD([nn.Parameter(torch.ones(1))]), should_update=lambda: True)
    logger = SimpleNamespace(warning=lambda text: None)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=MessageHub("bases"), logger=logger, iter=0)
    hook.before_train(runner)
    for value, expected in ((1.0, 1.0), (NAN, 1.0), (2.0, 3.0)):
        hook.before_train_iter(runner, 0)
        model(value)
        hook._stepped = value == value
        hook.after_train_iter(runner, 0)
        assert model.bases.item() == expected


def test_a_loss_that_is_not_finite_has_no_finite_gradient() -> None:
    """As when a sum overflows in half precision: the gradient alone would not tell."""
    init_default_scope("mmseg")
    model = MODELS.build(css_config())
    weight = torch.ones(2, requires_grad=True)
    for constant, finite in ((0.5, True), (float("inf"), False), (NAN, False)):
        weight.grad = None
        loss, logged = model.parse_losses({"sup.loss_ce": weight.sum() + constant, "unsup.kept": torch.tensor(0.5)})
        loss.backward()
        assert weight.grad.isfinite().all() == finite
        assert torch.equal(weight.grad, torch.ones(2)) == finite
        assert logged["loss"].isfinite() == finite


def test_the_counts_of_skipped_steps_outlive_a_resume(tmp_path: Path) -> None:
    """Also those in a row: with two of before the first one after a resume is the third."""
    hook, hub = FiniteStepHook(patience=3), MessageHub("resumed")
    model = Script([])
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1.0))
    logger = SimpleNamespace(warning=lambda text: None)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub, logger=logger, iter=0)
    hub.update_info("skipped_steps", (7, 2))
    hook.before_train(runner)
    assert hook.skipped == 7
    hook.before_train_iter(runner, 0)
    wrapper.update_params(model.student.weight.sum() * NAN)
    with pytest.raises(FloatingPointError, match="3 steps in a row"):
        hook.after_train_iter(runner, 0)


def test_image_files_of_a_nested_batch() -> None:
    samples = [SegDataSample(metainfo={"img_path": name}) for name in ("a.png", "b.png")]
    batch = {"labeled": {"inputs": [], "data_samples": samples[:1]}, "unlabeled": {"data_samples": samples[1:]}}
    assert list(image_files(batch)) == ["a.png", "b.png"]
