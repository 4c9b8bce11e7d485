"""Dropping whole channels of a network's features: UniMatch's perturbation, and the complementary one of UniMatch V2.

Factors are drawn first, then applied. Letters: b batch, d channels, h w pixels of a level.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def draw_channel_factors(
    batch: int,
    channels: int,
    probability: float = 0.5,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Float[Tensor, "b d"]:
    """0 with the given probability, else what keeps the expectation: 1 / (1 - probability).

    Raises:
        ValueError: if ``probability`` lies outside [0, 1).

    >>> draw_channel_factors(1, 2, probability=0.0)
    tensor([[1., 1.]])
    """
    if not 0 <= probability < 1:
        raise ValueError(f"the probability of dropping a channel must lie in [0, 1), got {probability}")
    kept = torch.rand(batch, channels, generator=generator, device=device) >= probability
    return kept / (1 - probability)


def draw_half(
    batch: int, generator: torch.Generator | None = None, device: torch.device | str | None = None
) -> Bool[Tensor, " b"]:
    """A random half of the images, rounded down.

    >>> draw_half(3).sum().item()
    1
    """
    return torch.rand(batch, generator=generator, device=device).argsort().argsort() < batch // 2


def draw_complementary_factors(
    undisturbed: Bool[Tensor, " b"], channels: int, generator: torch.Generator | None = None
) -> Float[Tensor, "2*b d"]:
    """Factors of two views of the same images, the first views first: m, 0 or 2 with equal chances, and 2 - m.

    1 in both views of an undisturbed image.

    >>> factors = draw_complementary_factors(torch.tensor([False]), channels=8)
    >>> (factors[0] + factors[1]).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    first = draw_channel_factors(len(undisturbed), channels, 0.5, generator, undisturbed.device)
    first = torch.where(undisturbed[:, None], 1.0, first)
    return torch.cat([first, 2 - first])


def drop_channels(
    features: Sequence[Float[Tensor, "b _ _ _"]], probability: float = 0.5, generator: torch.Generator | None = None
) -> list[Float[Tensor, "b _ _ _"]]:
    """Every level of a network's features with channels of its own dropped (UniMatch).

    >>> [level.shape for level in drop_channels([torch.ones(1, 4, 2, 2), torch.ones(1, 8, 1, 1)])]
    [torch.Size([1, 4, 2, 2]), torch.Size([1, 8, 1, 1])]
    """
    batch = len(features[0])
    drawn = [draw_channel_factors(batch, level.shape[1], probability, generator, level.device) for level in features]
    return [level * factors[:, :, None, None].to(level) for level, factors in zip(features, drawn, strict=True)]


def drop_complementary(
    features: Sequence[Float[Tensor, "b2 _ _ _"]], generator: torch.Generator | None = None
) -> list[Float[Tensor, "b2 _ _ _"]]:
    """Features of two views, the first views first, with complementary channels dropped (UniMatch V2).

    All levels share the factors, as in the paper, whose levels have one width; levels of different widths share what
    they can: which images are undisturbed, and the factors of levels of the same width.

    >>> first, second = drop_complementary([torch.ones(4, 8, 1, 1)])[0].chunk(2)
    >>> bool((first + second == 2).all())
    True
    """
    undisturbed = draw_half(len(features[0]) // 2, generator, features[0].device)
    widths = dict.fromkeys(level.shape[1] for level in features)
    drawn = {width: draw_complementary_factors(undisturbed, width, generator) for width in widths}
    return [level * drawn[level.shape[1]][:, :, None, None].to(level) for level in features]
