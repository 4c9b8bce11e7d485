"""Small random inputs, and the bridge between tensors and the reference's arrays."""

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from mmseg_css.types import View
from tests.reference.geometry import ArrayView

SEEDS = st.integers(min_value=0, max_value=2**31 - 1)
SIDES = st.integers(min_value=2, max_value=5)
TEMPERATURES = st.sampled_from([0.1, 0.5, 2.0])
IGNORE = 255


def generator(seed: int) -> torch.Generator:
    """A CPU generator of its own."""
    return torch.Generator().manual_seed(seed)


def normal(seed: int, *shape: int) -> Tensor:
    """Normally distributed float64 values."""
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def uniform(seed: int, *shape: int) -> Tensor:
    """Uniform float64 values in [0, 1)."""
    return torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


def bits(seed: int, *shape: int, probability: float = 0.5) -> Tensor:
    """True with this probability."""
    return uniform(seed, *shape) < probability


def class_map(seed: int, *shape: int, num_classes: int, ignored: float = 0.2, ignore_index: int = 255) -> Tensor:
    """Random classes, a share of them ignored."""
    labels = torch.randint(num_classes, shape, generator=generator(seed))
    return labels.masked_fill(bits(seed + 1, *shape, probability=ignored), ignore_index)


def random_view(seed: int, batch: int, size: tuple[int, int], maps: int = 2, channels: int = 3) -> View:
    """A view in which every value says where it came from."""
    return View(
        image=uniform(seed, batch, channels, *size),
        labels=class_map(seed, batch, maps, *size, num_classes=5),
        confidences=uniform(seed + 2, batch, maps, *size),
        valid=bits(seed + 3, batch, *size, probability=0.8),
    )


def arrays(view: View) -> ArrayView:
    """The same view for the reference."""
    return ArrayView(*(np.asarray(field) for field in view))


def close(actual: Any, expected: Any, atol: float = 1e-10) -> None:
    """Equal up to ``atol``, NaN never equal to anything."""
    actual = actual.detach().cpu().numpy() if isinstance(actual, Tensor) else np.asarray(actual)
    np.testing.assert_allclose(actual, np.asarray(expected), rtol=0, atol=atol, equal_nan=False)


def equal(actual: Tensor, expected: Any) -> None:
    """Equal exactly, shape and all."""
    np.testing.assert_array_equal(actual.detach().cpu().numpy(), np.asarray(expected))


def same_view(actual: View, expected: View | ArrayView, atol: float = 0.0) -> None:
    """Field by field; only the image may differ, by ``atol``."""
    close(actual.image, expected.image, atol)
    equal(actual.labels, expected.labels)
    equal(actual.confidences, expected.confidences)
    equal(actual.valid, expected.valid)
