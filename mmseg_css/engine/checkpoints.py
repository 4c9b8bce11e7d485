"""Checkpoints that survive: written whole or not at all, found again, and refused where they do not fit."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mmengine.dist import get_world_size
from mmengine.fileio import LocalBackend, register_backend
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmseg_css.compat import damage
from mmseg_css.files import write_text, written
from mmseg_css.version import __version__

#: Rises when a checkpoint of before can no longer be read as it is.
FORMAT: Final = 1
META_KEY: Final = "mmseg_css"
#: A file that names the checkpoints of an earlier training in the same folder, with the times of their writing.
EARLIER: Final = "earlier_checkpoints"
SHOWN: Final = 5  # names of other files in a message


@register_backend("durable")
class DurableBackend(LocalBackend):
    """MMEngine's file backend of the local disk, whose files appear at once, and only when they are safely on it."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` to ``filepath``, by way of a file beside it.

        Raises:
            OSError: It cannot be written; a file that was there before is as it was.
        """
        path = Path(filepath)
        try:
            with written(path) as part, part.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(
                error.errno,
                f"{path} cannot be written ({error.strerror}); the checkpoints that are there are whole. Make room on "
                "the disk, then go on with --resume",
            ) from error
        _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """The new name, too, must be on the disk before an older checkpoint is removed, where folders can be synced."""
    with suppress(OSError):  # not on Windows, nor on some file systems of a network
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def latest_whole(work_dir: str | Path) -> tuple[Path | None, list[str]]:
    """The checkpoint to resume from, if there is one, and what was passed over, in words.

    First comes the one that MMEngine's file ``last_checkpoint`` names (the one beside it, if the folder was copied),
    then the others, the newest first; none that was there before the training began (`set_aside`).

    Raises:
        ValueError: There are checkpoints, but none is whole.
    """
    work_dir = Path(work_dir)
    newest = sorted(
        _regular(work_dir),
        key=lambda path: (path.stat().st_mtime_ns, int(re.sub(r"\D", "", path.name))),
        reverse=True,
    )
    earlier = _earlier(work_dir)
    named = work_dir / "last_checkpoint"
    last = Path(named.read_text().strip()) if named.is_file() else None
    if last is not None and (work_dir / last.name).is_file():
        last = work_dir / last.name
    if last is not None and last.is_file():
        newest = [last, *(path for path in newest if path.resolve() != last.resolve())]
    notes: list[str] = []
    for path in [path for path in newest if path.stat().st_mtime_ns > earlier.get(path.name, -1)]:
        fault = damage(path)
        if fault is None:
            return path, notes
        notes.append(f"{path} is truncated or corrupt ({fault}) and is passed over")
    if earlier:
        return None, [*notes, f"the checkpoints in {work_dir} are of an earlier training and are passed over"]
    if notes:
        raise ValueError(
            f"no checkpoint in {work_dir} is whole: {'; '.join(notes)}. Leave out --resume to start again from the "
            "beginning, or name a copy: --resume PATH"
        )
    return None, notes


def set_aside(work_dir: str | Path) -> None:
    """Note that the checkpoints in the folder of a training that begins are not its own."""
    _note_earlier(work_dir, {path.name: path.stat().st_mtime_ns for path in _regular(work_dir)})


def take_back(work_dir: str | Path, name: str) -> None:
    """Note that a training has written this checkpoint anew."""
    if name in (earlier := _earlier(work_dir)):
        _note_earlier(work_dir, {other: time for other, time in earlier.items() if other != name})


def _earlier(work_dir: str | Path) -> dict[str, int]:
    """When the checkpoints of an earlier training were written: what is newer has only their names, since a training
    that is killed may have no time to take it back. Notes of before say names alone.
    """
    file = Path(work_dir) / EARLIER
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return {name: int(time or sys.maxsize) for name, _, time in (line.partition(" ") for line in lines)}


def _note_earlier(work_dir: str | Path, times: Mapping[str, int]) -> None:
    file = Path(work_dir) / EARLIER
    if times:
        write_text(file, "".join(f"{name} {time}\n" for name, time in sorted(times.items())))
    else:
        file.unlink(missing_ok=True)


def _regular(work_dir: str | Path) -> list[Path]:
    return [path for path in Path(work_dir).glob("*.pth") if re.fullmatch(r"(iter|epoch)_\d+\.pth", path.name)]


def stamp(checkpoint: dict[str, Any]) -> None:
    """Note in the checkpoint's meta what wrote it."""
    checkpoint["meta"][META_KEY] = {"format": FORMAT, "version": __version__, "processes": get_world_size()}


def not_exact(checkpoint: Mapping[str, Any]) -> str | None:
    """What cannot be exact when training goes on from this checkpoint here, or None."""
    now = get_world_size()
    before = checkpoint["meta"].get(META_KEY, {}).get("processes", now)  # older ones do not say
    if before == now:
        return None
    return (
        f"the checkpoint was written by {before} processes, and now there are {now}: weights, teacher, prototypes, "
        "optimiser and schedule go on exactly, but random draws, rounding and batch statistics are others from here "
        "on, and the order of the images goes on exactly only if train_dataloader.batch_size times the processes "
        "stays the same"
    )


