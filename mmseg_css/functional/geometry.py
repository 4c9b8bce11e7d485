"""Random scale, crop and flip of a batch, each image with its own parameters, in one resampling.

Letters: b batch, H W pixels of the input, h w pixels of the crop.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.types import View


class ScaleCrop(NamedTuple):
    """Scale factor of every image, and where its crop starts in the *scaled* image (pixels)."""

    scale: Float[Tensor, " b"]
    top: Int[Tensor, " b"]
    left: Int[Tensor, " b"]


def draw_scale_crop(
    batch: int,
    size: tuple[int, int],
    crop: tuple[int, int],
    scale: tuple[float, float],
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> ScaleCrop:
    """Scale uniform in ``scale``, crop position uniform among those inside the scaled image (0 where it is smaller).

    Raises:
        ValueError: if the scale range is empty or not positive.

    >>> params = draw_scale_crop(1, size=(8, 8), crop=(4, 4), scale=(0.5, 0.5))
    >>> params.scale.item(), params.top.item(), params.left.item()
    (0.5, 0, 0)
    """
    lowest, highest = scale
    if not 0 < lowest <= highest:
        raise ValueError(f"scale must be a range (low, high) with 0 < low <= high, got {scale}")
    uniform = torch.rand(3, batch, generator=generator, device=device, dtype=torch.float64)
    factor = (lowest + (highest - lowest) * uniform[0]).float()
    spare_rows = (_scaled(size[0], factor) - crop[0]).clamp(min=0)
    spare_columns = (_scaled(size[1], factor) - crop[1]).clamp(min=0)
    top = torch.minimum((uniform[1] * (spare_rows + 1)).long(), spare_rows)
    left = torch.minimum((uniform[2] * (spare_columns + 1)).long(), spare_columns)
    return ScaleCrop(factor, top, left)


def _scaled(length: int, scale: Float[Tensor, " b"]) -> Int[Tensor, " b"]:
    return (length * scale).round().long().clamp(min=1)


def apply_scale_crop(view: View, params: ScaleCrop, crop: tuple[int, int], ignore_index: int = 255) -> View:
    """Scale every image, pad it right and bottom up to the crop, and cut the crop out.

    Image: bilinear, padded by reflection. Labels, confidences, validity: nearest, padded with ignore / 0 / False.
    Done as one gather of source coordinates, so every pixel is resampled once. Deviation: the published code resizes
    through an image library whose bilinear filter is wider when shrinking; here it is the plain one.

    >>> labels = torch.tensor([[[[1, 2], [3, 4]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 2, 2), torch.ones(1, 2, 2, dtype=torch.bool))
    >>> params = ScaleCrop(torch.ones(1), torch.tensor([0]), torch.tensor([1]))
    >>> apply_scale_crop(view, params, crop=(2, 2)).labels.tolist()
    [[[[2, 255], [4, 255]]]]
    """
    size = (view.image.shape[2], view.image.shape[3])
    rows, inside_rows = _source_coordinates(size[0], params.scale, params.top, crop[0])
    columns, inside_columns = _source_coordinates(size[1], params.scale, params.left, crop[1])
    inside = inside_rows[:, :, None] & inside_columns[:, None, :]

    # grid_sample wants (x, y) in [-1, 1], with -1 and 1 on the outer borders of the image.
    x = (2 * columns + 1) / size[1] - 1
    y = (2 * rows + 1) / size[0] - 1
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1).to(view.image.dtype)
    image = F.grid_sample(view.image, grid, mode="bilinear", padding_mode="border", align_corners=False)

    nearest_rows = rows.round().long().clamp(0, size[0] - 1)
    nearest_columns = columns.round().long().clamp(0, size[1] - 1)
    nearest = rearrange(nearest_rows * size[1], "b h -> b h 1") + rearrange(nearest_columns, "b w -> b 1 w")

    def pick(maps: Tensor, padding: float) -> Tensor:
        picked = maps.flatten(2).gather(2, nearest.flatten(1)[:, None].expand(-1, maps.shape[1], -1))
        return picked.reshape(*maps.shape[:2], *crop).masked_fill(~inside[:, None], padding)

    return View(
        image, pick(view.labels, ignore_index), pick(view.confidences, 0.0), pick(view.valid[:, None], False)[:, 0]
    )


def _source_coordinates(
    length: int, scale: Float[Tensor, " b"], start: Int[Tensor, " b"], crop: int
) -> tuple[Float[Tensor, "b crop"], Bool[Tensor, "b crop"]]:
    """Where each pixel of the crop comes from along one axis, and whether it lies inside the scaled image."""
    scaled = _scaled(length, scale)[:, None]
    position = start[:, None] + torch.arange(crop, device=start.device)
    # Reflection about the last pixel (the border is not repeated), folded as often as the crop needs.
    period = (2 * (scaled - 1)).clamp(min=1)
    folded = position % period
    folded = torch.minimum(folded, period - folded).clamp(max=scaled - 1)
    return (folded.double() + 0.5) * (length / scaled.double()) - 0.5, position < scaled


def draw_flip(
    batch: int,
    probability: float = 0.5,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Bool[Tensor, " b"]:
    """Which images are mirrored.

    >>> draw_flip(2, probability=1.0)
    tensor([True, True])
    """
    return torch.rand(batch, generator=generator, device=device) < probability


def apply_flip(view: View, flip: Bool[Tensor, " b"]) -> View:
    """Mirror the chosen images left to right, with all that moves with their pixels.

    >>> labels = torch.tensor([[[[1, 2]]]])
    >>> view = View(labels.float(), labels, torch.ones(1, 1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    >>> apply_flip(view, torch.tensor([True])).labels.tolist()
    [[[[2, 1]]]]
    """

    def mirror(own: Tensor) -> Tensor:
        return torch.where(flip.reshape(-1, *[1] * (own.ndim - 1)), own.flip(-1), own)

    return View(*(mirror(field) for field in view))
