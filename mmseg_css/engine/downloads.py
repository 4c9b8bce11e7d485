"""Pretrained weights that cannot be fetched, said with what to do on a machine without internet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from huggingface_hub.utils import LocalEntryNotFoundError  # timm's weights come from there
from mmengine.config import Config

from mmseg_css.config_parts import mappings
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
        asked = [
            f"{place}.pretrained=True, {part.get('model_name', part.get('type', ''))}"
            for place, part in mappings(cfg.model, "model")
            if part.get("pretrained") is True
        ]
        raise ConnectionError(
            f"pretrained weights of timm could not be fetched ({' and '.join(asked) or 'the config names none'}). "
            "Build that network once where there is internet, copy ~/.cache/huggingface from there, and set "
            "HF_HUB_OFFLINE=1 here; or set pretrained=False to begin with random weights"
        ) from error


def without_downloads(model: Any) -> None:
    """Let no part of a model's config, in place, fetch pretrained weights where a checkpoint replaces them anyway.

    MMSeg's `TIMMBackbone` fetches them when it is built, also where its config does not say so.
    """
    for _, part in mappings(model):
        kind = part.get("type")
        is_timms = str(kind if isinstance(kind, str) else getattr(kind, "__name__", "")).endswith("TIMMBackbone")
        if part.get("pretrained", is_timms) is True:
            part["pretrained"] = False
