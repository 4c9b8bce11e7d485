"""Mixing images within a batch: draw what is pasted first, then paste image, labels, confidences and validity alike.

Letters: b batch, m label maps, H W pixels.
"""

import math

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmseg_css.functional.labels import is_class
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


def draw_shaped_boxes(
    batch: int,
    size: tuple[int, int],
    area: tuple[float, float] = (0.02, 0.4),
    aspect: float = 0.3,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Int[Tensor, "b 4"]:
    """One box (top, left, height, width) per image, at a uniform position inside it (UniMatch, CVPR 2023).

    Its share of the image is uniform in ``area``; height / width is uniform in ``[aspect, 1 / aspect]``, as far as a
    box of that area fits into the image.

    Raises:
        ValueError: if ``area`` is no range within (0, 1], or ``aspect`` lies outside (0, 1].

    >>> draw_shaped_boxes(1, (8, 8), area=(0.25, 0.25), aspect=1.0)[0, 2:].tolist()
    [4, 4]
    """
    height, width = size
    if not 0 < area[0] <= area[1] <= 1 or not 0 < aspect <= 1:
        raise ValueError(f"area must be a range (low, high) in (0, 1] and aspect lie there, got {area} and {aspect}")
    uniform = torch.rand(2, batch, generator=generator, device=device, dtype=torch.float64)
    pixels = (area[0] + (area[1] - area[0]) * uniform[0]) * height * width
    # Flatter boxes would be wider than the image, and steeper ones higher.
    flattest = (pixels / width**2).clamp(min=aspect)
    steepest = torch.maximum((height**2 / pixels).clamp(max=1 / aspect), flattest)
    ratio = flattest + (steepest - flattest) * uniform[1]
    return _place((pixels * ratio).sqrt(), (pixels / ratio).sqrt(), size, generator)


def draw_box_sets(
    batch: int,
    size: tuple[int, int],
    count: int = 3,
    area: tuple[float, float] = (0.25, 0.5),
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Int[Tensor, "b {count} 4"]:
    """``count`` boxes per image that cover together a share of it uniform in ``area``, overlaps counted twice (CPS).

    Each has the same area; height / width is log-uniform, at a uniform position inside the image.

    Raises:
        ValueError: if ``area`` is no range within (0, 1], or ``count`` is not positive.

    >>> draw_box_sets(1, (8, 8), count=1, area=(1.0, 1.0)).tolist()
    [[[0, 0, 8, 8]]]
    """
    if not 0 < area[0] <= area[1] <= 1 or count < 1:
        raise ValueError(f"area must be a range (low, high) in (0, 1] and count positive, got {area} and {count}")
    share = area[0] + (area[1] - area[0]) * torch.rand(batch, 1, generator=generator, device=device)
    exponent = torch.rand(batch, count, generator=generator, device=device)
    # A box is share^exponent high and share^(1 - exponent) wide, in images, before its size is divided by the count.
    height = share**exponent * size[0] / math.sqrt(count)
    width = share ** (1 - exponent) * size[1] / math.sqrt(count)
    return _place(height, width, size, generator)


def _place(
    height: Float[Tensor, "*b"], width: Float[Tensor, "*b"], size: tuple[int, int], generator: torch.Generator | None
) -> Int[Tensor, "*b 4"]:
    """Boxes of these sizes, in whole pixels, at uniform positions inside the image."""
    rows, columns = height.round().long().clamp(1, size[0]), width.round().long().clamp(1, size[1])
    top, left = draw_below(size[0] - rows + 1, generator), draw_below(size[1] - columns + 1, generator)
    return torch.stack([top, left, rows, columns], dim=-1)


def box_mask(boxes: Int[Tensor, "b 4"], size: tuple[int, int]) -> Bool[Tensor, "b H W"]:
    """True inside each box.

    >>> box_mask(torch.tensor([[0, 1, 1, 2]]), (2, 3)).long().tolist()
    [[[0, 1, 1], [0, 0, 0]]]
    """
    top, left, height, width = (rearrange(edge, "b -> b 1 1") for edge in boxes.unbind(dim=1))
    rows = torch.arange(size[0], device=boxes.device)[None, :, None]
    columns = torch.arange(size[1], device=boxes.device)[None, None, :]
    return (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)


def box_set_mask(boxes: Int[Tensor, "b n 4"], size: tuple[int, int]) -> Bool[Tensor, "b H W"]:
    """True where an odd number of the image's boxes lie over each other: each box flips what it covers (CPS).

    >>> box_set_mask(torch.tensor([[[0, 0, 1, 2], [0, 1, 1, 2]]]), (1, 4)).long().tolist()
    [[[1, 0, 1, 0]]]
    """
    covering = rearrange(box_mask(boxes.flatten(0, 1), size), "(b n) h w -> b n h w", n=boxes.shape[1])
    return covering.sum(dim=1) % 2 == 1


def draw_classmix_mask(
    labels: Int[Tensor, "b H W"], num_classes: int, generator: torch.Generator | None = None
) -> Bool[Tensor, "b H W"]:
    """True on the pixels of a random half (rounded up) of the classes that each image shows.

    Ignored pixels are never chosen. The mask lies on the image the pixels are taken *from*.

    >>> draw_classmix_mask(torch.tensor([[[3, 255]]]), num_classes=4).tolist()
    [[[True, False]]]
    """
    valid = is_class(labels, num_classes)
    index = torch.where(valid, labels, num_classes)
    present = torch.zeros(len(labels), num_classes + 1, dtype=torch.bool, device=labels.device)
    present = present.scatter(1, index.flatten(1), True)[:, :num_classes]
    # A random half of the present classes: those whose random score ranks lowest, absent classes ranking last.
    score = torch.rand(present.shape, generator=generator, device=labels.device).masked_fill(~present, 2.0)
    rank = score.argsort(dim=1).argsort(dim=1)
    chosen = present & (rank < (present.sum(dim=1, keepdim=True) + 1) // 2)
    chosen = torch.cat([chosen, torch.zeros_like(chosen[:, :1])], dim=1)
    return chosen.gather(1, index.flatten(1)).reshape(labels.shape)


def paste(view: View, other: View, mask: Bool[Tensor, "b H W"]) -> View:
    """Fill the masked pixels of every image from the image of the same number in ``other``.

    >>> labels = torch.tensor([[[[1, 1]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    >>> paste(view, view._replace(labels=labels + 1), torch.tensor([[[True, False]]])).labels.flatten().tolist()
    [2, 1]
    """

    def filled(own: Tensor, given: Tensor) -> Tensor:
        return torch.where(mask if own.ndim == mask.ndim else mask[:, None], given, own)

    return View(*(filled(own, given) for own, given in zip(view, other, strict=True)))


def next_of(view: View) -> View:
    """For every image the next one of the batch, for the last one the first.

    >>> labels = torch.tensor([[[[1]]], [[[2]]]])
    >>> next_of(View(labels.float(), labels, labels.float(), labels[:, 0] > 0)).labels.flatten().tolist()
    [2, 1]
    """
    return View(*(field.roll(-1, dims=0) for field in view))


def receive_classes(
    view: View,
    giving: View,
    num_classes: int,
    ignore_index: int = 255,
    generator: torch.Generator | None = None,
) -> View:
    """Fill every image with a random half of the classes of an image of ``giving``, in their outlines (ClassMix).

    Image i receives from image i of these, which start anew after their last. The classes are those of the first label
    map; ``ignore_index``, which may be one of them, is never given.

    >>> labels = torch.tensor([[[[1, 1]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    >>> other = view._replace(labels=torch.tensor([[[[2, 255]]]]))
    >>> receive_classes(view, other, num_classes=3).labels.flatten().tolist()
    [2, 1]
    """
    index = torch.arange(len(view.image), device=view.image.device) % len(giving.image)
    giving = View(*(field[index] for field in giving))
    labels = giving.labels[:, 0].masked_fill(giving.labels[:, 0] == ignore_index, num_classes)
    return paste(view, giving, draw_classmix_mask(labels, num_classes, generator))


def replace_some(view: View, other: View, share: float, generator: torch.Generator | None = None) -> View:
    """Each image of ``view``, with probability ``share`` replaced by the image of the same number in ``other``.

    >>> labels = torch.tensor([[[[1, 1]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    >>> replace_some(view, view._replace(labels=labels + 1), share=1.0).labels.flatten().tolist()
    [2, 2]
    """
    replaced = torch.rand(len(view.image), generator=generator, device=view.image.device) < share
    return paste(view, other, replaced[:, None, None].expand_as(view.valid))


def paste_next(view: View, mask: Bool[Tensor, "b H W"]) -> View:
    """Fill the masked pixels of every image from the next image of the batch, the last one's from the first.

    >>> labels = torch.tensor([[[[1, 1]]], [[[2, 2]]]])
    >>> view = View(labels.float(), labels, torch.ones(2, 1, 1, 2), torch.ones(2, 1, 2, dtype=torch.bool))
    >>> paste_next(view, torch.tensor([[[True, False]], [[False, False]]])).labels.flatten().tolist()
    [2, 1, 2, 2]
    """
    return paste(view, next_of(view), mask)


def paste_opposite(view: View, mask: Bool[Tensor, "b H W"]) -> View:
    """Fill the masked pixels of image i of b from image b - 1 - i (UniMatch V2); one in the middle keeps its own.

    >>> labels = torch.tensor([[[[1, 1]]], [[[2, 2]]]])
    >>> view = View(labels.float(), labels, torch.ones(2, 1, 1, 2), torch.ones(2, 1, 2, dtype=torch.bool))
    >>> paste_opposite(view, torch.tensor([[[True, False]], [[False, False]]])).labels.flatten().tolist()
    [2, 1, 2, 2]
    """
    return paste(view, View(*(field.flip(0) for field in view)), mask)


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
