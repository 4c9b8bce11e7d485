"""Reading and writing: those that exist are left alone."""

import io
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from mmseg_css.extras import check_extra
from mmseg_css.files import write_bytes
from mmseg_css.preparation.benchmarks.recipe import Maker


def write_files(makers: Mapping[Path, Maker], *, overwrite: bool = False, threads: int = 8) -> tuple[int, int]:
    """Write the files that are not there yet, so that an interrupted run goes on where it stopped.

    Args:
        makers: The content of each file.
        overwrite: Write files that are there, too.
        threads: Files made at a time.

    Returns:
        How many files were written, and how many were there and stay as they are.
    """
    wanted = [path for path in makers if overwrite or not path.exists()]
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(lambda path: write_bytes(path, makers[path]()), wanted)
        for _ in tqdm(done, desc="writing", total=len(wanted), unit="file", disable=not wanted):
            pass
    return len(wanted), len(makers) - len(wanted)


def png(labels: UInt8[np.ndarray, "h w"]) -> bytes:
    """A mask as a PNG file of one channel, class indices without a palette."""
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "PNG")
    return file.getvalue()


def read_labels(path: Path) -> UInt8[np.ndarray, "h w"]:
    """The class indices of a PNG mask: grey values, or places in the palette.

    Raises:
        ValueError: The file is no such image.
    """
    try:
        with Image.open(path) as image:
            mode, labels = image.mode, np.array(image)
    except FileNotFoundError:
        raise
    except Exception as error:  # decoders raise what they like
        raise ValueError(f"the mask {str(path)!r} cannot be read ({error}); unpack its archive again") from error
    if mode not in ("L", "P"):
        raise ValueError(f"the mask {str(path)!r} holds colours (mode {mode}), not class indices; unpack its archive")
    return labels


def read_lines(path: Path, remedy: str) -> list[str]:
    """The lines of a list, without empty ones.

    Raises:
        FileNotFoundError: There is no such list.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no list {str(path)!r}; {remedy}")
    return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def ids_text(ids: Iterable[str]) -> bytes:
    """A list, one id per line."""
    return "".join(f"{image_id}\n" for image_id in ids).encode()


def find(folder: Path, pattern: str, remedy: str) -> list[Path]:
    """The files that match a pattern, in order.

    Raises:
        FileNotFoundError: There are none.
    """
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"{str(folder)!r} holds no {pattern}; {remedy}")
    return paths


def optional_module(name: str, purpose: str) -> Any:
    """A module of the extra ``data``.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    check_extra("data", purpose, name.partition(".")[0])
    return import_module(name)
