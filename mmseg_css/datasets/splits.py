"""How a list of images is read and checked, and the fingerprint of its ids, by which `protocols` recognises it."""

import hashlib
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Final, Literal

DataSet = Literal["voc", "cityscapes", "coco"]

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp")

# What published lists put before an id, beside the folders of the data set's own arrangement.
_IMAGE_FOLDER: Final = re.compile(r"(?:.*/)?(?:JPEGImages|leftImg8bit/train|train2017)/")
_CITYSCAPES: Final = re.compile(r"(?:.*/)?((?P<city>[a-z-]+)_\d{6}_\d{6})")
_PATTERNS: Final[dict[DataSet, tuple[re.Pattern[str], str]]] = {
    "voc": (re.compile(r"\d{4}_\d{6}"), "2007_000032"),
    "cityscapes": (_CITYSCAPES, "aachen/aachen_000000_000019"),
    "coco": (re.compile(r"\d{12}"), "000000000139"),
}


# -- fingerprints -----------------------------------------------------------------------------------------------------


def fingerprint(ids: Iterable[str]) -> str:
    """SHA-256 (hexadecimal) of the set of image ids: sorted by code point, one per line, each ending in a newline.

    An id is the path below the image folder without suffix, which in all published protocols is the file's stem:
    Cityscapes' folders are left out, as the file names repeat them. Other folders are kept, so that frame 1 of two
    videos stays two images.

    >>> fingerprint(["aachen/aachen_000000_000019"]) == fingerprint(["aachen_000000_000019"])
    True
    """
    lines = "".join(f"{image_id}\n" for image_id in sorted(set(map(stem, ids))))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def stem(image_id: str) -> str:
    """An id as it enters the fingerprint."""
    found = _CITYSCAPES.fullmatch(image_id)
    if found is None or PurePosixPath(image_id).parent.name not in ("", found["city"]):
        return image_id
    return found[1]


# -- lists ------------------------------------------------------------------------------------------------------------


def read_ids(path: str | PathLike[str], data_set: DataSet | None = None) -> list[str]:
    """The ids that a published list or one of our own names, in its order.

    A line is ``JPEGImages/x.jpg SegmentationClass/x.png`` (UniMatch), ``leftImg8bit/train/city/x_leftImg8bit.png`` or
    ``x`` (U2PL, ReCo, CSS, MMSeg); whatever stands before these folders is left out. An id is what MMSeg's data sets
    and ``UnlabeledDataset`` expect in a list: the path below the folder of the images, without suffix.

    Args:
        path: The list, UTF-8.
        data_set: What every line has to be an image of, if that is known. Cityscapes' ids get the folder of their city,
            as MMSeg needs them.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: It is empty, a line is no image or named before, or it leads out of the folder of the images.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no list of images {str(path)!r}; correct the path")
    lines_of: dict[str, int] = {}
    ids = []
    for number, raw in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8-sig").strip()
            if not line:
                continue
            image_id = _parse(line, data_set)
            first = lines_of.setdefault(stem(image_id), number)
            if first != number:
                raise ValueError(f"{image_id!r} is listed already, in line {first}; remove one of them")
        except UnicodeDecodeError:
            raise ValueError(f"{str(path)!r}, line {number} is not UTF-8 text; is this a list of images?") from None
        except ValueError as error:
            raise ValueError(f"{str(path)!r}, line {number}: {error}") from None
        ids.append(image_id)
    if not ids:
        raise ValueError(f"the list of images {str(path)!r} is empty; write one id per line into it")
    return ids


def check_inside(line: str) -> None:
    r"""Check that a line of a list stays within the folder of the images.

    Raises:
        ValueError: It is an absolute path, or holds ``..`` or a backslash.
    """
    for wrong, reason in (
        (line.startswith("/") or re.match(r"[A-Za-z]:", line), "is an absolute path"),
        ("\\" in line, "holds a backslash"),
        (".." in re.split(r"[/\s]", line), "leads out of the folder of the images ('..')"),
    ):
        if wrong:
            raise ValueError(
                f"{line!r} {reason}; write the path below the folder of the images, with / between folders"
            )


def check_utf8(path: Path) -> None:
    """Check that a list or a config, which are UTF-8, can name a file; those of old archives may be called otherwise.

    Raises:
        ValueError: They cannot.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"the name {str(path)!r} cannot stand on a line of a list, because it is no UTF-8; rename the file"
        ) from None


def _parse(line: str, data_set: DataSet | None) -> str:
    image, *masks = line.split()
    if masks and image.lower().endswith(IMAGE_SUFFIXES):
        image_id = _strip(image)
        if len(masks) != 1 or not _is_mask_of(masks[0], image_id):
            raise ValueError(f"{line!r} is neither an image nor an image and its mask; write one id per line")
    else:
        image, image_id = line, _strip(line)  # names may hold spaces
    # Where the folder of the images is known, what comes before it says nothing: CPS's lines begin with a slash.
    for path in [image_id] if _IMAGE_FOLDER.match(image) else [image, *masks]:
        check_inside(path)
    if not image.isprintable() or image_id in ("", "."):
        raise ValueError(f"{line!r} is no image; write one id per line")
    if data_set is None:
        return image_id
    pattern, example = _PATTERNS[data_set]
    found = pattern.fullmatch(image_id)
    if found is None:
        raise ValueError(f"{line!r} is no image of {data_set}; its ids look like {example!r}")
    return f"{found['city']}/{found[1]}" if data_set == "cityscapes" else image_id


def _strip(image: str) -> str:
    suffix = next((suffix for suffix in IMAGE_SUFFIXES if image.lower().endswith(suffix)), "")
    image_id = PurePosixPath(image[: len(image) - len(suffix)]).as_posix()
    return _IMAGE_FOLDER.sub("", image_id, count=1).removesuffix("_leftImg8bit")


def id_of(path: str, folder: str, suffix: str) -> str:
    """The id of the image at ``path`` in a data set that reads ``folder``."""
    return PurePosixPath(path.removeprefix(folder).removesuffix(suffix).lstrip("/")).as_posix()


def _is_mask_of(mask: str, image_id: str) -> bool:
    return f"{PurePosixPath(mask).stem}_".startswith(f"{PurePosixPath(image_id).name}_")
