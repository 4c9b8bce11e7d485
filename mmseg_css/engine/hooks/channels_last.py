"""Keep a model's tensors in the layout that convolutions are fastest in."""

import logging

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Lay out the weights of any model channels-last, before they are initialised or loaded; activations follow them.

    Results are the same up to rounding, and checkpoints fit models with and without. Models that `overruns` names keep
    their layout on a CPU, with a warning.
    """

    def before_run(self, runner: Runner) -> None:
        model = runner.model
        on_cpu = any(parameter.device.type == "cpu" for parameter in model.parameters())
        if on_cpu and (names := [name for name, module in model.named_modules() if overruns(module)]):
            print_log(
                "The model keeps its memory layout: channels-last is not safe on a CPU for "
                f"{', '.join(names)}, strided 1 x 1 convolutions of fewer than 8 channels.",
                logger="current",
                level=logging.WARNING,
            )
            return
        model.to(memory_format=torch.channels_last)


def overruns(module: nn.Module) -> bool:
    """Whether oneDNN writes past its memory in this layer, channels-last, on a processor with AVX2 and no AVX-512.

    Seen with torch 2.14.1: a backward pass of ``conv2d`` with 2 to 4 input channels, a 1 x 1 kernel and a stride of 2
    corrupts the heap; with 8 and more it does not, nor in the ordinary layout.
    """
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels < 8
    )
