"""Configs for your own images: ``python tools/init_dataset.py IMAGES MASKS [UNLABELED] --out configs/own``.

Looks into every file, says what is wrong or odd, takes some labelled images for validation, and writes configs for
supervised-only, CSS and PC2Seg. Masks that MMSegmentation cannot read (colours, 0 and 255) are written anew, as PNGs of
class indices; nothing of yours is changed. See docs/own-data.md.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

import mmseg_css  # noqa: E402, F401  (checks the stack)

# isort: split
from mmengine.config import Config  # noqa: E402
from tqdm import tqdm  # noqa: E402

from mmseg_css.preparation.own_data.coding import Coding, find_coding, to_indices, write_indices  # noqa: E402
from mmseg_css.preparation.own_data.configs import Plan, config_path, target_files, write_configs  # noqa: E402
from mmseg_css.preparation.own_data.folders import stem  # noqa: E402
from mmseg_css.preparation.own_data.images import choose_input, choose_sizes  # noqa: E402
from mmseg_css.preparation.own_data.masks import Colour  # noqa: E402
from mmseg_css.preparation.own_data.report import print_report, training_commands  # noqa: E402
from mmseg_css.preparation.own_data.split import split  # noqa: E402
from mmseg_css.preparation.own_data.survey import Survey, survey  # noqa: E402

WEIGHTS = Path("work_dirs/pretrained/tf_efficientnet_lite0.pth")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, metavar="IMAGES", help="folder of the labelled images")
    parser.add_argument("masks", type=Path, metavar="MASKS", help="folder of their masks, named alike")
    parser.add_argument(
        "unlabeled",
        type=Path,
        nargs="?",
        metavar="UNLABELED",
        help="folder of images without masks (default: those of IMAGES that have none)",
    )
    parser.add_argument("--out", type=Path, default=Path("configs/own"), help="folder for configs and lists")
    parser.add_argument("--classes", type=class_names, metavar="A,B,C", help="names (default: class_0, class_1, ...)")
    parser.add_argument(
        "--ignore",
        type=value_or_colour,
        metavar="VALUE|R,G,B",
        help="value or colour of pixels that belong to no class (default: 255 where masks hold class indices)",
    )
    parser.add_argument("--val", type=float, default=0.2, help="share of the labelled images that validate")
    parser.add_argument("--seed", type=int, default=0, help="which labelled images validate")
    parser.add_argument(
        "--crop", type=int, default=512, help="largest side of what the network trains on, a multiple of 16"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier call wrote")
    return parser.parse_args(argv)


def class_names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"expected different names with commas between them, got {text!r}")
    return names


def value_or_colour(text: str) -> int | Colour:
    numbers = [int(part) if part.strip().isdecimal() else -1 for part in text.split(",")]
    if len(numbers) not in (1, 3) or not all(0 <= number <= 255 for number in numbers):
        raise argparse.ArgumentTypeError(f"expected a number or R,G,B, each from 0 to 255, got {text!r}")
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1], numbers[2])


def check_targets(args: argparse.Namespace, index_masks: Path) -> None:
    """Refuse to replace files."""
    existing = [path for path in (*target_files(args.out).values(), index_masks) if path.exists()]
    if existing and not args.overwrite:
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


def init_dataset(args: argparse.Namespace) -> None:
    index_masks = Path("data") / args.out.resolve().name / "index_masks"
    check_targets(args, index_masks)
    found = survey(args.images, args.masks, args.unlabeled)
    coding = find_coding(found.masks.values(), args.classes, args.ignore)
    parts = split({name: coding.classes_of(mask) for name, mask in found.masks.items()}, args.val, args.seed)
    loading, sizes = choose_input(found.images), choose_sizes(found.images, args.crop)
    masks, suffix = readable_masks(found, coding, index_masks)
    plan = Plan(
        images=args.images,
        masks=masks,
        mask_suffix=suffix,
        unlabeled=found.unlabeled_folder if found.unlabeled else None,
        repeated=found.repeated,
        split=parts,
        coding=coding,
        input=loading,
        sizes=sizes,
    )
    written = write_configs(plan, args.out, ROOT / "configs" / "_base_")
    iterations = max(Config.fromfile(path).train_cfg.max_iters for path in written.values())  # and so all are read
    tools = Path(config_path(ROOT / "tools"))
    print_report(found, plan, written, training_commands(written, tools, WEIGHTS, iterations))


def main(argv: list[str] | None = None) -> None:
    try:
        init_dataset(parse_args(argv))
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
