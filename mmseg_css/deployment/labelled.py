"""What the masks of a training say of its classes."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Int
from mmengine.dataset import BaseDataset
from torch import Tensor

from mmseg_css.datasets.checks import infos_of, leaves
from mmseg_css.preparation.splits.statistics import histograms


def labelled_pixels(dataset: Any) -> Int[Tensor, " k"]:
    """Pixels of each class in the masks of a data set; those of repeated images count as often as these are drawn.

    Raises:
        FileNotFoundError: A mask is missing.
        ValueError: A mask cannot be read or is in colour.
    """
    infos: list[dict] = []
    weights, ignored = [], getattr(next(leaves(dataset)), "ignore_index", 255)
    for leaf, weight in _weighted(dataset):
        infos += infos_of(leaf)
        weights += [weight] * len(leaf)
    counts = sum(weight * torch.as_tensor(one) for weight, one in zip(weights, histograms(infos, ignored), strict=True))
    return torch.as_tensor(counts)[: len(dataset.metainfo["classes"])]


def _weighted(dataset: Any, weight: int = 1) -> Iterator[tuple[BaseDataset, int]]:
    """The data sets that read files, and how often each of their images comes in one round."""
    inner = getattr(dataset, "dataset", None)
    children = getattr(dataset, "datasets", None) or ([inner] if inner else [])
    if not children:
        yield dataset, weight
    for child in children:
        repeats = len(dataset) // len(inner) if inner else 1
        yield from _weighted(child, weight * max(1, repeats))


def check_classes(names: tuple[str, ...], own: tuple[str, ...], checkpoint: str, config: str) -> None:
    """Check that a network and the labelled images have the same classes; some checkpoints do not name theirs.

    Args:
        names: Of the checkpoint.
        own: Of the labelled images.
        checkpoint, config: What they are called in the message.

    Raises:
        ValueError: They have not.
    """
    unnamed = names == tuple(f"class_{index}" for index in range(len(names)))
    if len(names) != len(own):
        other = f"it has {len(names)}, and the labelled images {len(own)}"
    elif names != own and not unnamed:
        index = next(index for index, pair in enumerate(zip(names, own, strict=True)) if pair[0] != pair[1])
        other = f"class {index} is {names[index]!r} there and {own[index]!r} here"
    else:
        return
    raise ValueError(
        f"{checkpoint} was trained with other classes than {config} has: {other}. Take the config that it "
        "was trained with (it lies in its work dir)"
    )
