"""Which mask belongs to which image."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path, PurePath
from shlex import quote
from typing import NamedTuple

from mmengine import fileio

from mmseg_css.datasets.checks import check_links
from mmseg_css.datasets.pictures import UNREAD, pictures
from mmseg_css.datasets.splits import IMAGE_SUFFIXES
from mmseg_css.preparation.own_data.split import TRAIN, VAL


class Pair(NamedTuple):
    """An image and its mask, each by its path below its folder."""

    image: str
    mask: str


class Pairing(NamedTuple):
    """What two folders hold. A mask is named as its image, plus an ending (``_mask``, say) that is common to all."""

    pairs: tuple[Pair, ...]
    without_mask: tuple[str, ...]
    without_image: tuple[str, ...]
    ending: str

    @property
    def mask_suffix(self) -> str | None:
        """What replaces the ending of every image's file name; ``None`` if the masks differ in this."""
        suffixes = {PurePath(pair.mask).suffix for pair in self.pairs}
        suffix = self.ending + min(suffixes)
        # Byte for byte: a file system may hold an umlaut in two ways, and pairs were found regardless.
        fits = all(pair.mask == without_ending(pair.image) + suffix for pair in self.pairs)
        return suffix if len(suffixes) == 1 and fits else None

    def likely_images(self) -> dict[str, str]:
        """Of masks without an image the image whose name differs in case, separators and leading zeros alone."""
        named = [(_core(without_ending(name)), name) for name in self.without_mask]
        times = Counter(core for core, _ in named)
        images = {core: name for core, name in named if times[core] == 1}
        cores = {mask: _core(without_ending(mask).removesuffix(self.ending)) for mask in self.without_image}
        return {mask: images[core] for mask, core in cores.items() if core in images}


def without_ending(name: str) -> str:
    """A path without the ending of the file's name.

    >>> without_ending("site 1/IMG.0001.JPG")
    'site 1/IMG.0001'
    """
    return PurePath(name).with_suffix("").as_posix()


