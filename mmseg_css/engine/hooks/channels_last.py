"""Keep a model's tensors in the layout that convolutions are fastest in."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lay out the weights of any model channels-last, before they are initialised or loaded; activations follow them.

    Results are the same up to rounding, and checkpoints fit models with and without.
    """

    def before_run(self, runner: Runner) -> None:
        runner.model.to(memory_format=torch.channels_last)
