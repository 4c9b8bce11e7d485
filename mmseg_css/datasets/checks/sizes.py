"""Sizes: what is cut out and what it is padded to, and which images can be one batch."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import RandomCrop
from PIL import Image

from mmseg_css.datasets.checks.paths import infos_of, leaves
from mmseg_css.datasets.checks.pipelines import transforms_in
from mmseg_css.datasets.checks.warning import warn

SIZING: Final = ("RandomCrop", "CenterCrop", "Resize", "RandomResize", "RandomScale", "RandomChoiceResize", "Pad")


def check_crops(datasets: Sequence[BaseDataset], padded: tuple[int, int] | None) -> None:
    """Warn of training images that are cut to another size than the one that the data preprocessor pads them to.

    Args:
        datasets: What is trained on.
        padded: Height and width of the data preprocessor's ``size``, if it has one.
    """
    last = [_last_of(leaf) for leaf in leaves(list(datasets))]
    cut = [tuple(step.crop_size) for step in last if isinstance(step, RandomCrop)]
    if padded is not None and (others := [size for size in cut if size != tuple(padded)]):
        warn(
            f"RandomCrop cuts {_named(others[0])} out of training images, and model.data_preprocessor.size is "
            f"{_named(padded)} (height x width): smaller crops are padded to it, at the cost of a whole one, larger "
            "ones are not cut to it. Set both to one size, for labelled and unlabelled images"
        )


def _last_of(leaf: BaseDataset) -> Any:
    """The last step of a pipeline that decides on the size."""
    steps = [step for step in transforms_in(getattr(leaf, "pipeline", None)) if type(step).__name__ in SIZING]
    return steps[-1] if steps else None


def check_stackable(dataset: Any, batch_size: int | None, name: str) -> None:
    """Check that images that are evaluated together have one size, as MMSegmentation demands.

    Args:
        dataset: What is evaluated.
        batch_size: How many images at a time.
        name: What the data set is called.

    Raises:
        ValueError: Several at a time, and they have different sizes behind the pipeline.
    """
    if batch_size in (None, 1):
        return
    shapes: dict[tuple[int, ...], str] = {}
    for leaf in leaves(dataset):
        for path, index in _one_of_each_size(leaf).items():
            images = leaf[index]["inputs"]
            first = images[0] if isinstance(images, list) else images  # of several views of it, at test time
            shapes.setdefault(tuple(first.shape[1:]), path)
    if len(shapes) > 1:
        (first, one), (second, other), *_ = shapes.items()
        raise ValueError(
            f"images of the {name} cannot be evaluated {batch_size} at a time: {one!r} is {_named(first)} behind the "
            f"pipeline and {other!r} {_named(second)} (height x width). Set batch_size=1 in that dataloader"
        )


def _one_of_each_size(leaf: Any) -> dict[str, int]:
    """Images of different sizes, and where they stand in their data set."""
    found: dict[tuple[int, int], tuple[str, int]] = {}
    for index, info in enumerate(infos_of(leaf) if isinstance(leaf, BaseDataset) else ()):
        path = info.get("img_path", "")
        with suppress(OSError), Image.open(path) as image:  # not all are files that Pillow knows
            found.setdefault(image.size, (path, index))
    return dict(found.values())


def _named(size: Sequence[int]) -> str:
    return "x".join(map(str, size))
