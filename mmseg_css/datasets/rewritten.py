"""Masks that ``mmseg-css`` made of the user's masks or annotations, which may have changed since."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

#: Beside the masks that were made: which file each was made of, and what it held.
RECORD: Final = ".made_of.json"


class Content(NamedTuple):
    """When a file was last written, in nanoseconds since 1970, and the SHA-256 of what it held."""

    mtime_ns: int
    sha256: str


class Origin(NamedTuple):
    """What masks were made of, by which command: files, by their path as it was said then.

    ``masks`` is the folder of the user's masks, empty if there was none, and ``ending`` what their names add to those
    of their images.
    """

    command: str
    files: Mapping[str, Content]
    masks: str = ""
    ending: str = ""


def remember(made: Path, command: str, files: Iterable[str | Path], *, masks: str = "", ending: str = "") -> None:
    """Note below ``made`` what its masks were made of (see `Origin`), beside what an earlier call has noted."""
    before = origin_of(made)
    known = dict(before.files) if before is not None else {}
    known |= {Path(file).as_posix(): _content(file) for file in files}
    origin = Origin(command, known, masks, ending)
    (made / RECORD).write_text(json.dumps(origin._asdict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def origin_of(made: str | Path) -> Origin | None:
    """What the masks below a folder were made of, if we made them."""
    record = Path(made) / RECORD
    if not record.is_file():
        return None
    noted = json.loads(record.read_text(encoding="utf-8"))
    return Origin(**{**noted, "files": {name: Content(*content) for name, content in noted["files"].items()}})


def changed_since(origin: Origin) -> list[str]:
    """The files that hold something else now. Those that are gone are passed over, and read are those alone that were
    written since."""
    there = [name for name in origin.files if os.path.isfile(name)]
    touched = [name for name in there if os.stat(name).st_mtime_ns != origin.files[name].mtime_ns]
    return [name for name in touched if _content(name).sha256 != origin.files[name].sha256]


def _content(file: str | Path) -> Content:
    return Content(os.stat(file).st_mtime_ns, hashlib.sha256(Path(file).read_bytes()).hexdigest())
