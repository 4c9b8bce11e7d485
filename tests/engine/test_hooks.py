"""What happens when: once per optimiser step, before an iteration, every so many iterations."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch import multiprocessing as mp
from torch.utils.data import DataLoader, Dataset

import mmseg_css  # noqa: F401  (registers)
from mmseg_css import compat
from mmseg_css.engine.hooks import (
    ChannelsLastHook,
    DiagnosticsHook,
    DilatedDepthwiseHook,
    FiniteStepHook,
    ProgressHook,
    PrototypeCommitHook,
    TeacherUpdateHook,
)
from mmseg_css.engine.hooks.finite_step import image_files
from mmseg_css.models.segmentors import Diagnostics, Progress
from mmseg_css.registry import MODELS
from tests.datasets.helpers import AUGMENT, dataloader_config, write_list, write_pairs
from tests.models.helpers import EMBEDDING, css_config, random_batch, tiny_segmentor

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


@pytest.mark.smoke
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


def train_as_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2, timeout=timedelta(minutes=1)
    )
    hook = PrototypeCommitHook()
    model = Script([])
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1.0))
    runner = type("Stub", (), {"model": model, "optim_wrapper": wrapper})()
    hook.before_train(runner)
    for step in range(3):
        loss = torch.tensor(NAN if (step, rank) == (1, 0) else 0.0)
        wrapper.update_params(model.student.weight.sum())
        hook.after_train_iter(runner, step, outputs={"loss": loss})
    Path(folder, f"{rank}.txt").write_text(" ".join(model.bank.calls))
    torch.distributed.destroy_process_group()


def test_loss_that_is_not_finite_on_one_rank_counts_on_both(tmp_path: Path) -> None:
    mp.spawn(train_as_rank, args=(str(tmp_path),), nprocs=2)
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == ["commit discard commit"] * 2


# -- progress ---------------------------------------------------------------------------------------------------------


def test_progress_reaches_the_model_before_the_iteration(tmp_path: Path) -> None:
    model = train(tmp_path, [0.0] * 3, ProgressHook())
    assert model.progresses == [Progress(iteration, 3, 7) for iteration in range(3)]


# -- the real thing ---------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    ids = [f"{number:02d}" for number in range(8)]
    write_pairs(tmp_path, ids)
    write_list(tmp_path / "labeled.txt", ids[:4])
    return tmp_path


class Spy(Hook):
    """Looks at the model after the other hooks of every iteration."""

    priority = "LOWEST"

    def __init__(self) -> None:
        self.seen: list[dict[str, Tensor]] = []

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        self.seen.append(
            {name: value.clone() for name, value in runner.model.state_dict().items() if "extra" not in name}
        )


def css_runner(data: Path, max_iters: int, *hooks: Hook, **settings: object) -> Runner:
    crop = [{**step, "crop_size": (16, 16)} if step["type"] == "RandomCrop" else step for step in AUGMENT]
    dataloader = dataloader_config(data, "labeled.txt")
    for part, load in (("labeled", [{"type": "LoadAnnotations"}]), ("unlabeled", [])):
        dataloader["dataset"][part]["pipeline"] = [{"type": "LoadImageFromFile"}, *load, *crop]
    cfg = {
        "model": css_config(
            segmentor=tiny_segmentor(num_classes=2),
            data_preprocessor={"type": "SemiDataPreprocessor", "mean": [127.5], "std": [127.5], "size": (16, 16)},
        ),
        "work_dir": str(data / "work_dir"),
        "train_dataloader": dataloader,
        "train_cfg": {"type": "PairedTrainLoop", "max_iters": max_iters},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}},
        "default_hooks": {"checkpoint": None, "logger": {"type": "LoggerHook", "interval": 1}},
        "randomness": {"seed": 7},
        "default_scope": "mmseg",
        "experiment_name": f"css-{next(EXPERIMENTS)}",
        "visualizer": {"type": "SegLocalVisualizer", "vis_backends": [{"type": "LocalVisBackend"}]},
        **settings,
    }
    # Hooks as objects: a config would copy them.
    runner = Runner.from_cfg(Config(cfg))
    for hook in (ProgressHook(), TeacherUpdateHook(), PrototypeCommitHook(), *hooks):
        runner.register_hook(hook)
    return runner


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
    optimizer = {"optimizer": {"type": "SGD", "lr": 0.1}, "accumulative_counts": 2}
    runner = css_runner(data, 4, spy, optim_wrapper=optimizer)
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


def test_diagnostics_write_anchors_and_a_panel(data: Path) -> None:
    runner = css_runner(data, 4, DiagnosticsHook(log_interval=2, image_interval=3, max_images=2))
    runner.train()
    [log] = (data / "work_dir").rglob("*.log")
    lines = [line for line in log.read_text().splitlines() if "anchors per class and iteration" in line]
    assert len(lines) == 2
    assert "background " in lines[0]
    assert ", thing " in lines[0]
    [scalars] = (data / "work_dir").rglob("scalars.json")
    assert scalars.read_text().count('"anchors/thing"') == 2
    [picture] = (data / "work_dir").rglob("pseudo_labels*.png")
    assert picture.stem == "pseudo_labels_3"
    panel = cv2.imread(str(picture))
    assert panel.shape == (2 * 16 + 4, 3 * 16 + 4, 3)  # two rows of image, pseudo-label, prediction, and a frame
    classes = np.unique(panel[2:-2, 2 + 32 : -2].reshape(-1, 3), axis=0)
    assert set(map(tuple, classes.tolist())) <= {(0, 0, 0), (255, 255, 255)}  # the palette


def test_the_anchors_counted_so_far_outlive_a_resume(data: Path) -> None:
    """Three iterations in one go, and one with two after it: the same mean over all three."""

    def logged(counts: Sequence[int], hub: MessageHub) -> list[dict]:
        added: list[dict] = []
        visualizer = SimpleNamespace(add_scalars=lambda scalars, step: added.append(scalars))
        metainfo = {"classes": ("background", "thing")}
        hook = DiagnosticsHook(log_interval=3, image_interval=100)
        for number in counts:
            iteration = number - 1
            model = SimpleNamespace(diagnostics=Diagnostics(*[torch.zeros(1)] * 3, torch.tensor([0.0, 2.0**number])))
            runner = SimpleNamespace(
                model=model,
                message_hub=hub,
                iter=iteration,
                logger=SimpleNamespace(info=lambda text: None),
                visualizer=visualizer,
                train_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo)),
            )
            hook.after_train_iter(runner, iteration)
        return added

    whole = logged([1, 2, 3], MessageHub("anchors, whole"))
    killed, resumed = MessageHub("anchors, killed"), MessageHub("anchors, resumed")
    assert logged([1], killed) == []
    resumed.load_state_dict(killed.state_dict())
    assert logged([2, 3], resumed) == whole
    [scalars] = whole
    assert scalars == {"anchors/background": 0.0, "anchors/thing": pytest.approx((2 + 4 + 8) / 3)}


def test_a_panel_of_pseudo_labels_at_the_decoders_stride(data: Path) -> None:
    """PC2Seg's, at a quarter of the image's side."""
    runner = css_runner(data, 1)
    size, small = (16, 16), (4, 4)
    diagnostics = Diagnostics(
        torch.zeros(2, 3, *size),
        torch.tensor([0, 255]).repeat_interleave(16).reshape(2, *small),
        torch.zeros(2, 2, *small),
        torch.zeros(2),
    )
    panel = DiagnosticsHook()._panel(runner, diagnostics)
    assert panel.shape == (2 * 16 + 4, 3 * 16 + 4, 3)
    assert (panel[2 + 16 : -2, 2 + 16 : 2 + 32] == 0).all()  # ignored everywhere in the second image


def test_losses_and_shares_are_logged(data: Path) -> None:
    css_runner(data, 1).train()
    [log] = (data / "work_dir").rglob("*.log")
    text = log.read_text()
    for name in (
        "sup.loss_ce",
        "unsup.loss_pseudo_label",
        "unsup.loss_contrast",
        "unsup.kept",
        "unsup.agreement",
        "eta",
    ):
        assert f"{name}: " in text, name


def test_bank_has_the_size_of_the_branch(data: Path) -> None:
    assert css_runner(data, 1).model.bank.prototypes.shape == (2, EMBEDDING)


# -- channels last -----------------------------------------------------------------------------------------------------


def test_channels_last_reaches_every_convolution_and_changes_only_rounding() -> None:
    init_default_scope("mmseg")
    inputs, samples = random_batch()
    losses = []
    for hook in (None, ChannelsLastHook()):
        torch.manual_seed(0)
        model = MODELS.build(css_config())
        model.init_weights()
        if hook is not None:
            hook.before_run(SimpleNamespace(model=model))
            convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
            assert convolutions
            assert all(c.weight.is_contiguous(memory_format=torch.channels_last) for c in convolutions)
            features = model.student.backbone(inputs["labeled"])
            assert all(f.is_contiguous(memory_format=torch.channels_last) for f in features)
        losses.append(model.train().loss(inputs, samples)["sup.loss_ce"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize(("channels", "cpu", "moved"), [(2, True, False), (2, False, True), (8, True, True)])
def test_channels_last_keeps_away_from_what_overruns_memory(
    monkeypatch: pytest.MonkeyPatch, channels: int, cpu: bool, moved: bool
) -> None:
    monkeypatch.setattr(compat, "on_cpu", lambda: cpu)
    model = nn.Sequential(nn.Conv2d(3, channels, 3), nn.Conv2d(channels, 4, 1, stride=2))
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last) == moved


# -- dilated depthwise convolutions ------------------------------------------------------------------------------------


def convolutions() -> nn.Sequential:
    """One that the hook computes, with a bias, and those that it leaves alone."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 4, 5, padding=4, dilation=2, groups=4),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, stride=2),
        nn.Conv2d(4, 4, 3, padding=0, dilation=2, groups=4),
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=4),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, padding_mode="reflect"),
    )


