"""What may be unpickled: checkpoints load without running code, at every entrance, unless the user says otherwise."""

import importlib
import os
import zipfile
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import mmengine.runner.checkpoint
import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def allow_checkpoint_types() -> None:
    """Let ``torch.load(weights_only=True)`` read what MMEngine's checkpoints hold beside tensors.

    Why: since torch 2.6 that is the default, and it refuses the history of the logged scalars and MMSeg's metrics
    (numpy scalars and arrays), so upstream MMEngine can neither resume nor test its own checkpoints.
    """
    multiarray = importlib.import_module("numpy._core.multiarray")
    dtype_codes = np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            (_history_statistic, "builtins.getattr"),
            np.ndarray,
            np.dtype,
            *{type(np.dtype(code)) for code in dtype_codes},
            (multiarray.scalar, "numpy._core.multiarray.scalar"),
            (multiarray._reconstruct, "numpy._core.multiarray._reconstruct"),
            # Published checkpoints were written before numpy 2.0.
            (multiarray.scalar, "numpy.core.multiarray.scalar"),
            (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
        ]
    )


def _history_statistic(owner: type, name: str) -> Callable[..., Any]:
    """Stands in for ``getattr``, with which HistoryBuffer pickles its statistics, and a crafted file could do more."""
    if owner is not HistoryBuffer or name not in ("mean", "max", "min", "current"):
        raise UnpicklingError(f"getattr of {name!r} on {owner!r}")
    return getattr(owner, name)


def load_checkpoints_safely() -> None:
    """Put our loader wherever MMEngine loads a checkpoint: local files, and URLs of every kind.

    Why: onedl-mmengine, on any type that is not on its own list (MMSeg's float32 metrics, say), logs a warning and
    reloads the file with ``weights_only=False``; its list includes a bare ``getattr``; and leaving its context manager
    takes the types that it shares with our list off that list again. Files from the net go through ``torch.hub`` in
    both families, whose default is ``weights_only=False``.
    """
    checkpoint = mmengine.runner.checkpoint
    checkpoint._safe_torch_load = load_weights_only  # used by onedl-mmengine only
    checkpoint.load_url = _load_url
    checkpoint.CheckpointLoader.register_scheme(prefixes="", loader=load_from_local, force=True)


def trust_checkpoints() -> None:
    """From now on load local checkpoints whatever they hold, also code that runs: what ``--trust-checkpoint`` means."""
    global _trusted
    _trusted = True


_trusted = False


def load_from_local(filename: str, map_location: Any) -> Any:  # MMEngine logs the end of this name
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no checkpoint {path}")
    return load_weights_only(path, map_location)


def _load_url(url: str, **kwargs: Any) -> Any:
    try:
        return without_config(torch.hub.load_state_dict_from_url(url, **kwargs, weights_only=True))
    except UnpicklingError as error:
        raise UnpicklingError(f"{url}: {REFUSED.format(error)}; for files only, so download it first") from None


REFUSED = (
    "the checkpoint holds something that could run code when loaded, so it was not loaded. If you trust its source, "
    "give the option --trust-checkpoint (in Python: mmseg_css.compat.trust_checkpoints()), or allow the type with "
    "torch.serialization.add_safe_globals (torch says: {})"
)


def load_weights_only(file: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
    """``torch.load`` without code execution; what is refused is refused in words (signature: onedl-mmengine's).

    Raises:
        UnpicklingError: The file holds more than weights and what MMEngine keeps beside them.
        ValueError: The file is not whole.
    """
    if isinstance(file, str | os.PathLike) and (fault := damage(file)):
        raise ValueError(
            f"the checkpoint {file} is truncated or corrupt ({fault}); take an earlier one: `--resume` without a path "
            "finds the last that is whole"
        )
    if _trusted or weights_only is False:
        return torch.load(file, map_location=map_location, weights_only=False)
    try:
        return without_config(torch.load(file, map_location=map_location, weights_only=True))
    except UnpicklingError as error:
        raise UnpicklingError(f"{file}: {REFUSED.format(error)}") from None


def damage(file: str | os.PathLike) -> str | None:
    """What is wrong with the bytes of a checkpoint, or None; torch itself does not look at the checksums.

    Files of torch before 1.6 are no archives and have no checksums.
    """
    if not zipfile.is_zipfile(file):
        with open(file, "rb") as content:
            start = content.read(4)
        # An archive's last bytes are its directory.
        return "it is empty" if not start else "its end is missing" if start == b"PK\x03\x04" else None
    try:
        with zipfile.ZipFile(file) as archive:
            faulty = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        return str(error)
    return faulty and f"the checksum of {faulty} is wrong"


def without_config(checkpoint: Any) -> Any:
    """The checkpoint without ``meta['config']``, in place.

    Why: ``Runner.resume`` takes that for a config of MMEngine's first versions and executes it as Python. Its own
    checkpoints keep their config elsewhere.
    """
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("meta"), dict):
        checkpoint["meta"].pop("config", None)
    return checkpoint
