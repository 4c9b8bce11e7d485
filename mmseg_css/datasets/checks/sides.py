"""Classes of the left and of the right, which a mirrored image shows exchanged."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mmcv.transforms import RandomFlip
from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import RandomRotFlip

from mmseg_css.datasets.checks.pipelines import transforms_in
from mmseg_css.datasets.checks.warning import warn

WORD: Final = re.compile(r"[^\W\d_]+|\d+")
HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=\b[LR])(?=[A-Z][a-z])")
SIDES: Final = {"left": "left", "right": "right", "l": "left", "r": "right"}


class Named(NamedTuple):
    """A class's name: which side it speaks of, if of one, and its other words, with a gap where the side stands."""

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
    # A letter is a side beside other words, and not beside numbers, as in the names of parts.
    letter = bool(places) and len(words[places[0]]) == 1
    if len(places) != 1 or (letter and not any(word.isalpha() and len(word) > 1 for word in words)):
        return Named(None, tuple(words))
    words[places[0]], side = "", SIDES[words[places[0]]]
    return Named(side, tuple(words))


def check_sides(leaf: BaseDataset) -> None:
    """Warn of labelled images that are mirrored although classes speak of left and right: these are then mixed up."""
    classes = leaf.metainfo.get("classes") or ()
    pairs = mirrored(classes)
    flips = [step for step in transforms_in(leaf.pipeline) if isinstance(step, RandomFlip | RandomRotFlip)]
    wrong = {pair for step in flips for pair in _mixed_up(step, pairs)}
    if wrong:
        names = ", ".join(f"{classes[left]} and {classes[right]}" for left, right in sorted(wrong))
        warn(
            f"images of {type(leaf).__name__} are mirrored at random, and what lies left in them is then labelled as "
            f"if it lay right, or the reverse: {names}. Take {type(flips[0]).__name__} out; or, where one side looks "
            "like the other's mirror image, as of people and cars, exchange them: dict(type='RandomFlip', ..., "
            f"swap_seg_labels={[list(pair) for pair in pairs]})"
        )


def _mixed_up(step: Any, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs of classes that a transform leaves wrong where it mirrors."""
    if isinstance(step, RandomRotFlip):
        return pairs if step.flip_prob else []
    direction = step.direction if isinstance(step.direction, list) else [step.direction]
    chance = step.prob if isinstance(step.prob, list) else [step.prob] * len(direction)
    # A diagonal flip is a half turn, which shows nothing as in a mirror.
    mirrors = any(way != "diagonal" and share for way, share in zip(direction, chance, strict=True))
    exchanged = {frozenset(pair) for pair in step.swap_seg_labels or ()}
    return [pair for pair in pairs if frozenset(pair) not in exchanged] if mirrors else []


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
