"""Files that are there as a whole or not at all, whatever ends the process that writes them."""

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

#: Seconds after which nobody is still writing a part, on this machine or another one.
ABANDONED: Final = 60
#: How a folder begins in which something new is written; no pictures are looked for in hidden ones.
NEW: Final = ".new-"
#: What says that somebody is at work in a folder.
LOCK: Final = f"{NEW}lock"


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


def read_json(path: Path, remedy: str) -> Any:
    """What a JSON file holds.

    Raises:
        ValueError: It is damaged; the message says the remedy, too.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # also of what is no UTF-8
        raise ValueError(f"{path} is damaged ({error}): {remedy}") from None


def is_left(path: Path) -> bool:
    """Whether `hidden_within` is what this was, of a process that was killed, or is, of one that is at work."""
    return path.name.startswith(NEW)


@contextmanager
def hidden_within(folder: Path) -> Iterator[Path]:
    """A folder to write into, which goes when the block ends; what is to stay has to be moved out of it.

    It lies within: what is above a share or a mount may be nobody's to write into. What a process that was killed left
    of one goes, too.

    Raises:
        FileExistsError: Another process is at work there, whose folder would go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        for left in [path for path in folder.iterdir() if is_left(path) and path.is_dir()]:
            shutil.rmtree(left)
        with TemporaryDirectory(dir=folder, prefix=NEW) as new:
            yield Path(new)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # not above: asyncio comes with it, for which no --help waits

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FileExistsError(
            f"another call is writing into {folder}: wait for it, or name another folder (--out)"
        ) from None
    except (OSError, NotImplementedError):  # a file system without locks
        pass
    try:
        yield
    finally:
        with suppress(OSError):  # on Windows it goes with the lock
            (folder / LOCK).unlink()
        lock.release()


@contextmanager
def replacing(folder: Path, old: Collection[str]) -> Iterator[Path]:
    """A folder to write into. If all goes well, what it holds takes the place of ``old``, names in ``folder``; else
    these stay.

    Raises:
        FileExistsError: Another process is at work there.
    """
    with hidden_within(folder) as new:
        yield new
        for path in (folder / name for name in old):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for path in new.iterdir():
            path.replace(folder / path.name)
