"""Let dilated depthwise convolutions run fast on a CPU."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmseg_css.functional.depthwise import dilated_depthwise
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class DilatedDepthwiseHook(Hook):
    """Compute the dilated depthwise convolutions of any model with `functional.depthwise` where it trains on a CPU.

    Same parameters, same checkpoints, same results up to rounding. Other devices, mixed precision and evaluation keep
    torch's own.
    """

    def before_run(self, runner: Runner) -> None:
        for module in runner.model.modules():
            if type(module) is nn.Conv2d and _fits(module):
                module.__class__ = _DilatedDepthwiseConv2d


class _DilatedDepthwiseConv2d(nn.Conv2d):
    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if input.device.type != "cpu" or torch.is_autocast_enabled("cpu") or not torch.is_grad_enabled():
            return super()._conv_forward(input, weight, bias)
        maps = dilated_depthwise(input, weight, self.dilation[0])
        return maps if bias is None else maps + bias[:, None, None]


def _fits(conv: nn.Conv2d) -> bool:
    taps, dilation = conv.kernel_size[0], conv.dilation[0]
    return (
        conv.groups == conv.in_channels == conv.out_channels
        and conv.kernel_size == (taps, taps)
        and conv.dilation == (dilation, dilation)
        and conv.stride == (1, 1)
        and conv.padding == (dilation * (taps // 2),) * 2
        and conv.padding_mode == "zeros"
        and dilation > 1
        and taps % 2 == 1
    )
