"""What makes two trainings the same one."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

#: Keys of a data set that may name a file with a list of images.
LISTS: Final = ("ann_file", "exclude")


def fingerprints(cfg: Mapping[str, Any], trained: Mapping[str, Any]) -> dict[str, Any]:
    """Of a config, and of each image list that it names and that is there: a file, or the names in a folder.

    Args:
        cfg: As its file says it.
        trained: The same with the options of the command line, which may name other lists.
    """
    return {
        "config_sha256": _sha256(json.dumps(cfg, sort_keys=True, default=str).encode()),
        "lists_sha256": {path.as_posix(): _sha256(_images(path)) for path in _lists(trained)},
    }


def differing(known: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Settings that a run was noted to have, and that are others now.

    A record of before may lack some, and a machine without the data the lists.
    """
    other = [key for key, value in own.items() if key != "lists_sha256" and known.get(key, value) != value]
    then, now = (settings.get("lists_sha256", {}) for settings in (known, own))
    return other + [path for path in then.keys() & now.keys() if then[path] != now[path]]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _images(path: Path) -> bytes:
    """What tells the images of a list; sizes would depend on who wrote the files, and their contents take too long."""
    if path.is_file():
        return path.read_bytes()
    inside = ((os.path.relpath(folder, path), names) for folder, _, names in os.walk(path))
    return "\n".join(
        sorted(f"{folder}/{name}" for folder, names in inside for name in names if name[0] != ".")
    ).encode()


def _lists(node: Any) -> Iterator[Path]:
    if isinstance(node, Mapping):
        images = (node.get("data_prefix") or {}).get("img_path")
        if (
            isinstance(images, str)
            and not node.get("ann_file")
            and (folder := Path(node.get("data_root") or "", images)).is_dir()
        ):
            yield folder
        for key, value in node.items():
            if key in LISTS and isinstance(value, str) and value:
                places = (Path(node.get("data_root") or "", value), Path(value))
                yield from [place for place in places if place.is_file()][:1]
            else:
                yield from _lists(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _lists(value)
