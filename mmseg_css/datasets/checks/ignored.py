"""The label of pixels that take no part: one value, wherever labels are read, made, padded or counted."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmseg_css.datasets.checks.paths import leaves
from mmseg_css.datasets.checks.pipelines import transforms_in


def check_ignored_value(value: int, place: str, others: Mapping[str, int]) -> None:
    """Check that all places ignore the same label, and pad with it.

    With another one, padding is learnt as a class, or is none that the loss knows: an ``IndexError``, and on a GPU an
    assertion that says nothing.

    Args:
        value: ``ignore_index`` of the head.
        place: Where that stands in the config.
        others: The values of all other places.

    Raises:
        ValueError: They differ.
    """
    different = [f"{name}={other}" for name, other in others.items() if other != value]
    if different:
        raise ValueError(
            f"{place}={value}, but {', '.join(different)}: pixels that are to be ignored would be learnt, counted, or "
            f"be no label at all. Set all of them to {value}"
        )


def ignored_values(dataset: Any, name: str) -> Iterator[tuple[str, int]]:
    """What the data sets below ``dataset`` and their transforms ignore or pad masks with, by its place."""
    for leaf in leaves(dataset):
        if not hasattr(leaf, "ignore_index"):
            continue
        yield f"ignore_index of the {name} ({type(leaf).__name__})", leaf.ignore_index
        for transform in transforms_in(leaf.pipeline):
            where = f"of {type(transform).__name__} in the pipeline of the {name}"
            # RandomCrop looks at labels only to tell whether one class fills the crop.
            if hasattr(transform, "ignore_index") and getattr(transform, "cat_max_ratio", 0) < 1:
                yield f"ignore_index {where}", transform.ignore_index
            if hasattr(transform, "seg_pad_val"):
                yield f"seg_pad_val {where}", transform.seg_pad_val
            padding = getattr(transform, "pad_val", None)
            if isinstance(padding, Mapping) and "seg" in padding:
                yield f"pad_val['seg'] {where}", padding["seg"]
