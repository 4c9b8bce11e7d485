"""What is to be predicted: folders, lists, images, videos; and what each of them is called in the output."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8

from mmseg_css.datasets.pictures import RECORDS, UNREAD, WRITTEN
from mmseg_css.datasets.splits import IMAGE_SUFFIXES

LIST_SUFFIX: Final = ".txt"
VIDEO_SUFFIXES: Final = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


class Item(NamedTuple):
    """A file, and its path in the output, without ending."""

    path: Path
    name: PurePosixPath


class Inputs(NamedTuple):
    """What was found. ``passed_over`` are videos and pictures that are not read, among the images of a folder."""

    images: list[Item]
    videos: list[Item]
    passed_over: list[Path]

    def without(self, names: Iterable[str]) -> list[PurePosixPath]:
        """Those of these names of predictions that are neither of the images nor of a frame of the videos."""
        images, videos = {item.name for item in self.images}, {item.name for item in self.videos}
        others = map(PurePosixPath, names)
        return [name for name in others if name not in images and name.parent not in videos]


def find_inputs(given: Sequence[Path], out: Path) -> Inputs:
    """The files that are meant, each once.

    Of a folder all images are, at any depth, but for hidden ones, those in ``out`` and those that earlier calls wrote,
    wherever that was; they are called by their path below it. Files that are named or listed are called by their path
    below the folder that holds all of these. Paths in a list start from the folder that the command is called in.

    Raises:
        FileNotFoundError: A folder, a list or a file that was given is not there.
        ValueError: Nothing is to be predicted, two files would be written to one place, or ``out`` is a folder of
            images.
    """
    items: list[Item] = []
    passed_over: list[Path] = []
    named = [path for path in given if not path.is_dir() and path.suffix.lower() != LIST_SUFFIX]
    if missing := [str(path) for path in given if not path.exists()]:
        raise FileNotFoundError(f"there is no {missing[0]}")
    _check_no_folder_of_images(out, [path for path in given if path.is_dir()])
    for path in given:
        if path.is_dir():
            files = list(_files_below(path, out))
            passed_over += [file for file in files if _is_video(file) or file.suffix.lower() in UNREAD]
            items += _called(_images_of(path, files), path)
        elif path not in named:
            items += _below_common_folder(_lines(path))
    items += _below_common_folder(named)
    _check_no_folder_of_images(out, {item.path.parent for item in items if not _is_video(item.path)})
    once: dict[Path, Item] = {}
    for item in items:
        once.setdefault(_absolute(item.path), item)
    images, videos = ([item for item in once.values() if _is_video(item.path) is kind] for kind in (False, True))
    _check_apart(images, videos, out)
    return Inputs(images, videos, passed_over)


def _check_no_folder_of_images(out: Path, folders: Iterable[Path]) -> None:
    if same := [str(folder) for folder in folders if folder.resolve() == out.resolve()]:
        raise ValueError(f"--out is {same[0]!r}, the folder of the images: name another, beside it for one")


def _files_below(folder: Path, out: Path) -> Iterator[Path]:
    seen = {out.resolve()}
    for parent, folders, names in os.walk(folder, followlinks=True):
        if (real := Path(parent).resolve()) in seen:  # links may lead round in circles
            folders.clear()
            continue
        seen.add(real)
        ours = WRITTEN if any(Path(parent, name).exists() for name in RECORDS) else ()
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ours)
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _images_of(folder: Path, files: Iterable[Path]) -> list[Path]:
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise ValueError(
            f"{str(folder)!r} holds no file that ends in {', '.join(IMAGE_SUFFIXES)}; videos are named, and pictures "
            f"of other kinds ({', '.join(UNREAD)}) have to be converted"
        )
    return images


def _lines(path: Path) -> list[Path]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(f"the list {str(path)!r} is not UTF-8 text; is it a list of images?") from None
    if not any(lines):
        raise ValueError(f"the list {str(path)!r} is empty; write the path of an image on each line")
    return [Path(line) for line in lines if line]


def _below_common_folder(files: Sequence[Path]) -> list[Item]:
    if not files:
        return []
    return _called(files, Path(os.path.commonpath([_absolute(file).parent for file in files])))


def _called(files: Iterable[Path], folder: Path) -> list[Item]:
    below = _absolute(folder)
    return [Item(file, PurePosixPath(_absolute(file).relative_to(below).with_suffix("").as_posix())) for file in files]


def _absolute(path: Path) -> Path:
    """Without ``..``, and with links as they are: an image is called as its user calls it."""
    return Path(os.path.abspath(path))


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _check_apart(images: Sequence[Item], videos: Sequence[Item], out: Path) -> None:
    taken: dict[PurePosixPath, Path] = {}
    for item in images:
        _take(taken, item, out)
    # A video becomes a folder of frames.
    folders = {parent: item.path for item in images for parent in item.name.parents}
    for item in videos:
        _take(folders, item, out)


def _take(taken: dict[PurePosixPath, Path], item: Item, out: Path) -> None:
    if (other := taken.setdefault(item.name, item.path)) != item.path:
        raise ValueError(
            f"the predictions of {str(other)!r} and {str(item.path)!r} would both be written to "
            f"{out / 'masks' / item.name}: name the folder above both, rename one of them, or predict "
            "them in two calls, each with an --out of its own"
        )


def frames_of(path: Path) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The frames of a video, blue first.

    Raises:
        ValueError: OpenCV cannot read it.
    """
    capture = cv2.VideoCapture(str(path))
    try:
        found, frame = capture.read()
        if not found:
            raise ValueError(f"the video {str(path)!r} cannot be read by OpenCV: convert it, to H.264 in .mp4 for one")
        while found:
            yield frame
            found, frame = capture.read()
    finally:
        capture.release()


def fewer_frames(path: Path, found: int) -> str | None:
    """What to say of a video in which OpenCV found far fewer frames than it is said to have; some say about how many.

    It breaks off, or it was trimmed by a note in it, which leaves all frames in the file.
    """
    said = count_frames(path)
    if found >= said - max(2, said // 100):
        return None
    return f"the video {str(path)!r} shows {found} of the {said} frames it says it has: is it cut short?"


def count_frames(path: Path) -> int:
    """How many frames a video says that it has; 0 if it does not say."""
    capture = cv2.VideoCapture(str(path))
    try:
        return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()
