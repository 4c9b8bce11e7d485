"""MMEngine's hooks beside ours, as docs/compatibility.md says."""

import json
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.hooks import EMAHook, Hook, SyncBuffersHook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmseg_css.engine.hooks import DataCheckHook, DurableCheckpointHook, FiniteStepHook, use_data_checks
from mmseg_css.engine.hooks.data_check import MMENGINES
from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.registry import HOOKS
from tests.compat.runs import assert_equal, saved, state, states_of, validating
from tests.engine.tiny import config, log_of, train, write_data
from tests.models.helpers import build_css
from tests.ranks import as_two_ranks

STUDENT = "student.decode_head.conv_seg.weight"
EMA = {"type": "EMAHook", "momentum": 0.5}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def checkpoints(**settings: Any) -> dict[str, Any]:
    return {"type": "DurableCheckpointHook", "by_epoch": False, "interval": 1, **settings}


# -- averages beside the teacher --------------------------------------------------------------------------------------


def test_ema_hook_averages_beside_the_teacher(root: Path) -> None:
    """The training is the same; validations and the checkpoint's weights are those of the average of everything."""
    plain = train(config(root, "css", 3, work_dir=str(root / "plain"), custom_hooks=[{"type": "States"}]))
    changes = {"work_dir": str(root / "ema"), "default_hooks__checkpoint": checkpoints()}
    runner = train(validating(root, custom_hooks=[EMA, {"type": "States"}], **changes))
    assert_equal(state(runner), state(plain))
    weights = [step[STUDENT] for step in states_of(plain).trained]
    average = weights[0]  # the first update copies
    for weight, validated in zip(weights[1:], states_of(runner).validated[1:], strict=True):
        average = 0.5 * average + 0.5 * weight
        torch.testing.assert_close(validated[STUDENT], average)
    checkpoint = saved(runner, 3)
    torch.testing.assert_close(checkpoint["state_dict"][STUDENT], average)
    torch.testing.assert_close(checkpoint["ema_state_dict"][f"module.{STUDENT}"], weights[-1])


def test_ema_hook_goes_on_exactly(root: Path) -> None:
    settings = {"custom_hooks": [EMA], "default_hooks__checkpoint": checkpoints()}
    whole = train(validating(root, 4, work_dir=str(root / "whole"), **settings))
    cfg = validating(root, 4, work_dir=str(root / "resumed"), **settings)
    cfg.resume, cfg.load_from = True, str(root / "whole" / "iter_2.pth")
    resumed = train(cfg)
    assert_equal(state(resumed), state(whole))
    for key in ("state_dict", "ema_state_dict"):
        assert_equal(saved(resumed, 4)[key], saved(whole, 4)[key])


@HOOKS.register_module()
class Terminate(Hook):
    """As a SIGTERM during the second validation."""

    priority = "VERY_HIGH"

    def after_val_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        [hook] = [hook for hook in runner.hooks if isinstance(hook, DurableCheckpointHook)]
        hook._told, hook._saved = signal.SIGTERM if runner.iter == 2 else None, None


