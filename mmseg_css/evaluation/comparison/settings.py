"""What makes two trainings the same one."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mmseg_css.locations import PACKAGE

#: Keys of a data set that may name a file with a list of images.
LISTS: Final = ("ann_file", "exclude")
#: Settings that are of files, by their names.
FILES: Final = ("lists_sha256", "code_sha256")
INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


def fingerprints(cfg: Mapping[str, Any], trained: Mapping[str, Any]) -> dict[str, Any]:
    """Of a config, of each image list that it names and that is there (a file, or the names in a folder), and of the
    modules of ``custom_imports``.

    Args:
        cfg: As its file says it.
        trained: The same with the options of the command line, which may name other lists.
    """
    return {
        "config_sha256": _sha256(json.dumps(_with_ends(cfg), sort_keys=True, default=str).encode()),
        "lists_sha256": {path.as_posix(): _sha256(_images(path)) for path in _lists(trained)},
        "code_sha256": {name: _sha256(code) for name, code in _modules(trained)},
    }


def differing(known: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Settings that a run was noted to have, and that are others now.

    A record of before may lack some, and a machine without the data the lists.
    """
    other = [key for key, value in own.items() if key not in FILES and known.get(key, value) != value]
    for kind in FILES:
        then, now = (settings.get(kind, {}) for settings in (known, own))
        other += [name for name in then.keys() & now.keys() if then[name] != now[name]]
    return other


def _with_ends(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """With begin and end of each scheduler: one that has none ends with the training, as one that says so."""
    found, schedulers = {**cfg}, cfg.get("param_scheduler")
    if isinstance(schedulers, list):
        whole = {"begin": 0, "end": (cfg.get("train_cfg") or {}).get("max_iters")}
        found["param_scheduler"] = [{**whole, **one} for one in schedulers]
    return found


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


def _modules(cfg: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Source of the modules that the config imports, of a package that of all its files; not of what they import.

    Nor of what was installed, this package included: a record notes the versions that it was made with.
    """
    imports = (cfg.get("custom_imports") or {}).get("imports") or ()
    for name in [imports] if isinstance(imports, str) else imports:
        try:
            found = find_spec(name)
        except ImportError:  # the training will say so
            continue
        if found is None or not found.origin or not found.has_location:
            continue
        path = Path(found.origin)
        if PACKAGE not in path.parents and not INSTALLED & {*path.parts}:
            files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
            yield name, b"".join(file.read_bytes() for file in files)


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
