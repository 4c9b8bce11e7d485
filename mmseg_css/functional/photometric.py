"""Strong photometric change of a batch: parameters are drawn first, per image, then applied by kornia's functions."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from kornia.color import rgb_to_grayscale
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
)
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from mmseg_css.functional.sampling import host_generator


class ColorJitter(NamedTuple):
    """Factors per image (1 leaves brightness, contrast and saturation as they are; hue is in turns, 0 leaves it)."""

    apply: Bool[Tensor, " b"]
    brightness: Float[Tensor, " b"]
    contrast: Float[Tensor, " b"]
    saturation: Float[Tensor, " b"]
    hue: Float[Tensor, " b"]
    order: tuple[int, ...]


class Blur(NamedTuple):
    """Standard deviation of the Gaussian per image, in pixels."""

    apply: Bool[Tensor, " b"]
    sigma: Float[Tensor, " b"]


def draw_color_jitter(
    batch: int,
    strength: float = 0.25,
    hue: float = 0.25,
    probability: float = 0.8,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> ColorJitter:
    """Brightness, contrast and saturation uniform in 1 +- ``strength``, hue in +- ``hue`` turns, in a random order.

    The order is one for the whole batch (the published code draws one per image): that keeps the four changes batched.

    Raises:
        ValueError: if ``strength`` lies outside [0, 1] or ``hue`` outside [0, 0.5].

    >>> draw_color_jitter(2, strength=0.0, probability=1.0).brightness
    tensor([1., 1.])
    """
    if not 0 <= strength <= 1 or not 0 <= hue <= 0.5:
        raise ValueError(f"strength must lie in [0, 1] and hue in [0, 0.5], got {strength} and {hue}")
    applied = torch.rand(batch, generator=generator, device=device) < probability
    symmetric = 2 * torch.rand(4, batch, generator=generator, device=device) - 1
    brightness, contrast, saturation = 1 + strength * symmetric[:3]
    order = torch.rand(4, generator=host_generator(generator), device="cpu").argsort().tolist()
    return ColorJitter(applied, brightness, contrast, saturation, hue * symmetric[3], tuple(order))


def apply_color_jitter(image: Float[Tensor, "b c H W"], params: ColorJitter) -> Float[Tensor, "b c H W"]:
    """Change RGB images with values in [0, 1]; grey and multi-channel images keep what only colour has.

    Saturation and hue exist for three channels only, so that images with another number get brightness and contrast.

    >>> grey = torch.full((1, 3, 1, 1), 0.5)
    >>> jitter = draw_color_jitter(1, strength=0.0, hue=0.0, probability=1.0)
    >>> torch.allclose(apply_color_jitter(grey, jitter), grey)
    True
    """
    changes = [
        lambda x: adjust_brightness_accumulative(x, params.brightness),
        lambda x: _adjust_contrast(x, params.contrast),
        lambda x: adjust_saturation_with_gray_subtraction(x, params.saturation),
        # kornia measures hue in radians.
        lambda x: adjust_hue(x, params.hue * 2 * torch.pi),
    ]
    changed = image
    for index in params.order:
        if index < 2 or image.shape[1] == 3:
            changed = changes[index](changed).clamp(0, 1)
    return torch.where(params.apply[:, None, None, None], changed, image)


def _adjust_contrast(image: Float[Tensor, "b c H W"], factor: Float[Tensor, " b"]) -> Float[Tensor, "b c H W"]:
    """Away from the mean brightness of each image, or towards it."""
    if image.shape[1] == 3:
        return adjust_contrast_with_mean_subtraction(image, factor)
    # Of other images kornia 0.8 takes one mean for the whole batch.
    factor = factor.to(image.dtype)[:, None, None, None]
    return image * factor + image.mean(dim=(1, 2, 3), keepdim=True) * (1 - factor)


def draw_grey(
    batch: int,
    probability: float = 0.2,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Bool[Tensor, " b"]:
    """Which images lose their colour.

    >>> draw_grey(2, probability=1.0)
    tensor([True, True])
    """
    return torch.rand(batch, generator=generator, device=device) < probability


def apply_grey(image: Float[Tensor, "b c H W"], apply: Bool[Tensor, " b"]) -> Float[Tensor, "b c H W"]:
    """The chosen RGB images in grey, as 0.299 R + 0.587 G + 0.114 B; images of another number of channels stay.

    >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    >>> apply_grey(red, torch.tensor([True])).flatten()
    tensor([0.2990, 0.2990, 0.2990])
    """
    if image.shape[1] != 3:
        return image
    return torch.where(apply[:, None, None, None], rgb_to_grayscale(image), image)


def draw_blur(
    batch: int,
    sigma: tuple[float, float] = (0.15, 1.15),
    probability: float = 0.5,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Blur:
    """Sigma uniform in the given range, for a share of the images.

    >>> draw_blur(1, sigma=(0.5, 0.5)).sigma
    tensor([0.5000])
    """
    applied = torch.rand(batch, generator=generator, device=device) < probability
    return Blur(applied, sigma[0] + (sigma[1] - sigma[0]) * torch.rand(batch, generator=generator, device=device))


def blur_taps(sigma: float) -> int:
    """Width in pixels of a kernel that holds a Gaussian to 3.5 sigma on both sides.

    >>> blur_taps(1.15), blur_taps(2.0)
    (9, 15)
    """
    return 2 * int(3.5 * sigma) + 1


def apply_blur(image: Float[Tensor, "b c H W"], params: Blur, taps: int = 9) -> Float[Tensor, "b c H W"]:
    """Gaussian blur, each image with its own sigma; ``taps`` pixels wide, as `blur_taps` has it of the strongest.

    >>> flat = torch.full((1, 3, 8, 8), 0.5)
    >>> torch.allclose(apply_blur(flat, draw_blur(1, probability=1.0)), flat)
    True
    """
    # Reflection needs more pixels than it mirrors.
    taps = min(taps, 2 * ((min(image.shape[2:]) + 1) // 2) - 1)
    # Not gaussian_blur2d, which reads the sigmas to check them and makes a GPU wait.
    kernel = get_gaussian_kernel1d(taps, params.sigma.to(image.dtype)[:, None])
    blurred = filter2d_separable(image, kernel, kernel)
    return torch.where(params.apply[:, None, None, None], blurred, image)
