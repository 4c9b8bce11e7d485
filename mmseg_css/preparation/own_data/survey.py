"""Every file looked into once: what can stop a training is an error here, in words."""

from collections.abc import Callable, Collection, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from tqdm import tqdm

from mmseg_css.cores import cores
from mmseg_css.datasets.checks.images import listed
from mmseg_css.datasets.pictures import JPEG
from mmseg_css.datasets.splits import check_utf8
from mmseg_css.preparation.own_data.folders import (
    Pair,
    Pairing,
    check_folders,
    find_images,
    find_unread,
    masks_among,
    pair,
    same_files,
)
from mmseg_css.preparation.own_data.images import ImageFacts, look_at_image
from mmseg_css.preparation.own_data.masks import MaskFacts, look_at_mask
from mmseg_css.preparation.own_data.split import check_unlabeled

Item = TypeVar("Item", bound=Hashable)
Facts = TypeVar("Facts")
SAME_PROPORTION: Final = 0.01


class Survey(NamedTuple):
    """What the folders hold. ``labeled`` and ``masks`` go by the image's name; ``unlabeled`` goes by its own, below
    ``unlabeled_folder``, without the images that are labelled, which are ``repeated``. The masks of the ``resized`` are
    to be brought to the size of their images. ``unread`` are pictures of other kinds, by their folder. ``stray`` are
    masks among the unlabelled images of a folder of their own. ``listed`` says whether masks lie among the unlabelled
    images, which a list has to name then.
    """

    images_folder: Path
    masks_folder: Path
    unlabeled_folder: Path
    pairing: Pairing
    labeled: dict[str, ImageFacts]
    masks: dict[str, MaskFacts]
    unlabeled: dict[str, ImageFacts]
    repeated: tuple[str, ...]
    unread: dict[Path, list[str]]
    resized: frozenset[str] = frozenset()
    stray: tuple[str, ...] = ()
    listed: bool = False

    @property
    def apart(self) -> bool:
        """Whether the unlabelled images have a folder of their own."""
        return self.unlabeled_folder != self.images_folder

    @property
    def with_more(self) -> list[str]:
        """Files that hold further pictures."""
        paths = [
            *(self.images_folder / name for name, image in self.labeled.items() if image.more),
            *(self.masks_folder / pair.mask for pair in self.pairing.pairs if self.masks[pair.image].more),
            *(self.unlabeled_folder / name for name, image in self.unlabeled.items() if image.more),
        ]
        return [str(path) for path in paths]

    @property
    def images(self) -> list[ImageFacts]:
        return [*self.labeled.values(), *self.unlabeled.values()]


def survey(
    images: Path, masks: Path, unlabeled: Path | None = None, *, mask_names: str = "", resize_masks: bool = False
) -> Survey:
    """Pair images with masks and decode everything.

    Args:
        images: Folder of the labelled images. Those without a mask are the unlabelled ones where no folder has them.
        masks: Folder of the masks.
        unlabeled: Folder of images without masks. Images that are also in ``images`` are left out.
        mask_names: What masks are called where they lie among the images (see `pair`); empty where they do not.
        resize_masks: Take masks of another size than their images, of the same proportions up to 1 %.

    Raises:
        FileNotFoundError: A folder is missing.
        ValueError: Folders are nested, nothing fits together, or files cannot be used as they lie: the first are named.
    """
    pairing = _paired(images, masks, unlabeled, mask_names)
    folder = unlabeled or images
    stray = masks_among(folder, pairing.ending, mask_names) if unlabeled else []
    names, repeated = _without_masks(pairing, images, unlabeled, stray)
    listed = bool(stray or (unlabeled is None and images.resolve() == masks.resolve()))
    look_at_pair = partial(_look_at_pair, images, masks, resize_masks)
    labeled, faults = _look_at_all(look_at_pair, pairing.pairs, "labelled images")
    others, more = _look_at_all(partial(_look_at_other, folder, listed), names, "unlabelled images")
    _raise_faults({pair.image: fault for pair, fault in faults.items()}, images, len(pairing.pairs))
    _raise_faults(more, folder, len(names))
    return Survey(
        images_folder=images,
        masks_folder=masks,
        unlabeled_folder=folder,
        pairing=pairing,
        labeled={pair.image: image for pair, (image, _) in labeled.items()},
        masks={pair.image: mask for pair, (_, mask) in labeled.items()},
        unlabeled=others,
        repeated=tuple(repeated),
        unread={path: names for path in dict.fromkeys((images, masks, folder)) if (names := find_unread(path))},
        stray=tuple(stray),
        resized=frozenset(pair.image for pair, (image, mask) in labeled.items() if image.size != mask.size),
        listed=listed,
    )


