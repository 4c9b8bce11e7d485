"""Dilated depthwise convolution as a sum of shifted maps: what a CPU is fast at.

Letters: b batch, c channels, h w pixels, t taps of the kernel along one side.

oneDNN has no fast backward pass for a depthwise convolution with a dilation, which is what a network with a reduced
output stride (DeepLab) consists of in its last stage. Written as t^2 products of shifted maps and summed in the same
order, the result is the same, several times sooner (`benchmarks/depthwise.py`).
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def dilated_depthwise(
    maps: Float[Tensor, "b c h w"], weight: Float[Tensor, "c 1 t t"], dilation: int
) -> Float[Tensor, "b c h w"]:
    """``conv2d(maps, weight, padding=dilation * (t // 2), dilation=dilation, groups=c)``, for odd t.

    Differentiable once, in both arguments. The result is laid out channels-last.

    >>> maps = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> weight = torch.tensor([[[[0.0, 0, 0], [10, 0, 1], [0, 0, 0]]]])
    >>> dilated_depthwise(maps, weight, dilation=2).tolist()
    [[[[3.0, 0.0, 10.0]]]]
    """
    return _DilatedDepthwise.apply(maps, weight, dilation)


class _DilatedDepthwise(torch.autograd.Function):
    """Channels are the innermost dimension throughout, so that every product runs along them."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.dilation = dilation
        pixels, taps = _innermost(maps, weight)
        total = torch.zeros_like(pixels)
        for tap, here, there in _overlaps(pixels.shape, len(taps), dilation):
            total[here].addcmul_(pixels[there], taps[tap])
        return rearrange(total, "b h w c -> b c h w")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        maps, weight = ctx.saved_tensors
        pixels, taps = _innermost(maps, weight)
        upstream = rearrange(upstream, "b c h w -> b h w c").contiguous()
        of_pixels, of_taps = torch.zeros_like(pixels), torch.zeros_like(taps)
        for tap, here, there in _overlaps(pixels.shape, len(taps), ctx.dilation):
            of_pixels[there].addcmul_(upstream[here], taps[tap])
            of_taps[tap] = (pixels[there] * upstream[here]).sum(dim=(0, 1, 2))
        return rearrange(of_pixels, "b h w c -> b c h w"), rearrange(of_taps, "s t c -> c 1 s t"), None


def _innermost(maps: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    return rearrange(maps, "b c h w -> b h w c").contiguous(), rearrange(weight, "c 1 s t -> s t c").contiguous()


def _overlaps(
    size: torch.Size, taps: int, dilation: int
) -> Iterator[tuple[tuple[int, int], tuple[slice, ...], tuple[slice, ...]]]:
    """For every tap of the kernel the pixels that read through it, and those that they read, within the map."""
    rows, columns = ([_overlap(length, (tap - taps // 2) * dilation) for tap in range(taps)] for length in size[1:3])
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        if row and column:
            yield (i, j), (slice(None), row[0], column[0]), (slice(None), row[1], column[1])


def _overlap(length: int, offset: int) -> tuple[slice, slice] | None:
    first, last = max(0, -offset), min(length, length - offset)
    return (slice(first, last), slice(first + offset, last + offset)) if first < last else None
