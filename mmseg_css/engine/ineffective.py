"""Settings that would do nothing: refused before the first step, or named in the log where that may be meant."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from mmengine.hooks import CheckpointHook, EarlyStoppingHook, ParamSchedulerHook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmseg.evaluation import IoUMetric

from mmseg_css.engine.iterations import schedulers_of
from mmseg_css.evaluation import PerImageIoUMetric

#: Settings that may say `auto`: the first metric that is measured.
SAVE_BEST: Final = "default_hooks.checkpoint.save_best"
#: What MMSeg's `IoUMetric` gives for each of its ``iou_metrics``, beside ``aAcc``.
MEASURED: Final = {
    "mIoU": {"mIoU", "mAcc"},
    "mDice": {"mDice", "mAcc"},
    "mFscore": {"mFscore", "mPrecision", "mRecall"},
}


def check_effective(runner: Runner) -> None:
    """Check that hooks and schedules have what they wait for.

    Raises:
        ValueError: One waits for a validation or a metric that never comes, or a schedule for a hook.
    """
    if not isinstance(runner._train_loop, BaseLoop):  # a config: not in training
        return
    if runner.param_schedulers and not any(isinstance(hook, ParamSchedulerHook) for hook in runner.hooks):
        raise ValueError(
            "default_hooks.param_scheduler=None, so that param_scheduler would never step: leave out one of the two"
        )
    for place, metric in _monitors(runner):
        _check_monitor(runner, place, metric)
    for note in _unmatched_keys(runner):
        runner.logger.warning(note)


def _monitors(runner: Runner) -> Iterator[tuple[str, str]]:
    """Settings that name a metric of the validation."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook):
            yield from ((SAVE_BEST, metric) for metric in hook.save_best or ())
        if isinstance(hook, EarlyStoppingHook):
            yield "EarlyStoppingHook.monitor", hook.monitor
    for index, scheduler in enumerate(schedulers_of(runner)):
        if getattr(scheduler, "need_val_args", False):
            yield f"param_scheduler[{index}].monitor", scheduler.monitor


def _check_monitor(runner: Runner, place: str, metric: str) -> None:
    if runner.val_loop is None:
        raise ValueError(
            f"{place}={metric!r} waits for a validation, and there is none: set val_dataloader, val_evaluator and "
            "val_cfg, or leave it out"
        )
    if metric == "auto" and place == SAVE_BEST:
        return
    measured = _measured(runner)
    if measured and metric not in measured:
        [near] = get_close_matches(metric, measured, 1, cutoff=0.0)
        raise ValueError(
            f"{place}={metric!r}, and the validation measures {', '.join(sorted(measured))}; did you mean {near!r}?"
        )


def _measured(runner: Runner) -> set[str]:
    """Names of the metrics, or nothing where one is of a kind that does not say them before it has measured."""
    metrics = runner.val_loop.evaluator.metrics
    if not all(type(metric) in (IoUMetric, PerImageIoUMetric) for metric in metrics):
        return set()  # also of a subclass, which may measure more
    return {
        f"{metric.prefix}/{name}" if metric.prefix else name
        for metric in metrics
        for kind in metric.metrics
        for name in ("aAcc", *MEASURED.get(kind, ()))
    }


def _unmatched_keys(runner: Runner) -> Iterator[str]:
    """Keys of ``paramwise_cfg`` that no parameter's name has in it, as MMEngine looks for them."""
    wrapper = runner.cfg.get("optim_wrapper") or {}
    paramwise: Any = wrapper.get("paramwise_cfg") if isinstance(wrapper, Mapping) else None
    names = [name for name, _ in runner.model.named_parameters()]
    for key in (paramwise or {}).get("custom_keys", {}):
        if not any(key in name for name in names):
            yield (
                f"optim_wrapper.paramwise_cfg.custom_keys has {key!r}, which is in no parameter's name, and changes "
                f"nothing. Names begin like {names[0]!r}"
            )
