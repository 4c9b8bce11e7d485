"""Pretrained weights that cannot be fetched, said with what to do on a machine without internet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from mmengine.config import Config


@contextmanager
def downloads_explained(cfg: Config) -> Iterator[None]:
    """Let an error of a download say which setting asks for it.

    Raises:
        ConnectionError: The same, in words.
    """
    try:
        yield
    except URLError as error:
        asked = [f"{key}.checkpoint={url!r}" for key, url in _urls(cfg.model, "model")]
        raise ConnectionError(
            f"pretrained weights could not be fetched ({error.reason}): "
            f"{' and '.join(asked) or 'the config names none'}. Fetch the file where there is internet, and name it in "
            "that key, or set the key above it (init_cfg) to None to begin with random weights"
        ) from error


def _urls(node: Any, key: str) -> Iterator[tuple[str, str]]:
    """What a model's config fetches, by key."""
    if isinstance(node, Mapping):
        if node.get("type") == "Pretrained" and "://" in str(node.get("checkpoint")):
            yield key, node["checkpoint"]
        for name, child in node.items():
            yield from _urls(child, f"{key}.{name}")
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from _urls(child, f"{key}.{index}")
