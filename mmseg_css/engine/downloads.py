"""Pretrained weights that cannot be fetched, said with what to do on a machine without internet."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

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
