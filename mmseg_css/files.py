"""Files that are there as a whole or not at all, whatever ends the process that writes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def write_bytes(path: Path, content: bytes) -> None:
    """As a whole or not at all."""
    with written(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """As a whole or not at all, in UTF-8 with the line ends that the text has."""
    write_bytes(path, text.encode())
