"""Masks that ``mmseg-css`` made of the user's masks or annotations, which may have changed since."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from mmseg_css.files import write_text

#: Beside the masks that were made: which file each was made of, and what it held.
RECORD: Final = ".made_of.json"


class Source(NamedTuple):
    """A file, by its path as it was said then; when it was last written, in ns since 1970; SHA-256 of what it held."""

    path: str
    mtime_ns: int
    sha256: str


class Origin(NamedTuple):
    """What masks were made of, by which command: of each mask, by its path in its folder, the source.

    ``folder`` is that of the user's own masks, empty if there was none, and ``ending`` what their names add to those of
    their images. ``out`` is the folder of the configs that read the masks, empty if that was not noted.
    """

    command: str
    sources: Mapping[str, Source]
    folder: str = ""
    ending: str = ""
    out: str = ""


def remember(made: Path, origin: Origin) -> None:
    """Note below ``made`` what the masks there were made of; what was noted before goes."""
    write_text(made / RECORD, json.dumps(origin._asdict(), ensure_ascii=False, indent=1) + "\n")


def origin_of(made: str | Path) -> Origin | None:
    """What the masks below a folder were made of, if we made them and can read what was noted."""
    record = Path(made) / RECORD
    try:
        noted = json.loads(record.read_text(encoding="utf-8"))
        return Origin(**{**noted, "sources": {mask: Source(*source) for mask, source in noted["sources"].items()}})
    except (OSError, ValueError, TypeError, KeyError):  # it only serves a warning
        return None


def source_of(path: str | Path) -> Source:
    """A file as it is now."""
    return Source(Path(path).as_posix(), os.stat(path).st_mtime_ns, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def changed_since(origin: Origin, masks: Iterable[str]) -> list[str]:
    """The sources of these masks that hold something else now.

    Those that are gone are passed over, and read are those alone that were written since.
    """
    sources = dict.fromkeys(origin.sources[mask] for mask in masks if mask in origin.sources)
    there = [source for source in sources if os.path.isfile(source.path)]
    touched = [source for source in there if os.stat(source.path).st_mtime_ns != source.mtime_ns]
    return [source.path for source in touched if source_of(source.path).sha256 != source.sha256]
