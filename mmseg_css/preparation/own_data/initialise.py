"""Configs for folders of one's own: the whole way, from the folders to the files and the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config
from tqdm import tqdm

from mmseg_css.locations import CONFIGS
from mmseg_css.preparation.own_data.coding import Coding, find_coding, to_indices, write_indices
from mmseg_css.preparation.own_data.configs import Plan, target_files, write_configs
from mmseg_css.preparation.own_data.folders import stem
from mmseg_css.preparation.own_data.images import choose_input, choose_sizes
from mmseg_css.preparation.own_data.masks import Colour
from mmseg_css.preparation.own_data.report import print_report, training_commands
from mmseg_css.preparation.own_data.split import split
from mmseg_css.preparation.own_data.survey import Survey, survey
from mmseg_css.preparation.weights import WEIGHTS


class Folders(NamedTuple):
    """Of the labelled images, of their masks, of images without masks (if they are apart), and for what is written."""

    images: Path
    masks: Path
    unlabeled: Path | None
    out: Path


class Known(NamedTuple):
    """What the user says of the masks: names of the classes, and the value or colour of pixels that belong to none."""

    classes: Sequence[str] | None
    ignore: int | Colour | None


def initialise(folders: Folders, known: Known, *, val: float, seed: int, crop: int, overwrite: bool) -> None:
    """Look into every file, say what is wrong or odd, and write lists and configs. Nothing of the user's is changed.

    ``mmseg-css init --help`` says what ``val``, ``seed``, ``crop`` and ``overwrite`` are.

    Raises:
        ValueError: Something in the folders does not fit, or an argument does not.
        OSError: A folder is missing, or a file is there already.
    """
    index_masks = Path("data") / folders.out.resolve().name / "index_masks"
    if not overwrite:
        check_targets(folders.out, index_masks)
    found = survey(folders.images, folders.masks, folders.unlabeled)
    coding = find_coding(found.masks.values(), known.classes, known.ignore)
    parts = split({name: coding.classes_of(mask) for name, mask in found.masks.items()}, val, seed)
    loading, sizes = choose_input(found.images), choose_sizes(found.images, crop)
    masks, suffix = readable_masks(found, coding, index_masks)
    plan = Plan(
        images=folders.images,
        masks=masks,
        mask_suffix=suffix,
        unlabeled=found.unlabeled_folder if found.unlabeled else None,
        repeated=found.repeated,
        split=parts,
        coding=coding,
        input=loading,
        sizes=sizes,
    )
    written = write_configs(plan, folders.out, CONFIGS / "_base_")
    iterations = max(Config.fromfile(path).train_cfg.max_iters for path in written.values())  # and so all are read
    print_report(found, plan, written, training_commands(written, WEIGHTS, iterations))


def check_targets(out: Path, index_masks: Path) -> None:
    """Refuse to replace files."""
    existing = [path for path in (*target_files(out).values(), index_masks) if path.exists()]
    if existing:
        raise FileExistsError(f"{str(existing[0])!r} is there already; choose another --out, or say --overwrite")


def readable_masks(found: Survey, coding: Coding, index_masks: Path) -> tuple[Path, str]:
    """Folder and suffix of masks that MMSeg reads: the user's own, or new ones."""
    suffix = found.pairing.mask_suffix
    if coding.readable and suffix is not None:
        return found.masks_folder, suffix
    for folder in (found.images_folder, found.masks_folder, found.unlabeled_folder):
        if index_masks.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"masks of class indices would be written to {str(index_masks)!r}, within {str(folder)!r}, and be "
                "taken for images or masks there; choose another name for --out, which names their folder too"
            )
    for pair in tqdm(found.pairing.pairs, desc="masks of class indices", leave=False, delay=1):
        labels = to_indices(found.masks_folder / pair.mask, coding)
        write_indices(index_masks / f"{stem(pair.image)}.png", labels, coding.palette)
    return index_masks, ".png"
