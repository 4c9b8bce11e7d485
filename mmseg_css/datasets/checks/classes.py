"""Classes: the same ones, in the same order, wherever labels and predictions meet."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

import numpy as np

from mmseg_css.datasets.checks.warning import warn

REMEDY: Final = "give both data sets the same type or the same metainfo=dict(classes=..., palette=...)"


def check_same_classes(
    own: Mapping[str, Any], other: Mapping[str, Any], *, name: str, other_name: str = "training set"
) -> None:
    """Check that two data sets mean the same by a label; palettes that differ are a warning.

    Args:
        own: Metainfo of a data set.
        other: Metainfo of the one that the model learns, or has learnt, its classes from.
        name: What the first is called in messages.
        other_name: What the second is called.

    Raises:
        ValueError: Number, order or names of the classes differ, or ``reduce_zero_label`` does.
    """
    pairs = zip_longest(own.get("classes") or (), other.get("classes") or ())
    different = [index for index, (one, two) in enumerate(pairs) if one != two]
    if different and other.get("classes"):
        counts = len(own.get("classes") or ()), len(other["classes"])
        number = f"{counts[0]} classes, the {other_name} {counts[1]}" if counts[0] != counts[1] else "other classes"
        first = different[0]
        names = [(meta.get("classes") or ())[first : first + 1] or (None,) for meta in (own, other)]
        raise ValueError(
            f"the {name} has {number}; the first that differs is class {first}: {names[0][0]!r} in the {name}, "
            f"{names[1][0]!r} in the {other_name}. What is predicted would be counted as something else: {REMEDY}"
        )
    # Old checkpoints do not say.
    zero = [meta.get("reduce_zero_label") for meta in (own, other)]
    if None not in zero and zero[0] != zero[1]:
        raise ValueError(
            f"reduce_zero_label is {zero[0]} in the {name} and {zero[1]} in the {other_name}, so that their labels are "
            "one apart: set it alike in both data sets"
        )
    if other.get("palette") and not np.array_equal(own.get("palette", ()), other["palette"]):
        warn(
            f"the {name} has another palette than the {other_name}, so that pictures of the two show a class in "
            f"different colours; {REMEDY}"
        )


def check_num_classes(outputs: Mapping[str, int], classes: Any, name: str) -> None:
    """Check that a network has an output for each class, and no more.

    Args:
        outputs: ``num_classes`` of the heads that predict, by their place in the config.
        classes: The names of a data set's classes.
        name: What the data set is called.

    Raises:
        ValueError: A number differs, or there is one class only.
    """
    for place, number in outputs.items():
        if number != len(classes):
            raise ValueError(
                f"{place}.num_classes={number}, but the {name} has {len(classes)} classes ({', '.join(classes)}): set "
                f"{place}.num_classes={len(classes)}, or correct the classes of the data set"
            )
    if outputs and len(classes) == 1:
        raise ValueError(
            f"the {name} has the one class {classes[0]!r}, and every pixel would be predicted as that, whatever it "
            f"shows: name what is not {classes[0]!r} as a class, too (classes=('background', {classes[0]!r}), masks of "
            f"0 and 1), and set num_classes=2 in {' and '.join(outputs)}"
        )
