"""Which file each prediction was made of, so that no other one is taken for it."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from io import BufferedReader, BytesIO
from os import path as osp
from pathlib import Path
from typing import Final, NamedTuple

#: Beside the record of the whole folder: a line for each image, the last one of an image counts.
SOURCES: Final = "sources.jsonl"


class Source(NamedTuple):
    """A file as it was when it was read.

    Attributes:
        path: Absolute, with links as they are.
        size: In bytes.
        mtime_ns: When it was changed last.
        sha256: The first 16 digits. What was moved or copied is the same file.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str


class Made(NamedTuple):
    """What was noted of a prediction: its file, and the digest of the mask that was written."""

    source: Source
    mask: str


def source_of(path: Path) -> Source:
    """A file as it is.

    Raises:
        ValueError: It is not there, or cannot be read.
    """
    try:
        size, mtime_ns = (status := path.stat()).st_size, status.st_mtime_ns
        return Source(osp.abspath(path), size, mtime_ns, _digest_as_it_is(path, size, mtime_ns))
    except OSError as error:
        raise ValueError(f"the file {str(path)!r} cannot be read ({error.strerror})") from error


@cache  # a video is asked for by each of its frames
def _digest_as_it_is(path: Path, size: int, mtime_ns: int) -> str:
    return digest_at(path)


def digest_at(path: Path) -> str:
    """That of the file at a path."""
    with path.open("rb") as file:
        return digest_of(file)


def digest_of(file: BufferedReader | BytesIO) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256."""
    return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class Sources:
    """What is noted in a folder of predictions.

    Each note is appended before a file of its image is written: where an interruption falls in between, files are
    missing and are written anew.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / SOURCES
        self._made: dict[str, Made] = {}
        for line in self.file.read_bytes().splitlines() if self.file.is_file() else ():
            try:
                name, source, mask = json.loads(line)
            except ValueError:  # blank, or cut off by the end of a process
                continue
            self._made[name] = Made(Source(*source), mask)

    def __getitem__(self, name: str) -> Made | None:
        return self._made.get(name)

    def __iter__(self) -> Iterator[str]:
        """The names of the images of which something is noted."""
        return iter(self._made)

    def note(self, name: str, source: Source, mask: str) -> None:
        """Note what a prediction is made of."""
        self._made[name] = Made(source, mask)
        with self.file.open("a", encoding="utf-8") as file:
            # A line begins with its break, so that one that was cut off spoils no other.
            file.write(f"\n{json.dumps([name, source, mask])}")


def is_same(before: Source, path: Path) -> bool:
    """Whether a file has the content that was noted; it is read only if it looks changed.

    Raises:
        ValueError: It is not there, or cannot be read.
    """
    if path.is_file():
        status = path.stat()
        if (osp.abspath(path), status.st_size, status.st_mtime_ns) == before[:3]:
            return True
        if status.st_size != before.size:
            return False
    return source_of(path).sha256 == before.sha256