def _paired(images: Path, masks: Path, unlabeled: Path | None, mask_names: str) -> Pairing:
    check_folders([images, masks, *([unlabeled] if unlabeled else [])], side_by_side=bool(mask_names))
    pairing = pair(images, masks, mask_names or None)
    _check_lossless([pair.mask for pair in pairing.pairs])
    return pairing


def _without_masks(
    pairing: Pairing, images: Path, unlabeled: Path | None, stray: Collection[str]
) -> tuple[list[str], list[str]]:
    """The unlabelled images, and those of their folder that are labelled, too."""
    if unlabeled is None:
        check_unlabeled((pair.image for pair in pairing.pairs), pairing.without_mask)
        return list(pairing.without_mask), []
    repeated = same_files((pair.image for pair in pairing.pairs), images, unlabeled)
    found = find_images(unlabeled, lambda name: name not in stray)
    return [name for name in found.values() if name not in set(repeated)], repeated


def _check_lossless(masks: Iterable[str]) -> None:
    lossy = [mask for mask in masks if mask.lower().endswith(JPEG)]
    if lossy:
        raise ValueError(
            f"{len(lossy)} masks are JPEG, {lossy[0]!r} for one. If MASKS is not the folder of the masks, name that, "
            "after IMAGES. If it is: JPEG's compression changes values along every edge, so that classes run into each "
            "other. Export them as PNG; if there are two classes, "
            "`mogrify -threshold 50% -format png *.jpg` (ImageMagick) restores them"
        )


def _look_at_pair(images: Path, masks: Path, resize: bool, pair: Pair) -> tuple[ImageFacts, MaskFacts]:
    for path in (images / pair.image, masks / pair.mask):
        check_utf8(path)
    image, mask = look_at_image(images / pair.image), look_at_mask(masks / pair.mask)
    _check_sizes(image, mask, resize)
    return image, mask


def _look_at_other(folder: Path, listed: bool, name: str) -> ImageFacts:
    if listed:
        check_utf8(folder / name)
    return look_at_image(folder / name)


def _check_sizes(image: ImageFacts, mask: MaskFacts, resize: bool) -> None:
    if 1 in image.size:
        raise ValueError(
            f"it is {image.size[1]}x{image.size[0]} (width x height), and of a mask of one pixel's width or height "
            "MMSegmentation makes a line"
        )
    if mask.size == image.size:
        return
    message = f"the mask is {mask.size[1]}x{mask.size[0]}, its image {image.size[1]}x{image.size[0]} (width x height)"
    if image.turned and mask.size == image.size[::-1]:
        raise ValueError(
            f"{message}: the image's EXIF data ask for a turn, which MMSeg makes and the mask does not; turn the mask, "
            "or remove the EXIF orientation from the image"
        )
    proportion = mask.size[0] * image.size[1] / (mask.size[1] * image.size[0])
    if abs(proportion - 1) > SAME_PROPORTION:
        raise ValueError(f"{message}, of another proportion, so that it shows something else; export the mask again")
    if not resize:
        raise ValueError(f"{message}; export the mask again at the size of the image, or say --resize-masks")


def _look_at_all(
    look: Callable[[Item], Facts], items: Collection[Item], title: str, threads: int = 8
) -> tuple[dict[Item, Facts], dict[Item, Exception]]:
    """Results and faults, by item; a thread holds a whole picture, so that more than processors cost memory alone."""

    def attempt(item: Item) -> Facts | Exception:
        try:
            return look(item)
        except (ValueError, OSError) as fault:
            return fault

    with ThreadPoolExecutor(min(threads, cores())) as pool:
        progress: Iterable = tqdm(pool.map(attempt, items), desc=title, total=len(items), leave=False, delay=1)
        found = dict(zip(items, progress, strict=True))
    faults = {item: result for item, result in found.items() if isinstance(result, Exception)}
    return {item: result for item, result in found.items() if not isinstance(result, Exception)}, faults


def _raise_faults(faults: dict[str, Exception], folder: Path, total: int) -> None:
    if not faults:
        return
    lines = [f"{name!r}: {fault}" for name, fault in faults.items()]
    raise ValueError(
        f"{len(lines)} of {total} images in {str(folder)!r} cannot be used; mend or remove them:" + listed(lines)
    )
