"""Image files: there, whole, and of a known kind."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final

from mmengine import fileio
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from PIL import Image
from tqdm import tqdm

from mmseg_css.datasets.checks.depth import check_depth
from mmseg_css.datasets.checks.listing import check_listing
from mmseg_css.datasets.checks.paths import LINK_REMEDY, leaves, paths_of
from mmseg_css.datasets.splits import IMAGE_SUFFIXES

MASK_REMEDY: Final = "PairedDataset(check_masks=False) skips this check"
EXIF_ORIENTATION: Final = 0x0112
TOO_LARGE: Final = "cut image and mask into tiles"

#: How files begin and end that are whole. What follows the end is rarely more than some padding.
MARKS: Final = ((b"\xff\xd8", b"\xff\xd9"), (b"\x89PNG", b"IEND"))
TAIL: Final = 4096

#: Files that are read at a time, and faults that an error names.
THREADS: Final = 8
SHOWN: Final = 5


def image_fault(path: str, backend_args: dict | None = None, what: str = "image") -> Exception | None:
    """What keeps an image or a mask from being read, to tell from the beginning and the end of its file.

    OpenCV would give a truncated JPEG a grey rest and say nothing.
    """
    if not fileio.isfile(path, backend_args=backend_args):
        return missing_file(what, path)
    try:
        with fileio.get_local_path(path, backend_args=backend_args) as local, open(local, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                return ValueError(f"the {what} {path!r} is empty (0 bytes); copy it again, or take it out")
            start = file.read(8)
            file.seek(max(0, size - TAIL))
            end = file.read()
            if any(start.startswith(first) and last in end for first, last in MARKS):
                return None
            # Another kind of file, or a truncated one. OpenCV, which decodes images, takes six times as many pixels.
            with suppress(*([Image.DecompressionBombError] if what == "image" else [])), Image.open(local) as image:
                image.load()
    except Exception as error:  # decoders raise what they like
        return ValueError(f"the {what} {path!r} cannot be read ({error}); copy or export it again, or take it out")
    return None


def missing_file(what: str, path: str) -> FileNotFoundError:
    """The error for a file that is not there; ``what`` names its kind."""
    if os.path.islink(path):
        return FileNotFoundError(f"the {what} {path!r} is a link to {os.readlink(path)!r}, not here; {LINK_REMEDY}")
    remedy = _meant(path) or (
        "supply it, take its id off the list, or correct data_prefix, img_suffix and seg_map_suffix"
    )
    return FileNotFoundError(f"the {what} {path!r} is missing; {remedy}")


def _meant(path: str) -> str | None:
    """What was probably meant by a path that a data set made of a line of its list and an ending."""
    start, ending = os.path.splitext(path)
    if "\ufeff" in path:
        return "its list begins with a byte order mark: save it as UTF-8 without one"
    if os.path.basename(path).startswith("."):
        return "its list has a blank line: take it out"
    if any(part.lower().endswith(IMAGE_SUFFIXES) for part in path.split()[:-1]):
        return "a line of its list names image and mask: leave one name on each line, without its ending"
    if start.lower().endswith(IMAGE_SUFFIXES) and os.path.exists(start):
        return (
            f"there is {start!r}, whose ending is in the list, and the data set adds {ending!r}: take it off the list"
        )
    endings = (kind for suffix in IMAGE_SUFFIXES for kind in (suffix, suffix.upper()))
    if other := next((start + kind for kind in endings if os.path.exists(start + kind)), None):
        return (
            f"there is {other!r}: set the suffix to its ending, or list whole names in a FolderDataset, which mixes all"
        )
    return None


def check_images(dataset: BaseDataset, *, remedy: str = MASK_REMEDY) -> None:
    """Look at the beginning and the end of every image file of a data set; wrappers are looked into.

    At the depth of a few, too, and at what the list repeats or the folder has beside them.

    Raises:
        FileNotFoundError: An image is missing.
        ValueError: An image is empty, truncated or of no known kind.
    """
    for leaf in leaves(dataset):
        backend_args = getattr(leaf, "backend_args", None)
        paths = paths_of(leaf)
        faults = find_faults(partial(image_fault, backend_args=backend_args), paths, "checking images")
        summary = f"{len(faults)} of the {len(paths)} images of {type(leaf).__name__} cannot be read"
        raise_faults(faults, summary, remedy)
        check_listing(leaf)
        check_depth(leaf, remedy)


def find_faults(check: Callable[[Any], Exception | None], items: Sequence, doing: str) -> list[Exception]:
    """What ``check`` finds, in the order of the items; with progress where it takes long."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = tqdm(pool.map(check, items), doing, len(items), delay=3, leave=False, disable=not is_main_process())
        return [fault for fault in found if fault is not None]


def raise_faults(faults: Sequence[Exception], summary: str, remedy: str) -> None:
    """Raise one error that names the first faults, if there are any."""
    if faults:
        kind = FileNotFoundError if any(isinstance(fault, FileNotFoundError) for fault in faults) else ValueError
        raise kind(f"{summary}:{listed(faults)}\n({remedy})")


def listed(faults: Sequence[object]) -> str:
    """The first faults, each on a line of its own, and how many more there are."""
    more = f"\n  ... and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return "".join(f"\n  {fault}" for fault in faults[:SHOWN]) + more