def test_only_dilated_depthwise_convolutions_are_computed_anew_with_the_same_result() -> None:
    plain, hooked = convolutions(), convolutions()
    DilatedDepthwiseHook().before_run(SimpleNamespace(model=hooked))
    changed = [type(module) is not nn.Conv2d for module in hooked]
    assert changed == [True, *[False] * 6]
    assert list(hooked.state_dict()) == list(plain.state_dict())
    images = torch.randn(2, 4, 16, 16)
    for model in (plain, hooked):
        model(images).square().sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(hooked(images), plain(images))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert hooked(images).dtype == torch.bfloat16
    for own, other in zip(hooked.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad)


# -- gradients that are no numbers -------------------------------------------------------------------------------------


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


def test_the_count_of_skipped_steps_outlives_a_resume(tmp_path: Path) -> None:
    hook, hub = FiniteStepHook(), MessageHub("resumed")
    model = Script([])
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1.0))
    hub.update_info("skipped_steps", (7, 2))
    hook.before_train(SimpleNamespace(model=model, optim_wrapper=wrapper, message_hub=hub))
    assert hook.skipped == 7


def test_image_files_of_a_nested_batch() -> None:
    samples = [SegDataSample(metainfo={"img_path": name}) for name in ("a.png", "b.png")]
    batch = {"labeled": {"inputs": [], "data_samples": samples[:1]}, "unlabeled": {"data_samples": samples[1:]}}
    assert list(image_files(batch)) == ["a.png", "b.png"]