def check_format(checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> None:
    """Check that this version can read a checkpoint; those without a stamp are older, or of plain MMSeg.

    Raises:
        ValueError: It was written by a later version, in another format.
    """
    found = meta_of(checkpoint).get(META_KEY, {"format": FORMAT})
    if found["format"] > FORMAT:
        raise ValueError(
            f"{path} has format {found['format']}, written by mmseg_css {found['version']}; this is {__version__}, "
            f"which reads formats up to {FORMAT}: install mmseg_css {found['version']} or later"
        )


def meta_of(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a checkpoint says of itself; nothing, where it is but weights."""
    return checkpoint.get("meta") or {}


def weights_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint holds of a model, under the model's own names."""
    # Wrappers (of several processes, of test-time augmentation) put a prefix before each name.
    return {name.removeprefix("module."): value for name, value in checkpoint.get("state_dict", checkpoint).items()}


def check_fit(model: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> None:
    """Check that a checkpoint holds just what the model does. (MMEngine logs what does not fit, and goes on.)

    Raises:
        ValueError: It is of another model: tensors are missing, superfluous, or of other shapes.
    """
    own, found = _shapes(model.state_dict()), _shapes(checkpoint)
    other = sorted(name for name in own.keys() & found.keys() if own[name] != found[name])
    missing, superfluous = sorted(own.keys() - found.keys()), sorted(found.keys() - own.keys())
    classes = [name for name in other if name.endswith("conv_seg.weight")]
    if classes:
        raise ValueError(
            f"{path} was trained with {found[classes[0]][0]} classes, the config has {own[classes[0]][0]}: set "
            "num_classes and the data set to those of the checkpoint, or take the checkpoint that belongs to the config"
        )
    faults = [
        f"{len(names)} tensors {what} (the first: {names[0]})"
        for names, what in (
            (missing, "are missing"),
            (superfluous, "are unknown to the model"),
            (other, "have another shape"),
        )
        if names
    ]
    if faults:
        raise ValueError(
            f"{path} is not a checkpoint of this config's {type(model).__name__}: {', '.join(faults)}. Take the config "
            "that it was trained with (it lies in its work dir)"
        )


def check_some_fit(
    model: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint", networks: Sequence[str] = ()
) -> None:
    """Check that a checkpoint to start from holds something of the model, or of one of its ``networks``.

    Raises:
        ValueError: It does not, so that the training would start without it.
    """
    own, found = _shapes(model.state_dict()), _shapes(checkpoint)
    if not any(own.get(f"{prefix}{name}") == shape for name, shape in found.items() for prefix in ("", *networks)):
        raise ValueError(
            f"load_from={path!r} holds nothing of this config's {type(model).__name__}, which would train without it: "
            f"its names are like {next(iter(found), 'nothing')!r}, the model's like {next(iter(own))!r}. Weights of a "
            "backbone alone belong into its config: init_cfg=dict(type='Pretrained', checkpoint=...)"
        )


def check_pretrained_fit(model: nn.Module) -> None:
    """Check that pretrained weights that a config names for parts of a model hold something of these parts.

    Parts with an ``init_weights`` of their own may read other names than theirs, and are passed over.

    Raises:
        ValueError: One holds nothing of its part, which would start from random weights.
    """
    seen = set()
    for place, part in model.named_modules():
        named = getattr(part, "init_cfg", None)
        if not isinstance(named, Mapping) or named.get("type") != "Pretrained":
            continue
        path, prefix = named["checkpoint"], (named.get("prefix") or "").rstrip(".")
        if (path, prefix) in seen or type(part).init_weights is not BaseModule.init_weights:
            continue
        seen.add((path, prefix))
        found = CheckpointLoader.load_checkpoint(path, map_location="cpu", logger="silent")
        names, own = _shapes(found), _shapes(part.state_dict())
        start = f"{prefix}." if prefix else ""
        if not any(f"{start}{name}" in names and names[f"{start}{name}"] == shape for name, shape in own.items()):
            raise ValueError(
                f"the pretrained weights {path!r} hold nothing of the {type(part).__name__} that is to start from "
                f"them: their names are like {next(iter(names), 'nothing')!r}, its own like {next(iter(own))!r}. Of a "
                "whole network's checkpoint say which part: init_cfg=dict(type='Pretrained', "
                f"prefix='{place.rpartition('.')[2]}.', checkpoint=...)"
            )


def _shapes(checkpoint: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights_of(checkpoint).items() if isinstance(value, Tensor)}


def check_checkpoint(path: str, option: str | None = None) -> None:
    """Check that a checkpoint, given by an option of the command line or without one, is there; a URL may be.

    Raises:
        FileNotFoundError: It is not.
    """
    if "://" not in path and not Path(path).is_file():
        raise FileNotFoundError((f"{option}: " if option else "") + no_checkpoint(path))


def no_checkpoint(path: str) -> str:
    """What to say of a checkpoint that is not there, or is a folder: which ones are, in the folder."""
    is_folder = Path(path).is_dir()
    folder = Path(path) if is_folder else Path(path).parent
    asked = f"{path} is a folder and no checkpoint" if is_folder else f"there is no checkpoint {path}"
    found = sorted(folder.glob("*.pth"), key=lambda other: other.stat().st_mtime, reverse=True)
    if not found:
        return f"{asked}, and none {'lies in it' if is_folder else f'in {folder}'}"
    more = " ..." if len(found) > SHOWN else ""
    return f"{asked}; there are {', '.join(map(str, found[:SHOWN]))}{more}"
