"""What makes two trainings the same one."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

#: Keys of a data set that may name a file with a list of images.
LISTS: Final = ("ann_file", "exclude")


def fingerprints(cfg: Mapping[str, Any]) -> dict[str, str]:
    """Of a config, and of the contents of the image lists that it names."""
    return {
        "config_sha256": _sha256(json.dumps(cfg, sort_keys=True, default=str).encode()),
        "lists_sha256": _sha256(b"\n\n".join(path.read_bytes() for path in _lists(cfg))),
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lists(node: Any) -> Iterator[Path]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in LISTS and isinstance(value, str) and value:
                places = (Path(node.get("data_root") or "", value), Path(value))
                yield from [place for place in places if place.is_file()][:1]
            else:
                yield from _lists(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _lists(value)
