"""Files that are there as a whole or not at all, whatever ends the process that writes them."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: Seconds after which nobody is still writing a part, on this machine or another one.
ABANDONED: Final = 60


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A neighbour to write, which becomes ``path`` when the block ends; if that fails ``path`` is as it was.

    The folder is made if there is none. Several processes may write the same file: the last one's stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Remove what `written` left below a folder, whose process was killed; not what others are at."""
    for part in folder.rglob("*.part"):
        if not re.search(r"\.\d+\.part$", part.name):
            continue
        try:
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
        except FileNotFoundError:  # it has just become whole
            continue


def write_bytes(path: Path, content: bytes) -> None:
    """As a whole or not at all."""
    with written(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """As a whole or not at all, in UTF-8 with the line ends that the text has."""
    write_bytes(path, text.encode())
