"""What is odd in the folders and no error, in words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Final

from mmseg_css.datasets.checks import mirrored
from mmseg_css.datasets.checks.depth import TOO_FEW
from mmseg_css.preparation.own_data.coding import RARE, VOID, Coding
from mmseg_css.preparation.own_data.configs import Plan
from mmseg_css.preparation.own_data.folders import without_ending
from mmseg_css.preparation.own_data.images import ImageFacts, levels
from mmseg_css.preparation.own_data.split import Split, given_split
from mmseg_css.preparation.own_data.survey import Survey

FEW_VALIDATION_IMAGES: Final = 10
FAR_LARGER: Final = 2
IMAGES_OF_A_SERIES: Final = 4  # on average, or names do not tell series


def warnings(found: Survey, plan: Plan) -> Iterator[str]:
    """What the user should know, the gravest first."""
    yield from _about_folders(found, plan)
    yield from _about_images(found.images, plan)
    yield from _about_masks(found, plan)
    yield from _about_classes(found, plan)
    yield from _about_sizes(found, plan)
    yield from _about_split(found, plan)


def _about_folders(found: Survey, plan: Plan) -> Iterator[str]:
    pairing = found.pairing
    if plan.unlabeled is None:
        yield (
            "No image is unlabelled, so there is nothing to learn from beside the labels: only the supervised config "
            "was written. Give a folder of images without masks as UNLABELED."
        )
    yield from _about_masks_of_before(found, plan)
    if found.apart and pairing.without_mask:
        yield (
            f"{_count(pairing.without_mask, 'image')} in IMAGES without a mask, not used because UNLABELED is given "
            f"({_some(pairing.without_mask)}). Move them there to use them."
        )
    if pairing.without_image:
        meant = [f"{mask} to {image}" for mask, image in pairing.likely_images().items()]
        yield (
            f"{_count(pairing.without_image, 'mask')} without an image ({_some(pairing.without_image)}), not used."
            + (f" By its name belongs {_some(meant)}: give both the same." if meant else "")
        )
    if found.repeated:
        yield f"{_count(found.repeated, 'image')} of UNLABELED are labelled, too, and left out there (repeated.txt)."
    yield from _about_names(found, plan)
    if found.stray:
        yield (
            f"{_count(found.stray, 'mask')} in UNLABELED ({_some(found.stray)}), not used. To learn from them, move "
            "them and their images to IMAGES and MASKS."
        )
    for folder, others in found.unread.items():
        yield (
            f"{_count(others, 'picture')} in {folder} of a kind that is not read ({_some(others)}), not used. To use "
            "them, convert them to .jpg or .png."
        )
    if several := found.with_more:
        yield (
            f"{_count(several, 'file')} with several pages or frames ({_some(several, 1)}), of which only the first is "
            "used. To use the others, write each into a file of its own."
        )


def _about_names(found: Survey, plan: Plan) -> Iterator[str]:
    """Images in a folder of their own that have the name of a labelled one, but for the ending."""
    labelled = {without_ending(name): name for name in found.labeled} if found.apart else {}
    alike = {name: labelled[stem] for name in found.unlabeled if (stem := without_ending(name)) in labelled}
    if alike:
        validating = len({*alike.values()} & {*plan.split.val})
        yield (
            f"{_count([*alike], 'image')} of UNLABELED ({_some([*alike])}) with the name of a labelled one, "
            f"{validating} of them of a validation image, and another content. If they show the same picture "
            "(converted, resized), take them out, or figures will be too good."
        )


def _about_masks_of_before(found: Survey, plan: Plan) -> Iterator[str]:
    if plan.before is None:
        return
    lost = {*found.pairing.without_mask}
    if gone := [name for name in dict.fromkeys((*plan.before.train, *plan.before.val)) if name in lost]:
        use = "not used" if found.apart else "learnt from as unlabelled ones"
        yield (
            f"{_count(gone, 'image')} of the lists that were there ({_some(gone)}) without a mask now, {use}. If their "
            "masks were moved or renamed, put them back and call again."
        )


def _about_images(images: Sequence[ImageFacts], plan: Plan) -> Iterator[str]:
    if turned := sum(image.turned for image in images):
        yield (
            f"{turned} of {len(images)} images are turned or mirrored when they are read, because their EXIF data say "
            "so; masks are not. Sizes fit, but look at one of the masks above its image."
        )
    if plan.input.channels == 4:
        yield (
            "Images have four channels. The first convolution then starts at random (MMEngine logs that its weights do "
            "not fit), all else from ImageNet. If the fourth channel is but transparency, convert the images to RGB."
        )
    elif any(image.alpha == "varies" for image in images):
        yield "Some images are partly transparent and others have no fourth channel: it is not read."
    if images[0].depth == 16:
        low, high = (plan.input.loading[1][key] for key in ("low", "high"))
        yield f"Images have 16 bits: values from {low} to {high} are stretched to 0 to 255, the others cut off."
        if flat := sum(levels(image, plan.input) < TOO_FEW for image in images):
            yield (
                f"{flat} of {len(images)} images span fewer than {TOO_FEW} of these 256 levels: they hold little, "
                "or are far darker or brighter than the others. In that case bring all to one range of values."
            )


def _about_masks(found: Survey, plan: Plan) -> Iterator[str]:
    coding = plan.coding
    if not coding.readable:
        kind = "values other than class indices and 255" if coding.kind == "values" else "colours"
        if coding.kind == "values" and all(key == index for key, index in coding.table.items()):
            kind = "class indices in several channels"
        yield f"The masks hold {kind}; what MMSegmentation reads was written to {plan.masks}."
    elif found.resized:
        yield (
            f"{_count(sorted(found.resized), 'mask')} of another size than the image; all were written at the sizes of "
            f"their images to {plan.masks}. Look at one above its image."
        )
    elif plan.masks != found.masks_folder:
        yield f"The masks' names do not all end alike; copies that do were written to {plan.masks}."
    if plan.corrected:
        kept = [path.relative_to(plan.masks).as_posix() for path in plan.corrected]
        yield (
            f"{_count(kept, 'mask')} in {plan.masks} had been changed by hand, and kept as {_some(kept)}: the new ones "
            f"are of those in {found.masks_folder}. Correct these, and call again."
        )
    yield from _about_values(coding)
    binary = [name for name, mask in found.masks.items() if {*(mask.values or ())} == {0, 255}]
    if coding.kind == "values" and coding.table.get(255) == 255 and len(coding.classes) == 2 and binary:
        yield (
            f"{_count(binary, 'mask')} ({_some(binary)}) with 0 and 255 alone, and 255 is ignored, because others hold "
            "1, too. If 255 is the object there, write 1 in its place, or mend the masks with stray values."
        )


def _about_values(coding: Coding) -> Iterator[str]:
    """Values that may mean that nothing is known, and are taken for classes; of two values neither means that."""
    beyond = coding.beyond()
    if len(coding.table) == 2 or not beyond:
        return
    if coding.named:
        taken = _some([f"{value} is taken for {name}" for value, name in beyond.items()])
        yield (
            f"{taken}: too high for an index of {len(coding.classes)} names, so that values are numbered in their "
            f"order. If {max(beyond)} means that nothing is known of a pixel, say --ignore {max(beyond)}."
        )
    elif max(beyond) in VOID:
        yield (
            f"{max(beyond)} counts as a class here. If it means that nothing is known of a pixel, say --ignore "
            f"{max(beyond)}."
        )


def _about_classes(found: Survey, plan: Plan) -> Iterator[str]:
    coding = plan.coding
    if sides := mirrored(coding.classes):
        names = [f"{coding.classes[left]} and {coding.classes[right]}" for left, right in sides]
        yield (
            f"No image is mirrored, because a mirror shows {_some(names)} exchanged. Where one side looks like the "
            "other's mirror image, docs/own-data.md says how to mirror after all."
        )
    shares = coding.shares(found.masks.values())
    empty = [coding.classes[index] for index, share in shares.items() if share == 0]
    rare = {
        coding.classes[index]: [name for name, mask in found.masks.items() if index in coding.classes_of(mask)]
        for index, share in shares.items()
        if 0 < share < RARE
    }
    if empty:
        yield f"No mask shows {_some(empty)}: nothing can be learned about it. Right if more labels will follow."
    if rare:
        named = [f"{name} (in {_some(masks)})" for name, masks in rare.items()]
        yield (
            f"Less than {RARE:.1%} of the pixels show {_some(named)}. If these are stray colours, mend the masks; if "
            "they are classes, they are hard to learn."
        )


def _about_split(found: Survey, plan: Plan) -> Iterator[str]:
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
            yield f"No {part} image shows {_some([plan.coding.classes[index] for index in missing])}."
    given = given_split(found.masks) is not None
    yield from _about_lists_of_before(plan, given)
    if divided := _divided_series(plan.split):
        yield (
            f"Images of {len(divided)} series ({_some(divided)}) are both for training and for validation. If "
            "these are frames of videos, or copies of one picture, figures will be too good: divide them by hand, "
            "whole series at a time, in train.txt and val.txt, which another call keeps."
        )
    if given:
        yield "The folders for training and validation are taken as they are; so --val and --seed would say nothing."
    if len(val) < FEW_VALIDATION_IMAGES:
        remedy = "Label more" if given else "Look at several splits (--seed), or label more"
        yield f"Only {_count(val, 'image')} for validation: differences of some per cent in mIoU mean little. {remedy}."


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
            f"{_count(seen, 'image')} for validation ({_some(seen)}) stood in the train.txt that was there: test no "
            "checkpoint of before with these configs, which has learnt them. Figures of before were of other images, "
            "too."
        )
    elif given:
        return
    elif joined := sorted({*plan.split.val} - {*plan.before.val}):
        yield (
            f"{_count(joined, 'image')} ({_some(joined)}) joined the validation images of before, which stay: to "
            "compare with checkpoints of before, test these again."
        )
    else:
        yield "The lists that were there decide what validates: --val is of new images alone, --seed draws all anew."


def _about_sizes(found: Survey, plan: Plan) -> Iterator[str]:
    """Images of which the network sees much more, or much less, at once than in training."""
    crop, side = plan.sizes
    typical = [median(min(image.size) for image in part.values()) for part in (found.labeled, found.unlabeled) if part]
    if max(typical) > FAR_LARGER * min(typical):
        yield (
            f"The shorter side of labelled images has {typical[0]:g} pixels, of unlabelled ones {typical[1]:g} "
            "(medians). If these show the same things in another size, what is learnt from one does not fit the other: "
            f"bring both to one scale{'' if side is None else ', or look whether the resizing has done so'}."
        )
    seen = {name: found.labeled[name].size for name in plan.split.val}
    shrunk = [name for name, size in seen.items() if side is not None and min(size) > FAR_LARGER * side]
    if side is not None:
        seen = {name: (size[0] * side // min(size), size[1] * side // min(size)) for name, size in seen.items()}
    large = [name for name, size in seen.items() if max(size) > FAR_LARGER * crop]
    windows = f'test_cfg=dict(mode="slide", crop_size=crop_size, stride=({2 * crop // 3}, {2 * crop // 3}))'
    if shrunk:
        yield (
            f"{_count(shrunk, 'validation image')} shrunk to less than half ({_some(shrunk)}): small objects vanish. "
            f"To keep their size, take the lines with `scale` out of _base_/data.py, and put {windows} into its "
            "segmentor, which evaluates by sliding windows."
        )
    elif large:
        yield (
            f"{_count(large, 'validation image')} more than twice as long as the crop of {crop} ({_some(large)}), so "
            f"that the network sees far more at once than in training. To evaluate by sliding windows, put {windows} "
            "into the segmentor of _base_/data.py."
        )


def _classes_in(found: Survey, plan: Plan, names: Iterable[str]) -> set[int]:
    return set().union(*(plan.coding.classes_of(found.masks[name]) for name in names))


def _count(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}"


def _some(names: Sequence[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