def check_folders(folders: Sequence[Path], *, side_by_side: bool = False) -> None:
    """Check that the folders are there, and that none lies within another one.

    Args:
        folders: Those of images, masks and, if there is one, unlabelled images.
        side_by_side: Images and masks lie in one folder, and their names tell them apart.

    Raises:
        FileNotFoundError: One is missing.
        ValueError: Two are the same, or nested: subfolders belong to a folder's images, and a mask is none.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {str(folder)!r}; give the folders as IMAGES MASKS [UNLABELED]")
    for one, other in combinations(folders, 2):
        if side_by_side and (one, other) == (folders[0], folders[1]) and one.resolve() == other.resolve():
            continue
        inner, outer = sorted((one.resolve(), other.resolve()), key=lambda path: len(path.parts), reverse=True)
        if inner.is_relative_to(outer):
            raise ValueError(
                f"{str(one)!r} and {str(other)!r} are one folder or one lies within the other, so that images and "
                "masks, or labelled and unlabelled images, cannot be told apart; move them into folders side by side, "
                "or say which names in one folder are masks (--mask-names '*_mask.png'). "
                "(Unlabelled images may lie among the labelled ones: leave UNLABELED out then.)" + _parts_outside(outer)
            )


def _parts_outside(folder: Path) -> str:
    """How to bring ``train/images``, ``train/masks`` and so on into order, if that is how a folder is laid out."""
    found = sorted(path for path in folder.glob("*/*") if path.is_dir() and path.parent.name.lower() in TRAIN | VAL)
    kinds = sorted({path.name for path in found})
    if len(kinds) < 2:
        return ""
    names = [path.relative_to(folder).as_posix() for path in found]
    links = [f"ln -s {quote(f'../{name}')} {quote('/'.join(reversed(name.split('/'))))}" for name in names]
    commands = [f"cd {quote(str(folder))}", f"mkdir -p {' '.join(map(quote, kinds))}", *links]
    return (
        f"\n{str(folder)!r} holds {', '.join(names)}. The folders of images and of masks have to be the outer ones, "
        f"for which links are enough:\n  {' && '.join(commands)}"
    )


def find_images(folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, str]:
    """Pictures below a folder, by their path without ending, as `UnlabeledDataset` finds them.

    Args:
        folder: The folder.
        wanted: Which of them count, by their path below it.

    Raises:
        FileNotFoundError: A link leads nowhere.
        ValueError: There are none, or two with the same name and different endings.
    """
    found: dict[str, str] = {}
    check_links(str(folder), IMAGE_SUFFIXES)
    for name in pictures(fileio.list_dir_or_file(str(folder), list_dir=False, recursive=True)):
        if not wanted(PurePath(name).as_posix()):
            continue
        key = unicodedata.normalize("NFC", without_ending(name))
        if key in found:
            raise ValueError(
                f"{found[key]!r} and {name!r} in {str(folder)!r} differ in nothing but the ending, so that one mask "
                "would belong to both; rename or remove one"
            )
        found[key] = PurePath(name).as_posix()
    if not found:
        unread = find_unread(folder)
        more = f"; convert its {len(unread)} others, {unread[0]!r} for one, to .jpg or .png" if unread else ""
        raise ValueError(f"{str(folder)!r} holds no such file that ends in {', '.join(IMAGE_SUFFIXES)}{more}")
    return found


def find_unread(folder: Path) -> list[str]:
    """Pictures below a folder of kinds that are not read, but those of which there is a copy that is."""
    names = list(fileio.list_dir_or_file(str(folder), list_dir=False, recursive=True))
    read = {without_ending(name) for name in pictures(names)}
    return [name for name in pictures(names, UNREAD) if without_ending(name) not in read]


def pair(images_folder: Path, masks_folder: Path, mask_names: str | None = None) -> Pairing:
    """Find the mask of every image.

    Args:
        images_folder: Folder of the images.
        masks_folder: Folder of the masks.
        mask_names: What masks are called, if both lie in one folder: ``'*_mask.png'``, or ``'*.png'`` beside images
            that are all JPEG. What is not called so is an image.

    Raises:
        ValueError: A folder holds no pictures, or no mask is named after an image.
    """
    images = find_images(images_folder, lambda name: mask_names is None or not is_called(name, mask_names))
    masks = find_images(masks_folder, lambda name: mask_names is None or is_called(name, mask_names))
    ending = mask_ending(images, masks)
    if ending is None:
        raise ValueError(
            f"no mask in {str(masks_folder)!r} is named after an image in {str(images_folder)!r}: masks are "
            f"{_some(masks.values())}, images {_some(images.values())}. A mask has its image's name, and may add an "
            "ending that is the same for all: image 'street 1.jpg', mask 'street 1.png' or 'street 1_mask.png'"
        )
    owners = {name + ending: name for name in images}
    pairs = tuple(Pair(images[owners[name]], masks[name]) for name in sorted(masks) if name in owners)
    paired = {pair.image for pair in pairs}
    return Pairing(
        pairs=pairs,
        without_mask=tuple(name for name in images.values() if name not in paired),
        without_image=tuple(masks[name] for name in masks if name not in owners),
        ending=ending,
    )


def is_called(name: str, pattern: str) -> bool:
    """Whether a file is called as a pattern says, in any case, as endings count.

    >>> is_called("site 1/2_mask.PNG", "*_mask.png")
    True
    """
    return fnmatchcase(name.lower(), pattern.lower())


def masks_among(folder: Path, ending: str, mask_names: str) -> list[str]:
    """Masks in a folder of unlabelled images: what is called like an image there and their ending, or as was said.

    Where masks and images differ in the kind of file alone (``*.png`` beside JPEG), they need their image beside them.

    Args:
        folder: The folder.
        ending: What masks' names add to their images'.
        mask_names: What masks are called, if that was said.
    """
    files = fileio.list_dir_or_file(str(folder), list_dir=False, recursive=True)
    names = [PurePath(name).as_posix() for name in pictures(files)]
    called = {name for name in names if mask_names and is_called(name, mask_names)}
    images = {without_ending(name) + ending for name in names if name not in called}
    return [
        name
        for name in names
        if (name in called and ending) or ((name in called or ending) and without_ending(name) in images)
    ]


def mask_ending(images: Collection[str], masks: Iterable[str]) -> str | None:
    """What most masks' names add to an image's; ``None`` if no mask's name begins with an image's.

    >>> mask_ending({"1", "11"}, ["1_mask", "11_mask"])
    '_mask'
    """
    endings = Counter(mask[length:] for mask in masks for length in range(1, len(mask) + 1) if mask[:length] in images)
    return min(endings, key=lambda ending: (-endings[ending], len(ending)), default=None)


def same_files(names: Iterable[str], folder: Path, other: Path) -> list[str]:
    """Those of ``names`` that are the same file, byte for byte, in both folders."""
    return [
        name
        for name in names
        if (other / name).is_file()
        and (other / name).stat().st_size == (folder / name).stat().st_size
        and (other / name).read_bytes() == (folder / name).read_bytes()
    ]


def _core(stem: str) -> tuple[str, ...]:
    """Words and numbers of a name.

    >>> _core("Site 1/IMG_0010")
    ('site', '1', 'img', '10')
    """
    return tuple(re.findall(r"[^\W\d_]+|[1-9]\d*", stem.lower()))


def _some(names: Iterable[str], shown: int = 3) -> str:
    first = [repr(name) for name, _ in zip(names, range(shown + 1), strict=False)]
    return ", ".join(first[:shown]) + (" ..." if len(first) > shown else "")
