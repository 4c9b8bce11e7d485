"""Tell the model where the training stands."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.runner import Runner

from mmseg_css.engine.hooks.method import MethodHook, unwrap
from mmseg_css.engine.ineffective import check_effective
from mmseg_css.engine.iterations import check_counts_iterations, warn_of_schedule
from mmseg_css.models.segmentors import Progress
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(MethodHook):
    """Push iteration, length of the training and seed into the model before every iteration.

    The global generators, from which dropout and stochastic depth draw, get a seed of (seed, iteration, rank), too, so
    that a resumed run drops what the uninterrupted one does.
    """

    def before_run(self, runner: Runner) -> None:
        super().before_run(runner)
        check_counts_iterations(runner)
        check_effective(runner)
        warn_of_schedule(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        super().before_train_iter(runner, batch_idx, data_batch)
        unwrap(runner.model).progress = Progress(runner.iter, runner.max_iters, runner.seed)
        # The spawn key keeps these numbers apart from those of the model's own generator.
        entropy = np.random.SeedSequence([runner.seed, runner.iter, get_rank()], spawn_key=(1,))
        seed = int(entropy.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
