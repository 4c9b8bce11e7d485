"""Classes of the left and of the right, which a mirrored image shows exchanged."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mmcv.transforms import RandomFlip
from mmengine.dataset import BaseDataset

from mmseg_css.datasets.checks.pipelines import transforms_in
from mmseg_css.datasets.checks.warning import warn

WORD: Final = re.compile(r"[^\W\d_]+|\d+")
HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
SIDES: Final = {"left": "left", "right": "right", "l": "left", "r": "right"}


class Named(NamedTuple):
    """A class's name: which side it speaks of, if of one, and its other words."""

    side: str | None
    rest: tuple[str, ...]


def mirrored(classes: Sequence[str]) -> list[tuple[int, int]]:
    """The classes that differ in left and right alone: the index of the left one, and of the right one.

    >>> mirrored(["body", "leftArm", "rightArm", "eye_r", "eye_l"])
    [(1, 2), (4, 3)]
    """
    found = {_named(name): index for index, name in enumerate(classes)}
    pairs = [(index, found.get(Named("right", name.rest))) for name, index in found.items() if name.side == "left"]
    return [(left, right) for left, right in pairs if right is not None]


def _named(name: str) -> Named:
    words = WORD.findall(HUMP.sub(" ", name).casefold())
    places = [place for place, word in enumerate(words) if word in SIDES]
    if len(places) != 1 or (len(words) == 1 and len(words[0]) == 1):  # a letter alone is no side
        return Named(None, tuple(words))
    words[places[0]], side = "", SIDES[words[places[0]]]
    return Named(side, tuple(words))


def check_sides(leaf: BaseDataset) -> None:
    """Warn of labelled images that are mirrored although classes speak of left and right: these are then mixed up."""
    classes = leaf.metainfo.get("classes") or ()
    pairs = mirrored(classes)
    if not pairs:
        return
    for step in transforms_in(leaf.pipeline):
        if isinstance(step, RandomFlip) and _flips(step) and (left := _not_exchanged(pairs, step.swap_seg_labels)):
            names = ", ".join(f"{classes[one]} and {classes[other]}" for one, other in left)
            warn(
                f"images of {type(leaf).__name__} are mirrored at random, and what was left is then labelled as if it "
                f"still were: {names}. Exchange them, dict(type='RandomFlip', ..., swap_seg_labels="
                f"{[list(pair) for pair in pairs]}), or take RandomFlip out"
            )


def check_views(metainfo: Mapping[str, Any], augmentation: Any) -> None:
    """Warn of a strong view that a method mirrors, and whose pseudo-labels stay what they were.

    Args:
        metainfo: Of the labelled images.
        augmentation: The method's, if it has one.
    """
    classes = metainfo.get("classes") or ()
    if getattr(augmentation, "flip_probability", 0) > 0 and (pairs := mirrored(classes)):
        left, right = (classes[index] for index in pairs[0])
        warn(
            f"strong views are mirrored at random, and pixels of {left} are then learnt as {left} where the view shows "
            f"{right}: set model.augmentation.flip_probability=0"
        )


def _flips(step: RandomFlip) -> bool:
    return bool(step.prob) and (not isinstance(step.prob, list) or sum(step.prob) > 0)


def _not_exchanged(pairs: list[tuple[int, int]], swapped: Any) -> list[tuple[int, int]]:
    exchanged = {frozenset(pair) for pair in swapped or ()}
    return [pair for pair in pairs if frozenset(pair) not in exchanged]
