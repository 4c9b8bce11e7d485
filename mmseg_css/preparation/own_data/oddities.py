"""What is odd in the folders and no error, in words."""

from collections.abc import Iterator, Sequence
from statistics import median

from mmseg_css.datasets.checks import mirrored
from mmseg_css.datasets.checks.depth import TOO_FEW
from mmseg_css.datasets.windows import FAR_LARGER, needs_windows, stride_of
from mmseg_css.preparation.own_data.coding import RARE, VOID, Coding
from mmseg_css.preparation.own_data.configs import Plan
from mmseg_css.preparation.own_data.folders import without_ending
from mmseg_css.preparation.own_data.images import ImageFacts, levels
from mmseg_css.preparation.own_data.odd_split import about_split
from mmseg_css.preparation.own_data.survey import Survey
from mmseg_css.wording import count, some


def warnings(found: Survey, plan: Plan) -> Iterator[str]:
    """What the user should know, the gravest first."""
    yield from _about_folders(found, plan)
    yield from _about_images(found.images, plan)
    yield from _about_masks(found, plan)
    yield from _about_classes(found, plan)
    yield from _about_sizes(found, plan)
    yield from about_split(found, plan)


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
            f"{count(pairing.without_mask, 'image')} in IMAGES without a mask, not used because UNLABELED is given "
            f"({some(pairing.without_mask)}). Move them there to use them."
        )
    if pairing.without_image:
        meant = [f"{mask} to {image}" for mask, image in pairing.likely_images().items()]
        yield (
            f"{count(pairing.without_image, 'mask')} without an image ({some(pairing.without_image)}), not used."
            + (f" By its name belongs {some(meant)}: give both the same." if meant else "")
        )
    if found.repeated:
        yield f"{count(found.repeated, 'image')} of UNLABELED are labelled, too, and left out there (repeated.txt)."
    yield from _about_names(found, plan)
    if found.stray:
        yield (
            f"{count(found.stray, 'mask')} in UNLABELED ({some(found.stray)}), not used. To learn from them, move "
            "them and their images to IMAGES and MASKS."
        )
    for folder, others in found.unread.items():
        yield (
            f"{count(others, 'picture')} in {folder} of a kind that is not read ({some(others)}), not used. To use "
            "them, convert them to .jpg or .png."
        )
    if several := found.with_more:
        yield (
            f"{count(several, 'file')} with several pages or frames ({some(several, 1)}), of which only the first is "
            "used. To use the others, write each into a file of its own."
        )


def _about_names(found: Survey, plan: Plan) -> Iterator[str]:
    """Images in a folder of their own that have the name of a labelled one, but for the ending."""
    labelled = {without_ending(name): name for name in found.labeled} if found.apart else {}
    alike = {name: labelled[stem] for name in found.unlabeled if (stem := without_ending(name)) in labelled}
    if alike:
        validating = len({*alike.values()} & {*plan.split.val})
        yield (
            f"{count([*alike], 'image')} of UNLABELED ({some([*alike])}) with the name of a labelled one, "
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
            f"{count(gone, 'image')} of the lists that were there ({some(gone)}) without a mask now, {use}. If their "
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
            f"{count(sorted(found.resized), 'mask')} of another size than the image; all were written at the sizes of "
            f"their images to {plan.masks}. Look at one above its image."
        )
    elif plan.masks != found.masks_folder:
        yield f"The masks' names do not all end alike; copies that do were written to {plan.masks}."
    if plan.corrected:
        kept = [path.relative_to(plan.masks).as_posix() for path in plan.corrected]
        yield (
            f"{count(kept, 'mask')} in {plan.masks} had been changed by hand, and kept as {some(kept)}: the new ones "
            f"are of those in {found.masks_folder}. Correct these, and call again."
        )
    yield from _about_values(coding)
    binary = [name for name, mask in found.masks.items() if {*(mask.values or ())} == {0, 255}]
    if coding.kind == "values" and coding.table.get(255) == 255 and len(coding.classes) == 2 and binary:
        yield (
            f"{count(binary, 'mask')} ({some(binary)}) with 0 and 255 alone, and 255 is ignored, because others hold "
            "1, too. If 255 is the object there, write 1 in its place, or mend the masks with stray values."
        )


def _about_values(coding: Coding) -> Iterator[str]:
    """Values that may mean that nothing is known, and are taken for classes; of two values neither means that."""
    beyond = coding.beyond()
    if len(coding.table) == 2 or not beyond:
        return
    if coding.named:
        taken = some([f"{value} is taken for {name}" for value, name in beyond.items()])
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
            f"No image is mirrored, because a mirror shows {some(names)} exchanged. Where one side looks like the "
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
        yield f"No mask shows {some(empty)}: nothing can be learned about it. Right if more labels will follow."
    if rare:
        named = [f"{name} (in {some(masks)})" for name, masks in rare.items()]
        yield (
            f"Less than {RARE:.1%} of the pixels show {some(named)}. If these are stray colours, mend the masks; if "
            "they are classes, they are hard to learn."
        )


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
    large = [name for name, size in seen.items() if needs_windows(size, (crop, crop))]
    windows = f'test_cfg=dict(mode="slide", crop_size=crop_size, stride={stride_of((crop, crop))})'
    if shrunk:
        yield (
            f"{count(shrunk, 'validation image')} shrunk to less than half ({some(shrunk)}): small objects vanish. "
            f"To keep their size, take the lines with `scale` out of _base_/data.py, and put {windows} into its "
            "segmentor, which evaluates by sliding windows."
        )
    elif large:
        yield (
            f"{count(large, 'validation image')} more than twice as long as the crop of {crop} ({some(large)}), so "
            f"that the network sees far more at once than in training. To evaluate by sliding windows, put {windows} "
            "into the segmentor of _base_/data.py."
        )
