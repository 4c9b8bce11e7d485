"""Keep a model's tensors in the layout that convolutions are fastest in."""

import logging

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmseg_css import compat
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lay out the weights of any model channels-last, before they are initialised or loaded; activations follow them.

    Results are the same up to rounding, and checkpoints fit models with and without. Models that are not safe in
    it on a CPU (`compat.overruns_memory`) keep their layout, with a warning.
    """

    def before_run(self, runner: Runner) -> None:
        model = runner.model
        unsafe = [name for name, module in model.named_modules() if compat.overruns_memory(module)]
        if unsafe and compat.on_cpu():
            print_log(
                "The model keeps its memory layout: channels-last is not safe on a CPU for "
                f"{', '.join(unsafe)}, strided 1 x 1 convolutions of fewer than 8 channels.",
                logger="current",
                level=logging.WARNING,
            )
            return
        model.to(memory_format=torch.channels_last)
