"""Tell the model where the training stands."""

import random
from typing import cast

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmseg_css.models.segmentors import Progress, SemiSegmentor
from mmseg_css.registry import HOOKS


def unwrap(model: nn.Module) -> SemiSegmentor:
    """The model itself, without the wrapper of distributed training."""
    return cast(SemiSegmentor, model.module if is_model_wrapper(model) else model)


@HOOKS.register_module()
class ProgressHook(Hook):
    """Push iteration, length of the training and seed into the model before every iteration.

    The global generators, from which dropout and stochastic depth draw, get a seed of (seed, iteration, rank), too, so
    that a resumed run drops what the uninterrupted one does.
    """

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        unwrap(runner.model).progress = Progress(runner.iter, runner.max_iters, runner.seed)
        # The spawn key keeps these numbers apart from those of the model's own generator.
        entropy = np.random.SeedSequence([runner.seed, runner.iter, get_rank()], spawn_key=(1,))
        seed = int(entropy.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
