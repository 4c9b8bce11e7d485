"""The parts of a config."""

from collections.abc import Iterator, Mapping
from typing import Any


def mappings(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every dict within a part of a config that stands at ``place``, outer ones first, each with its own place.

    >>> [place for place, _ in mappings({"neck": [{"type": "FPN"}]}, "model.segmentor")]
    ['model.segmentor', 'model.segmentor.neck[0]']
    """
    if isinstance(node, Mapping):
        yield place, node
        for key, child in node.items():
            yield from mappings(child, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from mappings(child, f"{place}[{index}]")
