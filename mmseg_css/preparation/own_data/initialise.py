"""Configs for folders of one's own: the whole way, from the folders to the files and the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmseg_css.preparation.own_data.budget import steps_for
from mmseg_css.preparation.own_data.coding import Coding, find_coding
from mmseg_css.preparation.own_data.configs import Plan, target_files, write_configs
from mmseg_css.preparation.own_data.images import choose_input, choose_sizes
from mmseg_css.preparation.own_data.index_masks import check_owner, index_masks_of, readable_masks
from mmseg_css.preparation.own_data.masks import Colour
from mmseg_css.preparation.own_data.report import print_report, training_commands
from mmseg_css.preparation.own_data.split import Split, split
from mmseg_css.preparation.own_data.survey import Survey, survey
from mmseg_css.preparation.weights import place_of


class Folders(NamedTuple):
    """Of the labelled images, of their masks, of images without masks (if they are apart), and for what is written."""

    images: Path
    masks: Path
    unlabeled: Path | None
    out: Path


class Known(NamedTuple):
    """What the user says of the masks.

    ``classes`` are their names, ``ignore`` is the value or colour of pixels that belong to none, ``names`` a pattern of
    the masks' names where they lie among the images, and ``resize`` allows for masks of another size than their images.
    """

    classes: Sequence[str] | None
    ignore: int | Colour | None
    names: str
    resize: bool


class Wanted(NamedTuple):
    """What ``mmseg-css init --help`` explains; without a seed the lists of an earlier call count."""

    val: float
    seed: int | None
    crop: int
    methods: Sequence[str]


def initialise(folders: Folders, known: Known, wanted: Wanted, *, overwrite: bool) -> dict[str, Path]:
    """Look into every file, say what is wrong or odd, and write lists and configs. Nothing of the user's is changed.

    Returns:
        The config of each method.

    Raises:
        ValueError: Something in the folders does not fit, or an argument does not.
        OSError: A folder is missing, or a file is there already.
    """
    check_owner(folders.out)
    if not overwrite:
        check_targets(folders.out)
    found = survey(*folders[:3], mask_names=known.names, resize_masks=known.resize)
    coding = find_coding(found.masks.values(), known.classes, known.ignore)
    before = lists_in(folders.out)
    parts = _split(found, coding, wanted, before)
    loading, sizes = choose_input(found.images), choose_sizes(found.images, wanted.crop)
    masks = readable_masks(found, coding, folders.out)
    plan = Plan(
        images=folders.images,
        masks=masks.folder,
        mask_suffix=masks.suffix,
        unlabeled=found.unlabeled_folder if found.unlabeled else None,
        repeated=found.repeated,
        split=parts,
        coding=coding,
        input=loading,
        sizes=sizes,
        steps=steps_for(max(len(parts.train), len(found.unlabeled))),
        unlabeled_names=tuple(found.unlabeled) if found.listed else (),
        before=before,
        corrected=masks.copies,
    )
    written = write_configs(plan, folders.out, wanted.methods)
    print_report(found, plan, written, training_commands(written.configs, place_of("efficientnet-lite0"), plan.steps))
    return written.configs


def _split(found: Survey, coding: Coding, wanted: Wanted, before: Split | None) -> Split:
    classes_of = {name: coding.classes_of(mask) for name, mask in found.masks.items()}
    if wanted.seed is None:
        return split(classes_of, wanted.val, before=before)
    return split(classes_of, wanted.val, wanted.seed)


def lists_in(out: Path) -> Split | None:
    """The lists of an earlier call, which are about to be replaced, as they are now."""
    lists = [out / f"{part}.txt" for part in Split._fields]
    if not all(listed.is_file() for listed in lists):
        return None
    texts = (listed.read_text(encoding="utf-8-sig") for listed in lists)
    return Split(*(tuple(filter(None, map(str.strip, text.splitlines()))) for text in texts))


def check_targets(out: Path) -> None:
    """Refuse to replace files."""
    existing = [path for path in (*target_files(out).values(), index_masks_of(out)) if path.exists()]
    if existing:
        raise FileExistsError(f"{str(existing[0])!r} is there already; choose another --out, or say --overwrite")
