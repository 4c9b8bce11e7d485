"""What is odd in the split into images for training and for validation and no error, in words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from mmseg_css.preparation.own_data.configs import Plan
from mmseg_css.preparation.own_data.folders import without_ending
from mmseg_css.preparation.own_data.split import Split, given_split
from mmseg_css.preparation.own_data.survey import Survey
from mmseg_css.wording import count, some

FEW_VALIDATION_IMAGES: Final = 10
IMAGES_OF_A_SERIES: Final = 4  # on average, or names do not tell series


def about_split(found: Survey, plan: Plan) -> Iterator[str]:
    """What the user should know, the gravest first."""
    train, val = plan.split
    if train == val:
        yield (
            "There is one labelled image, and it is used for training and validation alike: the validation then says "
            "nothing about other images. Label a second one."
        )
        return
    shown = {part: _classes_in(found, plan, names) for part, names in (("training", train), ("validation", val))}
    for part, other in (("training", "validation"), ("validation", "training")):
        if missing := sorted(shown[other] - shown[part]):
            yield f"No {part} image shows {some([plan.coding.classes[index] for index in missing])}."
    given = given_split(found.masks) is not None
    yield from _about_lists_of_before(plan, given)
    if divided := _divided_series(plan.split):
        yield (
            f"Images of {len(divided)} series ({some(divided)}) are both for training and for validation. If "
            "these are frames of videos, or copies of one picture, figures will be too good: divide them by hand, "
            "whole series at a time, in train.txt and val.txt, which another call keeps."
        )
    if given:
        yield "The folders for training and validation are taken as they are; so --val and --seed would say nothing."
    if len(val) < FEW_VALIDATION_IMAGES:
        remedy = "Label more" if given else "Look at several splits (--seed), or label more"
        yield f"Only {count(val, 'image')} for validation: differences of some per cent in mIoU mean little. {remedy}."


def _divided_series(parts: Split) -> list[str]:
    """Series of images, by what their names begin with, that are in both parts.

    Names that differ in a number at their end are a series where there are several, much fewer than images: of a
    single one nobody can tell whether it is a video. Copies of one picture are named as Roboflow names them.
    """
    series = {name: _series_of(name) for name in (*parts.train, *parts.val)}
    copies = {start for start, times in Counter(series.values()).items() if ".rf." in start and times > 1}
    # A year or a folder says little.
    numbered = {start for start in series.values() if ".rf." not in start and re.search(r"[^\W\d_][^/]*$", start)}
    videos = numbered if 1 < len(numbered) <= len(series) / IMAGES_OF_A_SERIES else set()
    shared = {series[name] for name in parts.train} & {series[name] for name in parts.val}
    return sorted(shared & (copies | videos))


def _series_of(name: str) -> str:
    stem = without_ending(name)
    copied = re.fullmatch(r"(.+\.rf\.)\w+", stem)
    return copied[1] if copied else re.sub(r"\d+$", "", stem)


def _about_lists_of_before(plan: Plan, given: bool) -> Iterator[str]:
    if plan.before is None:
        return
    if seen := sorted({*plan.split.val} & {*plan.before.train}):
        yield (
            f"{count(seen, 'image')} for validation ({some(seen)}) stood in the train.txt that was there: test no "
            "checkpoint of before with these configs, which has learnt them. Figures of before were of other images, "
            "too."
        )
    elif given:
        return
    elif joined := sorted({*plan.split.val} - {*plan.before.val}):
        yield (
            f"{count(joined, 'image')} ({some(joined)}) joined the validation images of before, which stay: to "
            "compare with checkpoints of before, test these again."
        )
    else:
        yield "The lists that were there decide what validates: --val is of new images alone, --seed draws all anew."


def _classes_in(found: Survey, plan: Plan, names: Iterable[str]) -> set[int]:
    return set().union(*(plan.coding.classes_of(found.masks[name]) for name in names))
