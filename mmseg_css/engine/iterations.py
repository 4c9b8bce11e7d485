"""Trainings count iterations: our samplers are endless, and so are their epochs."""

from collections.abc import Iterator
from typing import Any, Final

from mmengine.dataset import InfiniteSampler
from mmengine.hooks import CheckpointHook, EMAHook, LoggerHook, ProfilerHook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmengine.runner.base_loop import BaseLoop
from torch.utils.data import DataLoader

from mmseg_css.datasets.sampler import PairedSampler, SeededSampler

#: Where MMEngine's schedulers end that are built without an end; those of a config end with the training then.
ENDLESS: Final = 10**9


def schedulers_of(runner: Runner) -> list[Any]:
    """The schedulers, or their configs, of all optimisers."""
    found = runner.param_schedulers or []
    groups = found.values() if isinstance(found, dict) and "type" not in found else [found]
    return [one for group in groups for one in (group if isinstance(group, list | tuple) else [group])]


def check_counts_iterations(runner: Runner) -> None:
    """Check that nothing waits for the end of an epoch, where the sampler has none.

    Raises:
        ValueError: The loop, a scheduler or a hook counts epochs.
    """
    loop = runner._train_loop
    if not isinstance(loop, BaseLoop):  # a config: not in training
        return
    if isinstance(loop, EpochBasedTrainLoop):
        sampler = loop.dataloader.sampler
        if isinstance(sampler, PairedSampler | SeededSampler | InfiniteSampler):
            raise ValueError(
                f"train_cfg counts epochs ({type(loop).__name__}), and a {type(sampler).__name__} is endless, so that "
                "the first would never end: set train_cfg=dict(_delete_=True, type='PairedTrainLoop', max_iters=...), "
                "or max_epochs=... in place of max_iters"
            )
        return
    for fault in _epochs(runner):
        raise ValueError(f"{fault}. A training by iterations is one single epoch")


def _epochs(runner: Runner) -> Iterator[str]:
    for index, scheduler in enumerate(schedulers_of(runner)):
        if scheduler.by_epoch and not getattr(scheduler, "need_val_args", False):
            yield (
                f"param_scheduler[{index}] ({type(scheduler).__name__}) counts epochs (MMEngine's default) and would "
                "never step: set by_epoch=False, begin and end in iterations, or add convert_to_iter_based=True"
            )
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.by_epoch and (hook.interval > 0 or hook.save_best):
            yield (
                f"default_hooks.checkpoint ({type(hook).__name__}) counts epochs (MMEngine's default) and would write "
                "none before the end: set by_epoch=False, and interval in iterations"
            )
        if isinstance(hook, LoggerHook) and hook.log_metric_by_epoch and runner.val_loop is not None:
            yield (
                "default_hooks.logger counts epochs (MMEngine's default) and would log the metrics of every validation "
                "at step 0: set log_metric_by_epoch=False"
            )
        if isinstance(hook, ProfilerHook) and hook.by_epoch:
            yield (
                "ProfilerHook counts epochs (MMEngine's default) and would record the whole training: set "
                "by_epoch=False, and profile_times in iterations"
            )
        if isinstance(hook, EMAHook) and hook.begin_epoch > 0:
            yield f"EMAHook counts epochs (begin_epoch={hook.begin_epoch}): set begin_iter in its place"


def warn_of_schedule(runner: Runner) -> None:
    """Say in the log where the schedule does not end with the training."""
    if not isinstance(runner._train_loop, BaseLoop):
        return
    ends = [scheduler.end for scheduler in schedulers_of(runner) if not scheduler.by_epoch]
    end = max(ends, default=runner.max_iters)
    if end == runner.max_iters or end >= ENDLESS:
        return
    late = (
        "which will not see the end of the schedule" if end > runner.max_iters else "which goes on with its last rate"
    )
    runner.logger.warning(
        f"The schedule ends at iteration {end}, and the training at {runner.max_iters}, {late}: set the end in "
        f"param_scheduler to {runner.max_iters}, unless that is meant"
    )


def iterations_of(runner: Runner, dataloader: DataLoader, max_epochs: int, max_iters: int | None) -> int:
    """The iterations of so many epochs. Schedulers that were to end with the training, at ``max_iters``, follow.

    An epoch ends when every image was drawn: with a `PairedSampler` those of the set that lasts longer, as a rule the
    unlabelled one. It is also the epoch of MMEngine's ``convert_to_iter_based``.
    """
    epoch = len(dataloader)
    iterations = max_epochs * epoch
    following = []
    for index, config in enumerate(schedulers_of(runner)):
        if (
            isinstance(config, dict)
            and not config.get("by_epoch", True)  # of epochs it is one of MMEngine's, who makes iterations of it
            and config.get("end", max_iters) == max_iters
        ):
            config["end"] = iterations
            following.append(f"param_scheduler[{index}].end")
    instead = "" if max_iters is None else f", in place of max_iters={max_iters}"
    print_log(
        f"max_epochs={max_epochs} are {iterations} iterations{instead}: every image is drawn within {epoch}, "
        f"{dataloader.batch_size} at a time. {'; '.join(following) or 'No schedule'} follows.",
        logger="current",
    )
    return iterations
