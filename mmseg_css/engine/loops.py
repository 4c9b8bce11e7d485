"""Training by iterations over labelled and unlabelled images, or over labelled ones alone."""

import gc
import logging
from collections.abc import Iterator
from typing import Any, Final, cast

from mmengine.dist import all_gather_object
from mmengine.hooks import ParamSchedulerHook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.base_loop import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from mmseg_css.datasets.checks import check_batch
from mmseg_css.datasets.sampler import DrawSampler, PairedSampler, SeededSampler
from mmseg_css.engine.dataloaders import workers_explained
from mmseg_css.engine.hooks.checkpoint import VALIDATED
from mmseg_css.engine.hooks.method import register_missing
from mmseg_css.engine.iterations import iterations_of
from mmseg_css.engine.memory import memory_explained
from mmseg_css.engine.small_batches import norms_explained, warn_of_repeats
from mmseg_css.registry import LOOPS

SEED_KEY: Final = "paired_sampler_seed"


@LOOPS.register_module()
class PairedTrainLoop(IterBasedTrainLoop):
    """MMEngine's ``IterBasedTrainLoop``, except that it resumes in no time and exactly.

    It trains the methods, with a :class:`PairedSampler`, and their supervised baselines, with a :class:`SeededSampler`.
    A resumed run tells the sampler where to start, instead of loading and discarding all batches that
    were trained on; from there on it sees what the uninterrupted run would have seen, augmentation included. A
    validation that was due after the checkpoint's iteration is run first, whether or not it was finished. (The batch
    size and the number of processes must not change, else the position is only about right.)

    It registers the hooks that the model needs and the config does not name.

    Args:
        runner: The runner.
        dataloader: The train dataloader or its config, with one of these samplers.
        max_iters: Iterations in all.
        max_epochs: Epochs in all, in place of ``max_iters``, and stronger than it (`iterations.iterations_of`).
        val_begin: First iteration after which to validate.
        val_interval: Iterations between validations.
        dynamic_intervals: ``(iteration, interval)`` pairs that change ``val_interval`` on the way.

    Raises:
        TypeError: The sampler is another one.
        ValueError: The batch size is no multiple of the sum of the sampler's ratio, or no length is given.
    """

    dataloader: DataLoader

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        *,
        max_iters: int | None = None,
        max_epochs: int | None = None,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: list[tuple[int, int]] | None = None,
    ) -> None:
        BaseLoop.__init__(self, runner, _understanding_draws(dataloader))
        built: DataLoader = self.dataloader
        _check_sampler(built)
        warn_of_repeats(built)
        if max_epochs is not None:
            max_iters = iterations_of(runner, built, max_epochs, max_iters)
        if max_iters is None:
            raise ValueError("PairedTrainLoop needs a length: set train_cfg.max_iters, or train_cfg.max_epochs")
        super().__init__(
            runner,
            _NotStarted(built.dataset),
            max_iters=max_iters,
            val_begin=val_begin,
            val_interval=val_interval,
            dynamic_intervals=dynamic_intervals,
        )
        if runner._val_loop is not None and val_begin > max_iters:
            print_log(
                f"train_cfg.val_begin={val_begin} is later than the end, {max_iters}: nothing will be evaluated",
                logger="current",
                level=logging.WARNING,
            )
        self.dataloader = built
        del self.dataloader_iterator
        if registered := register_missing(runner):
            print_log(f"Registered for the model: {', '.join(registered)}.", logger="current")

    def run(self) -> nn.Module:
        """Launch training; the hooks and their order are MMEngine's."""
        # The collector need not look again at what stays for the whole training. It then soon finds the cycles that
        # every checkpoint leaves (MMEngine formats the config for it), instead of when they are a quarter of all.
        gc.collect()
        gc.freeze()
        try:
            with memory_explained(), workers_explained():
                return self._train()
        finally:
            gc.unfreeze()
            self.runner.call_hook("after_loop")  # MMEngine's hooks do not hear of a training that fails

    def _train(self) -> nn.Module:
        _check_one_place(self._iter)
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        # Not an attribute: the workers go when this method returns, and not when the garbage collector finds the
        # runner, which takes ten seconds, since it may have finalised the workers' queues before.
        batches = self._batches()
        if self._iter >= self._max_iters:
            print_log(
                f"All {self._max_iters} iterations are done: raise train_cfg.max_iters to train on, and the end in "
                "param_scheduler, if it says one.",
                logger="current",
            )
        self._decide_current_val_interval()
        if self._iter > 0 and self._validation_is_due():
            self._validate_again()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self._decide_current_val_interval()
            if self._validation_is_due():
                self.runner.val_loop.run()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def _validate_again(self) -> None:
        """A checkpoint is older than the validation of its iteration, which may have been cut off.

        Not so where that was the best: it was then written once more, when a schedule that goes by metrics had stepped.
        """
        hooks, validated = self.runner._hooks, self.runner.message_hub.get_info(VALIDATED)
        if validated == self._iter:  # the schedule must not count it twice
            self.runner._hooks = [hook for hook in hooks if not isinstance(hook, ParamSchedulerHook)]
        try:
            self.runner.val_loop.run()
        finally:
            self.runner._hooks = hooks

    def run_iter(self, data_batch: Any) -> None:
        with norms_explained(self.runner.model):
            super().run_iter(data_batch)

    def _batches(self) -> Iterator[Any]:
        """The batches from the present iteration on."""
        sampler, messages = cast(DrawSampler, self.dataloader.sampler), self.runner.message_hub
        if self._iter > 0:
            # Without a seed in the config, MMEngine restores that of the checkpoint when the sampler exists already.
            sampler.seed = messages.get_info(SEED_KEY, sampler.seed)
            print_log(f"The data continue at iteration {self._iter}, seed {sampler.seed}.", logger="current")
        messages.update_info(SEED_KEY, sampler.seed)
        sampler.set_start(self._iter * cast(int, self.dataloader.batch_size))
        return iter(self.dataloader)

    def _validation_is_due(self) -> bool:
        return (
            self.runner.val_loop is not None
            and self._iter >= self.val_begin
            and (self._iter % self.val_interval == 0 or self._iter == self._max_iters)
        )


