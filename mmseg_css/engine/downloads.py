"""Pretrained weights that cannot be fetched, said with what to do on a machine without internet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from huggingface_hub.utils import LocalEntryNotFoundError  # timm's weights come from there
from mmengine.config import Config

from mmseg_css.datasets.checks.config import pretrained_in


@contextmanager
def downloads_explained(cfg: Config) -> Iterator[None]:
    """Let an error of a download say which setting asks for it.

    Raises:
        ConnectionError: The same, in words.
    """
    try:
        yield
    except URLError as error:
        asked = [f"{key}.checkpoint={url!r}" for key, url in pretrained_in(cfg.model, "model") if "://" in url]
        raise ConnectionError(
            f"pretrained weights could not be fetched ({error.reason}): "
            f"{' and '.join(asked) or 'the config names none'}. Fetch the file where there is internet, and name it in "
            "that key, or set the key above it (init_cfg) to None to begin with random weights"
        ) from error
    except LocalEntryNotFoundError as error:
        asked = [f"{key}.pretrained=True, {name}" for key, name in _timms(cfg.model, "model")]
        raise ConnectionError(
            f"pretrained weights of timm could not be fetched ({' and '.join(asked) or 'the config names none'}). "
            "Build that network once where there is internet, copy ~/.cache/huggingface from there, and set "
            "HF_HUB_OFFLINE=1 here; or set pretrained=False to begin with random weights"
        ) from error


def without_downloads(model: Any) -> None:
    """Let no part of a model's config, in place, fetch pretrained weights where a checkpoint replaces them anyway.

    MMSeg's `TIMMBackbone` fetches them when it is built, also where its config does not say so.
    """
    if isinstance(model, dict):
        kind = model.get("type")
        is_timms = str(kind if isinstance(kind, str) else getattr(kind, "__name__", "")).endswith("TIMMBackbone")
        if model.get("pretrained", is_timms) is True:
            model["pretrained"] = False
    for child in model.values() if isinstance(model, dict) else model if isinstance(model, list | tuple) else ():
        without_downloads(child)


def _timms(config: Any, key: str) -> Iterator[tuple[str, str]]:
    """Where a model's config, which stands under ``key``, asks timm for weights: the key and the network."""
    if isinstance(config, Mapping):
        if config.get("pretrained") is True:
            yield key, config.get("model_name", config.get("type", ""))
        for name, child in config.items():
            yield from _timms(child, f"{key}.{name}")