def test_ema_hook_and_a_sigterm_in_a_validation(root: Path) -> None:
    """The model holds the averages then, and the checkpoint must not take them for the weights."""
    settings = {"custom_hooks": [EMA], "default_hooks__checkpoint": checkpoints()}
    whole = train(validating(root, 3, work_dir=str(root / "whole"), **settings))
    settings["custom_hooks"] = [EMA, {"type": "Terminate"}]
    with pytest.raises(SystemExit):
        train(validating(root, 3, work_dir=str(root / "stopped"), **settings))
    stopped = torch.load(root / "stopped" / "iter_2.pth", weights_only=True)
    for key in ("state_dict", "ema_state_dict"):
        assert_equal(stopped[key], saved(whole, 2)[key])


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"type": "EMAHook", "begin_epoch": 1}, "EMAHook counts epochs.*set begin_iter"),
        ({"type": "ProfilerHook"}, "ProfilerHook counts epochs.*whole training: set by_epoch=False"),
    ],
)
def test_hooks_that_count_epochs_are_refused(root: Path, hook: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        train(config(root, "css", 1, custom_hooks=[hook]))


# -- other hooks ------------------------------------------------------------------------------------------------------


def test_profiler_hook(root: Path) -> None:
    trace = root / "trace.json"
    hook = {"type": "ProfilerHook", "by_epoch": False, "profile_times": 1, "json_trace_path": str(trace)}
    train(config(root, "css", 2, custom_hooks=[hook]))
    names = {event.get("name") for event in json.loads(trace.read_text())["traceEvents"]}
    assert "aten::convolution" in names


def test_early_stopping_hook(root: Path) -> None:
    hook = {"type": "EarlyStoppingHook", "monitor": "mIoU", "patience": 2, "min_delta": 1000}
    assert train(validating(root, 8, custom_hooks=[hook])).iter == 3  # the first sets what the others do not exceed


def test_early_stopping_hook_begins_anew_with_a_resume(root: Path) -> None:
    hook = {"type": "EarlyStoppingHook", "monitor": "mIoU", "patience": 2, "min_delta": 1000}
    settings = {"custom_hooks": [hook], "default_hooks__checkpoint": checkpoints()}
    train(validating(root, 2, work_dir=str(root / "whole"), **settings))
    cfg = validating(root, 8, work_dir=str(root / "resumed"), **settings)
    cfg.resume, cfg.load_from = True, str(root / "whole" / "iter_2.pth")
    assert train(cfg).iter == 4  # the validation of the second, which is repeated, sets what the others do not exceed


def test_empty_cache_hook(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a GPU; here it is asked whether there is one."""
    asked: list[int] = []
    monkeypatch.setattr("mmengine.hooks.empty_cache_hook.is_cuda_available", lambda: True)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: asked.append(1))
    train(validating(root, 2, custom_hooks=[{"type": "EmptyCacheHook", "after_iter": True, "after_epoch": False}]))
    assert len(asked) == 2 + 2 * 4  # steps, and images of two validations


def test_runtime_info_hook(root: Path) -> None:
    hub = train(config(root, "css", 3)).message_hub
    assert (hub.get_info("iter"), hub.get_info("max_iters")) == (2, 3)
    assert hub.get_scalar("train/lr").current() == 0.1
    assert hub.get_info("dataset_meta")["classes"]


def average_as_rank(rank: int, folder: Path) -> None:
    init_default_scope("mmseg")
    model = build_css()
    model.student.backbone.low.bn.running_mean.fill_(float(rank))
    model.bank.seen[0] = True
    SyncBuffersHook().before_val_epoch(SimpleNamespace(model=model))
    assert (model.student.backbone.low.bn.running_mean == 0.5).all()
    assert model.bank.seen.tolist() == [True, False, False]


def test_sync_buffers_hook(tmp_path: Path) -> None:
    """Statistics of the norm layers become one on all ranks; prototypes, which are one already, stay."""
    as_two_ranks(average_as_rank, tmp_path)


# -- checkpoints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["greater", "less"])
@pytest.mark.parametrize("kind", ["DurableCheckpointHook", "CheckpointHook"])
def test_checkpoint_hook_keeps_the_last_and_the_best(root: Path, kind: str, rule: str) -> None:
    settings = checkpoints(_delete_=True, type=kind, save_best="mIoU", rule=rule, max_keep_ckpts=2)
    local = [{"type": "LocalVisBackend"}]
    runner = train(validating(root, default_hooks__checkpoint=settings, visualizer__vis_backends=local))
    scores = [step["mIoU"] for step in map(json.loads, scalars(root)) if "mIoU" in step]
    best = 1 + scores.index(max(scores) if rule == "greater" else min(scores))
    names = {path.name for path in Path(runner.work_dir).glob("*.pth")}
    assert names == {"iter_2.pth", "iter_3.pth", f"best_mIoU_iter_{best}.pth"}


def scalars(root: Path) -> list[str]:
    [file] = root.rglob("scalars.json")
    return file.read_text().splitlines()


MONITORS = [
    (
        {"default_hooks__checkpoint__save_best": "mIou"},
        "save_best='mIou', and the validation measures aAcc, mAcc, mIoU",
    ),
    ({"custom_hooks": [{"type": "EarlyStoppingHook", "monitor": "IoU", "rule": "greater"}]}, "did you mean 'mIoU'"),
    ({"param_scheduler": [{"type": "ReduceOnPlateauLR", "monitor": "miou", "rule": "greater"}]}, "did you mean 'mIoU'"),
]


@pytest.mark.parametrize(("changes", "said"), MONITORS)
def test_a_metric_that_nothing_measures_is_refused(root: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        train(validating(root, **changes))


@pytest.mark.parametrize(("changes", "said"), MONITORS)
def test_a_metric_without_a_validation_is_refused(root: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="waits for a validation, and there is none"):
        train(config(root, "css", 1, **changes))


# -- hooks that are left out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*MMENGINES, "finite_step", "data_check", "visualization"])
def test_none_leaves_a_hook_out(root: Path, name: str) -> None:
    """As `mmseg-css train` does it; teacher and prototypes move all the same, and steps without numbers are skipped."""
    hooks = {"finite_step": {"type": "FiniteStepHook"}, "visualization": {"type": "SegVisualizationHook"}}
    cfg = config(root, "css", 2, default_hooks={**hooks, name: None}, custom_hooks=[{"type": "States"}])
    use_data_checks(cfg)
    runner = train(cfg)
    kinds = {"finite_step": FiniteStepHook, "data_check": DataCheckHook, "checkpoint": DurableCheckpointHook}
    for other, kind in kinds.items():
        there = any(isinstance(hook, kind) for hook in runner.hooks)
        assert there == (other != name or other == "finite_step"), other
    assert unwrap(runner.model).teacher.step == 2
    assert unwrap(runner.model).bank.seen.any()


def test_mmengine_has_the_hooks_that_we_say_it_has(root: Path) -> None:
    runner = Runner.from_cfg(config(root, "css", 1))
    runner._hooks.clear()
    runner.register_default_hooks(dict.fromkeys(MMENGINES))
    assert runner.hooks == []


def test_a_schedule_without_its_hook_is_refused(root: Path) -> None:
    poly = [{"type": "PolyLR", "end": 3, "by_epoch": False}]
    with pytest.raises(
        ValueError, match="default_hooks.param_scheduler=None, so that param_scheduler would never step"
    ):
        train(config(root, "css", 3, param_scheduler=poly, default_hooks__param_scheduler=None))


def test_ema_copies_nothing_of_the_bookkeeping(root: Path) -> None:
    """The average's own teacher is never updated by our hook, and never predicts a step."""
    runner = train(config(root, "css", 2, custom_hooks=[EMA]))
    [hook] = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    assert (unwrap(runner.model).teacher.step, hook.ema_model.module.teacher.step) == (2, 0)
    assert "counts epochs" not in log_of(root)
