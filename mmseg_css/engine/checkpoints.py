"""Checkpoints that survive: written whole or not at all, found again, and refused where they do not fit."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from mmengine.dist import get_world_size
from mmengine.fileio import LocalBackend, register_backend
from torch import Tensor, nn

from mmseg_css.compat import damage
from mmseg_css.version import __version__

#: Rises when a checkpoint of before can no longer be read as it is.
FORMAT: Final = 1
META_KEY: Final = "mmseg_css"
#: What the run that wrote a checkpoint notes of its images, under ``run`` of its meta.
PREPROCESSING: Final = "model.data_preprocessor"
#: A file that names the checkpoints of an earlier training in the same folder.
EARLIER: Final = "earlier_checkpoints"


@register_backend("durable")
class DurableBackend(LocalBackend):
    """MMEngine's file backend of the local disk, whose files appear at once, and only when they are safely on it."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` to ``filepath``, by way of a file beside it.

        Raises:
            OSError: It cannot be written; a file that was there before is as it was.
        """
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.part")
        try:
            with temporary.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OSError(
                error.errno,
                f"{path} cannot be written ({error.strerror}); the checkpoints that are there are whole. Make room on "
                "the disk, then go on with --resume",
            ) from error
        # The new name, too, must be on the disk before an older checkpoint is removed.
        folder = os.open(path.parent, os.O_RDONLY)
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
    for path in [path for path in newest if path.name not in earlier]:
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
    _note_earlier(work_dir, {path.name for path in _regular(work_dir)})


def take_back(work_dir: str | Path, name: str) -> None:
    """Note that a training has written this checkpoint anew."""
    if name in (earlier := _earlier(work_dir)):
        _note_earlier(work_dir, earlier - {name})


def _earlier(work_dir: str | Path) -> set[str]:
    file = Path(work_dir) / EARLIER
    return set(file.read_text().split()) if file.is_file() else set()


def _note_earlier(work_dir: str | Path, names: set[str]) -> None:
    file = Path(work_dir) / EARLIER
    if names:
        file.write_text("\n".join(sorted(names)))
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
    found = checkpoint.get("meta", {}).get(META_KEY, {"format": FORMAT})
    if found["format"] > FORMAT:
        raise ValueError(
            f"{path} has format {found['format']}, written by mmseg_css {found['version']}; this is {__version__}, "
            f"which reads formats up to {FORMAT}: install mmseg_css {found['version']} or later"
        )


def check_fit(model: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> None:
    """Check that a checkpoint holds just what the model does. (MMEngine logs what does not fit, and goes on.)

    Raises:
        ValueError: It is of another model: tensors are missing, superfluous, or of other shapes.
    """
    own = _shapes(model.state_dict())
    found = _shapes(checkpoint.get("state_dict", checkpoint))
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


def preprocessing_of(prepare: Any) -> dict[str, Any]:
    """How a data preprocessor normalises images, as checkpoints note it."""
    normalised = getattr(prepare, "_enable_normalize", False)
    mean, std = (prepare.mean.flatten().tolist(), prepare.std.flatten().tolist()) if normalised else ([0.0], [1.0])
    return {"mean": mean, "std": std, "channels turned": turns_channels(prepare)}


def turns_channels(prepare: Any) -> bool:
    """Whether a data preprocessor turns the order of the channels round."""
    # As MMEngine and onedl-mmsegmentation call it, and upstream MMSegmentation.
    return getattr(prepare, "_channel_conversion", False) or getattr(prepare, "channel_conversion", False)


def check_preprocessing(prepare: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint") -> None:
    """Check that images are normalised as when the checkpoint was trained; older checkpoints do not say how.

    Raises:
        ValueError: They are not, so that what it predicts would mean nothing.
    """
    if other := other_preprocessing(prepare, checkpoint):
        raise ValueError(
            f"{path} was trained on images normalised in another way: {other} in this config, so that the network "
            "would see other pictures than it knows. Take the config that it was trained with (it lies in its work "
            "dir), or correct mean, std, bgr_to_rgb and rgb_to_bgr of model.data_preprocessor"
        )


def other_preprocessing(prepare: nn.Module, checkpoint: Mapping[str, Any]) -> str | None:
    """What is normalised in another way than when the checkpoint was trained, in words, by more than rounding."""
    now = preprocessing_of(prepare)
    then = checkpoint.get("meta", {}).get(META_KEY, {}).get("run", {}).get(PREPROCESSING, now)
    differing = [key for key in now if not _alike(then[key], now[key])]
    return f"{differing[0]} was {then[differing[0]]}, and is {now[differing[0]]}" if differing else None


def _alike(one: list[float] | bool, other: list[float] | bool) -> bool:
    """Whether values for each channel are the same; a single one is that of all channels."""
    first, second = np.atleast_1d(one), np.atleast_1d(other)
    lengths = {len(first), len(second)}
    return (len(lengths) == 1 or 1 in lengths) and np.allclose(first, second, rtol=1e-3, atol=1e-3)


def check_some_fit(
    model: nn.Module, checkpoint: Mapping[str, Any], path: str = "the checkpoint", networks: Sequence[str] = ()
) -> None:
    """Check that a checkpoint to start from holds something of the model, or of one of its ``networks``.

    Raises:
        ValueError: It does not, so that the training would start without it.
    """
    own = _shapes(model.state_dict())
    found = _shapes(checkpoint.get("state_dict", checkpoint))
    if not any(own.get(f"{prefix}{name}") == shape for name, shape in found.items() for prefix in ("", *networks)):
        raise ValueError(
            f"load_from={path!r} holds nothing of this config's {type(model).__name__}, which would train without it: "
            f"its names are like {next(iter(found), 'nothing')!r}, the model's like {next(iter(own))!r}. Weights of a "
            "backbone alone belong into its config: init_cfg=dict(type='Pretrained', checkpoint=...)"
        )


def _shapes(state: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    # Wrappers (of several processes, of test-time augmentation) put a prefix before each name.
    return {
        name.removeprefix("module."): tuple(value.shape) for name, value in state.items() if isinstance(value, Tensor)
    }


def no_checkpoint(path: str, shown: int = 5) -> str:
    """What to say of a checkpoint that is not there: which ones are, in its folder."""
    found = sorted(Path(path).parent.glob("*.pth"), key=lambda other: other.stat().st_mtime, reverse=True)
    if not found:
        return f"there is no checkpoint {path}, and none in {Path(path).parent}"
    more = " ..." if len(found) > shown else ""
    return f"there is no checkpoint {path}; there are {', '.join(map(str, found[:shown]))}{more}"