def _understanding_draws(dataloader: DataLoader | dict) -> DataLoader | dict:
    """A `SeededSampler` gives more than an index, and MMSeg's data sets know only that."""
    if isinstance(dataloader, dict) and dataloader.get("sampler", {}).get("type") in ("SeededSampler", SeededSampler):
        return {**dataloader, "dataset": {"type": "SeededDataset", "dataset": dataloader["dataset"]}}
    return dataloader


def _check_one_place(iteration: int) -> None:
    """Refuse processes that stand at different iterations, before any of them changes a folder."""
    places = sorted(set(all_gather_object(iteration)))
    if len(places) > 1:
        raise ValueError(
            f"the processes of this training would go on from different iterations ({', '.join(map(str, places))}), "
            "because each looks for the checkpoint itself: work_dir must be one folder that all machines see (or name "
            "a checkpoint that all of them find there: --resume PATH)"
        )


def _check_sampler(dataloader: DataLoader) -> None:
    sampler = dataloader.sampler
    if isinstance(sampler, PairedSampler):
        check_batch(dataloader.batch_size, sampler.ratio)
    elif not isinstance(sampler, SeededSampler):
        raise TypeError(
            f"PairedTrainLoop needs train_dataloader.sampler=dict(type='PairedSampler', ...) and no batch_sampler, got "
            f"{type(sampler).__name__}; for supervised training take type='SeededSampler'"
        )


class _NotStarted:
    """Stands in for the dataloader while MMEngine 0.10.7's constructor iterates it, which would start the workers."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __iter__(self) -> Iterator[Any]:
        return iter(())
