"""Mixing images within a batch: draw what is pasted first, then paste image, labels, confidences and validity alike.

Letters: b batch, m label maps, H W pixels.
"""

import math

import torch
from einops import rearrange
from jaxtyping import Bool, Int
from torch import Tensor

from mmseg_css.functional.sampling import draw_below
from mmseg_css.types import View


def draw_boxes(
    batch: int,
    size: tuple[int, int],
    area: float = 0.5,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Int[Tensor, "b 4"]:
    """One box (top, left, height, width) per image with a share ``area`` of its pixels, at a uniform position.

    Width uniform over the integers of [area W + 1, W), height = round(area H W / width).

    Raises:
        ValueError: if ``area`` does not lie in (0, 1), or if that leaves no width to draw.

    >>> top, left, height, width = draw_boxes(1, (8, 8))[0].tolist()
    >>> 5 <= width < 8, height == round(32 / width)
    (True, True)
    """
    height, width = size
    if not 0 < area < 1:
        raise ValueError(f"the share of the image that a box covers must lie in (0, 1), got {area}")
    narrowest = math.ceil(area * width) + 1
    if narrowest >= width:
        raise ValueError(f"an image of {height} x {width} pixels is too narrow for a box of {area:.0%} of it")
    box_width = torch.randint(narrowest, width, (batch,), generator=generator, device=device)
    box_height = (area * height * width / box_width).round().long().clamp(max=height)
    top = draw_below(height - box_height + 1, generator)
    left = draw_below(width - box_width + 1, generator)
    return torch.stack([top, left, box_height, box_width], dim=1)


def box_mask(boxes: Int[Tensor, "b 4"], size: tuple[int, int]) -> Bool[Tensor, "b H W"]:
    """True inside each box.

    >>> box_mask(torch.tensor([[0, 1, 1, 2]]), (2, 3)).long().tolist()
    [[[0, 1, 1], [0, 0, 0]]]
    """
    top, left, height, width = (rearrange(edge, "b -> b 1 1") for edge in boxes.unbind(dim=1))
    rows = torch.arange(size[0], device=boxes.device)[None, :, None]
    columns = torch.arange(size[1], device=boxes.device)[None, None, :]
    return (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)


def draw_classmix_mask(
    labels: Int[Tensor, "b H W"], num_classes: int, generator: torch.Generator | None = None
) -> Bool[Tensor, "b H W"]:
    """True on the pixels of a random half (rounded up) of the classes that each image shows.

    Ignored pixels are never chosen. The mask lies on the image the pixels are taken *from*.

    >>> draw_classmix_mask(torch.tensor([[[3, 255]]]), num_classes=4).tolist()
    [[[True, False]]]
    """
    valid = (labels >= 0) & (labels < num_classes)
    index = torch.where(valid, labels, num_classes)
    present = torch.zeros(len(labels), num_classes + 1, dtype=torch.bool, device=labels.device)
    present = present.scatter(1, index.flatten(1), True)[:, :num_classes]
    # A random half of the present classes: those whose random score ranks lowest, absent classes ranking last.
    score = torch.rand(present.shape, generator=generator, device=labels.device).masked_fill(~present, 2.0)
    rank = score.argsort(dim=1).argsort(dim=1)
    chosen = present & (rank < (present.sum(dim=1, keepdim=True) + 1) // 2)
    chosen = torch.cat([chosen, torch.zeros_like(chosen[:, :1])], dim=1)
    return chosen.gather(1, index.flatten(1)).reshape(labels.shape)


def paste_next(view: View, mask: Bool[Tensor, "b H W"]) -> View:
    """Fill the masked pixels of every image from the next image of the batch, the last one's from the first.

    >>> labels = torch.tensor([[[[1, 1]]], [[[2, 2]]]])
    >>> view = View(labels.float(), labels, torch.ones(2, 1, 1, 2), torch.ones(2, 1, 2, dtype=torch.bool))
    >>> paste_next(view, torch.tensor([[[True, False]], [[False, False]]])).labels.flatten().tolist()
    [2, 1, 2, 2]
    """

    def paste(own: Tensor) -> Tensor:
        over_channels = mask if own.ndim == mask.ndim else mask[:, None]
        return torch.where(over_channels, own.roll(-1, dims=0), own)

    return View(*(paste(field) for field in view))


def cut_out(view: View, mask: Bool[Tensor, "b H W"], ignore_index: int = 255) -> View:
    """Blank the masked pixels: image 0, labels ignored, confidences 0, not valid.

    >>> labels = torch.tensor([[[[1, 1]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    >>> cut_out(view, torch.tensor([[[True, False]]])).labels.flatten().tolist()
    [255, 1]
    """
    over_channels = mask[:, None]
    return View(
        view.image.masked_fill(over_channels, 0.0),
        view.labels.masked_fill(over_channels, ignore_index),
        view.confidences.masked_fill(over_channels, 0.0),
        view.valid & ~mask,
    )
