"""Colour jitter and blur (step 7): RGB values in [0, 1], pixel by pixel."""

import colorsys
import math

import numpy as np
from numpy.typing import NDArray

from tests.reference.resample import reflected

Array = NDArray[np.float64]


def clip(value: float) -> float:
    """Into [0, 1]."""
    return min(max(value, 0.0), 1.0)


def gray(pixel: Array) -> float:
    """Luma of an RGB pixel (ITU-R 601)."""
    return float(0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2])


def brightness(image: Array, factor: float) -> Array:
    """Every value times the factor."""
    out = np.zeros_like(image)
    for position in np.ndindex(image.shape):
        out[position] = clip(factor * image[position])
    return out


def contrast(image: Array, factor: float) -> Array:
    """Away from the mean luma of the image: factor * value + (1 - factor) * mean."""
    _, height, width = image.shape
    mean = sum(gray(image[:, i, j]) for i in range(height) for j in range(width)) / (height * width)
    out = np.zeros_like(image)
    for position in np.ndindex(image.shape):
        out[position] = clip(factor * image[position] + (1 - factor) * mean)
    return out


def saturation(image: Array, factor: float) -> Array:
    """Away from the pixel's own luma: factor * value + (1 - factor) * luma."""
    out = np.zeros_like(image)
    for c, i, j in np.ndindex(image.shape):
        out[c, i, j] = clip(factor * image[c, i, j] + (1 - factor) * gray(image[:, i, j]))
    return out


def hue(image: Array, turns: float) -> Array:
    """Around the colour circle, by this share of a full turn."""
    out = np.zeros_like(image)
    for _, i, j in np.ndindex((1, *image.shape[1:])):
        h, s, v = colorsys.rgb_to_hsv(*image[:, i, j].tolist())
        out[:, i, j] = [clip(value) for value in colorsys.hsv_to_rgb((h + turns) % 1.0, s, v)]
    return out


def gaussian_blur(image: Array, sigma: float, taps: int) -> Array:
    """Every pixel the Gaussian mean of its ``taps`` x ``taps`` neighbours, the image reflected at its edges."""
    radius = taps // 2
    weights = [math.exp(-(offset**2) / (2 * sigma**2)) for offset in range(-radius, radius + 1)]
    total = sum(weights)
    channels, height, width = image.shape
    out = np.zeros_like(image)
    for c, i, j in np.ndindex((channels, height, width)):
        for di in range(-radius, radius + 1):
            for dj in range(-radius, radius + 1):
                weight = weights[di + radius] * weights[dj + radius] / total**2
                out[c, i, j] += weight * image[c, reflected(abs(i + di), height), reflected(abs(j + dj), width)]
    return out
