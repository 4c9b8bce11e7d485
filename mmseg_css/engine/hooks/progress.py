"""Tell the model where the training stands."""

from typing import cast

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
    """Push iteration, length of the training and seed into the model before every iteration."""

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        unwrap(runner.model).progress = Progress(runner.iter, runner.max_iters, runner.seed)
