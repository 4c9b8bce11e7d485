"""Which labelled images validate."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np


class Split(NamedTuple):
    """Names of the images, sorted."""

    train: tuple[str, ...]
    val: tuple[str, ...]


#: How the folder of each part may be called.
TRAIN: Final = frozenset({"train", "training"})
VAL: Final = frozenset({"val", "valid", "validation", "validate", "dev"})
TEST: Final = frozenset({"test", "testing"})


def given_split(names: Iterable[str]) -> Split | None:
    """The parts by a folder of every image that is called so, at any depth; None if images lie in no such parts.

    Raises:
        ValueError: Some images lie in folders for training, others in folders for validation or tests, and the rest,
            of which one cannot know what it is for, elsewhere.

    >>> given_split(["train/a.png", "val/site 1/b.png"])
    Split(train=('train/a.png',), val=('val/site 1/b.png',))
    """
    names = sorted(names)
    parts = {name: _part_of(name) for name in names}
    found = {*parts.values()}
    if found == {TRAIN, VAL}:
        return Split(*(tuple(name for name in names if parts[name] is part) for part in (TRAIN, VAL)))
    if TRAIN in found and found & {VAL, TEST}:
        other = next(name for name in names if parts[name] not in (TRAIN, VAL))
        raise ValueError(
            f"some labelled images lie in folders for training, and others ({other!r} is one) neither there nor in "
            "those for validation: they would be trained on or validate by chance. Move what is for neither (test "
            "images, say), with its masks, out of both folders, and the rest into train/ or val/; of train/ alone "
            "validation images are drawn"
        )
    return None


def check_unlabeled(labeled: Iterable[str], unlabeled: Collection[str]) -> None:
    """Check that no image in a folder for validation or tests is unlabelled for want of a mask: it would be trained on.

    Where no image lies in a folder for training, the names of folders say nothing.

    Raises:
        ValueError: There is one.
    """
    if TRAIN not in {*map(_part_of, (*labeled, *unlabeled))}:
        return
    if held_out := [name for name in unlabeled if _part_of(name) in (VAL, TEST)]:
        raise ValueError(
            f"images without a mask, which are trained on as unlabelled ones, lie in folders for validation or tests: "
            f"{len(held_out)}, {min(held_out)!r} for one. Move them out of the folder of the images, or give another "
            "folder of unlabelled images as UNLABELED, beside which they are not used"
        )


def _part_of(name: str) -> frozenset[str] | None:
    folders = [folder.lower() for folder in name.split("/")[:-1]]
    return next((part for folder in folders for part in (TRAIN, VAL, TEST) if folder in part), None)


def split(
    classes_of: Mapping[str, Collection[int]], share: float = 0.2, seed: int = 0, before: Split | None = None
) -> Split:
    """Take ``share`` of the images for validation, at least one, so that as many classes as possible are in both parts.

    Images are drawn at random, for each class in turn, the one in the fewest images first. The only training image
    of a class is never taken, as long as there are others. One image alone is in both parts. Where the images lie in
    folders for training and validation already, nothing is drawn (`given_split`).

    Images of an earlier split stay where they are, and only others are drawn: figures stay comparable, and no image
    validates that a checkpoint may have learnt.

    Args:
        classes_of: The classes that each image holds.
        share: Between 0 and 1.
        seed: Of the draw.
        before: An earlier split, of which an image in both parts was one for training.

    Raises:
        ValueError: ``share`` is not between 0 and 1, or there is no image.

    >>> split({"a": {0}, "b": {0, 1}, "c": {0, 1}}, share=0.3).train[0]
    'a'
    """
    if not 0 < share < 1:
        raise ValueError(f"the share of the validation images must lie between 0 and 1, got {share}")
    if not classes_of:
        raise ValueError("there is no labelled image to split into training and validation")
    if given := given_split(classes_of):
        return given
    if len(classes_of) == 1:
        return Split(tuple(classes_of), tuple(classes_of))
    names = sorted(classes_of)
    kept, free = _kept(names, before or Split((), ()))
    order = [free[index] for index in np.random.default_rng(seed).permutation(len(free))]
    wanted = min(max(1, round(share * len(names))), len(names) - 1)
    val = _draw_validation(classes_of, order, wanted, kept)
    return Split(tuple(name for name in names if name not in val), tuple(sorted(val)))


def _kept(names: Sequence[str], before: Split) -> tuple[set[str], list[str]]:
    """Images that go on validating, and those that may join them: all, where training or validation had none left."""
    kept = {*names} & {*before.val} - {*before.train}
    free = [name for name in names if name not in {*before.train, *kept}]
    if not free and len(kept) in (0, len(names)):
        return set(), list(names)
    return kept, free


def _draw_validation(
    classes_of: Mapping[str, Collection[int]], order: Sequence[str], wanted: int, kept: Collection[str]
) -> set[str]:
    """To those that are kept the first images in ``order`` that training can spare: one of each class, rarest first,
    then any."""
    images = Counter(label for labels in classes_of.values() for label in labels)
    rarest_first = sorted(images, key=lambda label: (images[label], label))
    val = {*kept}
    images.subtract(label for name in kept for label in classes_of[name])

    def take(label: int | None) -> None:
        """The first image that shows ``label``, if training keeps another one of each of its classes."""
        for name in order:
            labels = classes_of[name]
            if name not in val and (label is None or label in labels) and all(images[own] > 1 for own in labels):
                val.add(name)
                images.subtract(labels)
                return

    for label in rarest_first:
        if len(val) < wanted and not any(label in classes_of[name] for name in val):
            take(label)
    for _ in range(wanted - len(val)):
        take(None)
    return val or {order[0]}  # every image may be the only one of some class
