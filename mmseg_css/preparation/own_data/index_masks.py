"""Masks that MMSeg reads: the user's own, or class indices written anew."""

from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from mmseg_css.datasets.rewritten import RECORD, Origin, Source, origin_of, remember, source_of
from mmseg_css.files import hidden_within
from mmseg_css.preparation.own_data.coding import Coding, to_indices, write_indices
from mmseg_css.preparation.own_data.configs import config_path, set_aside
from mmseg_css.preparation.own_data.folders import without_ending
from mmseg_css.preparation.own_data.survey import Survey


class Masks(NamedTuple):
    """The folder and the suffix of masks that MMSeg reads, and what was set aside of those that were there: masks that
    had been changed by hand."""

    folder: Path
    suffix: str
    copies: tuple[Path, ...] = ()


def index_masks_of(out: Path) -> Path:
    """The folder of the masks that are written anew for the configs in ``out``."""
    return Path("data") / out.resolve().name / "index_masks"


def check_owner(out: Path) -> None:
    """Check that the configs of no other folder of the same name read the masks that would be written for ``out``.

    Raises:
        FileExistsError: They do.
    """
    index_masks = index_masks_of(out)
    origin = origin_of(index_masks)
    if origin and origin.out and Path(origin.out).exists() and Path(origin.out).resolve() != out.resolve():
        raise FileExistsError(
            f"{str(index_masks)!r} holds masks for the configs in {origin.out!r}, and what is written there for "
            f"{str(out)!r} may mean other classes; choose an --out with another last name, or remove {origin.out!r} if "
            "you need it no more"
        )


def readable_masks(found: Survey, coding: Coding, out: Path) -> Masks:
    """Masks that MMSeg reads: the user's own, or new ones, each at the path of its image.

    Args:
        found: What the folders hold.
        coding: Which value or colour is which class.
        out: The folder of the configs, which names that of new masks.

    Raises:
        ValueError: That would be among the user's images or masks.
    """
    suffix = found.pairing.mask_suffix
    if coding.readable and suffix is not None and not found.resized:
        return Masks(found.masks_folder, suffix)
    index_masks = index_masks_of(out)
    for folder in (found.images_folder, found.masks_folder, found.unlabeled_folder):
        if index_masks.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"masks of class indices would be written to {str(index_masks)!r}, within {str(folder)!r}, and be "
                "taken for images or masks there; choose another name for --out, which names their folder too"
            )
    return Masks(index_masks, ".png", _write(found, coding, index_masks, config_path(out)))


def _write(found: Survey, coding: Coding, index_masks: Path, out: str) -> tuple[Path, ...]:
    """Write a mask for each image, all of them before the first one is replaced: masks of two codings would be learnt
    from under one config. Returns what was set aside."""
    sources: dict[str, Source] = {}
    copies: list[Path] = []
    own = config_path(found.masks_folder)
    record = index_masks / RECORD
    written = record.stat().st_mtime_ns if record.is_file() else None
    with hidden_within(index_masks) as new:
        for pair in tqdm(found.pairing.pairs, desc="masks of class indices", leave=False, delay=1):
            labels = to_indices(found.masks_folder / pair.mask, coding, found.labeled[pair.image].size)
            mask = f"{without_ending(pair.image)}.png"
            write_indices(new / mask, labels, coding.palette)
            sources[mask] = source_of(f"{own}/{pair.mask}")
        for mask in sources:
            target = index_masks / mask
            if written is not None and _changed(target, written, new / mask):
                copies.append(set_aside(target))
            target.parent.mkdir(parents=True, exist_ok=True)
            (new / mask).replace(target)
    remember(index_masks, Origin("mmseg-css init", sources, own, found.pairing.ending, out))
    return tuple(copies)


def _changed(mask: Path, written: int, new: Path) -> bool:
    """Whether a mask was changed after all were ``written`` (ns since 1970), to something else than what is new."""
    return mask.is_file() and mask.stat().st_mtime_ns > written and mask.read_bytes() != new.read_bytes()
