"""Lists of labelled images: import a published one, generate one, or say what a list is.

    python tools/make_split.py import voc-blended-u2pl-1323 ~/U2PL
    python tools/make_split.py generate --config configs/css/css_lite0_camvid_1-8.py --series 1/16 1/8 1/4 \\
        --out data/splits/camvid-own.txt
    python tools/make_split.py verify data/splits/voc-blended-u2pl-1323.txt
    python tools/make_split.py describe data/splits/camvid-own-46.txt --masks data/camvid/labels/train
"""

import argparse
import sys
from pathlib import Path


import mmseg_css  # noqa: E402, F401  (checks the stack and registers everything, before any config is read)

# isort: split
from rich.console import Console  # noqa: E402
from rich.table import Column, Table  # noqa: E402

from mmseg_css.datasets.protocols import CUSTOM, PROTOCOLS, identify  # noqa: E402
from mmseg_css.datasets.splits import fingerprint, read_ids  # noqa: E402
from mmseg_css.preparation.splits import generate as make_split  # noqa: E402
from mmseg_css.preparation.splits import statistics as split_statistics  # noqa: E402

# Names of files are no markup.
console = Console(markup=False, highlight=False)


def import_published(args: argparse.Namespace) -> None:
    out = make_split.import_list(args.name, args.source, args.out)
    console.print(f"{out} is {make_split.what_is(read_ids(out))}.", soft_wrap=True)


def generate(args: argparse.Namespace) -> None:
    if args.config:
        pool = split_statistics.pool_of_config(args.config)
    else:
        pool = split_statistics.pool_of_folders(
            args.images,
            args.masks,
            image_suffix=args.image_suffix or ".jpg",
            mask_suffix=args.mask_suffix or ".png",
            listed=args.pool or "",
        )
    shown = split_statistics.classes_shown(pool)
    sizes = args.series or [args.fraction or args.count]
    lists = make_split.generate(shown, sizes, args.out, seed=args.seed, rule=args.rule)
    classes = {label for labels in shown.values() for label in labels}
    headers = (Column("list", overflow="fold"), "images", "classes", "fingerprint")
    table = Table(*headers, title=f"own lists, chosen from {len(shown)} images")
    for path, ids in lists.items():
        covered = {label for image_id in ids for label in shown[image_id]}
        table.add_row(str(path), str(len(ids)), f"{len(covered)} of {len(classes)}", fingerprint(ids)[:12])
    console.print(table)


def verify(args: argparse.Namespace) -> None:
    ids = read_ids(args.file)
    protocol = PROTOCOLS.get(identify(ids))
    table = Table(show_header=False, title=str(args.file))
    table.add_row("protocol", CUSTOM if protocol is None else protocol.name)
    table.add_row("images", str(len(ids)))
    if protocol is None:
        same_size = [other.name for other in PROTOCOLS.values() if other.images == len(ids)]
        table.add_row("same size, other images", ", ".join(same_size) or "none")
    else:
        if protocol.hq is not None:
            table.add_row("with fine masks", f"{protocol.hq:.1%}")
        table.add_row("published by", f"{protocol.source}, {protocol.path}")
        table.add_row("used by", protocol.used_by)
    console.print(table)
    console.print(f"fingerprint {fingerprint(ids)}", soft_wrap=True)  # in one piece, to be copied


def describe(args: argparse.Namespace) -> None:
    verify(args)
    ids = read_ids(args.file)
    protocol = PROTOCOLS.get(identify(ids))
    if protocol is not None:  # with the folders of Cityscapes' cities, where the masks lie
        ids = read_ids(args.file, protocol.data_set)
    shares = split_statistics.class_shares(ids, args.masks, args.mask_suffix)
    table = Table("class", "pixels", "images", title="classes")
    for label in shares.images.nonzero()[0]:
        share = shares.pixels[label] / shares.pixels.sum()
        table.add_row(str(label), f"{share:.2%}", f"{shares.images[label]} ({shares.images[label] / len(ids):.1%})")
    console.print(table)
    if not args.other:
        return
    table = Table(Column("other list", overflow="fold"), "protocol", "images", "shared with this one", title="overlap")
    for other in args.other:
        length, shared = split_statistics.overlap(args.file, other)
        table.add_row(str(other), identify(read_ids(other)), str(length), f"{shared} ({shared / length:.1%})")
    console.print(table)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("import", help="write a published list as plain ids, if it is the one named")
    command.add_argument("name", metavar="NAME", help="a protocol of docs/splits.md, e.g. voc-classic-92")
    command.add_argument("source", metavar="SOURCE", type=Path, help="the published list, or a folder that holds it")
    command.add_argument("--out", type=Path, help="default: the file in data/splits that the configs name")
    command.set_defaults(run=import_published)

    command = commands.add_parser("generate", help="choose images of a data set")
    pool = command.add_mutually_exclusive_group(required=True)
    pool.add_argument("--config", type=Path, help="choose from the training set of this config")
    pool.add_argument("--images", metavar="DIR", help="choose from this folder; needs --masks")
    command.add_argument("--masks", metavar="DIR", help="masks of class indices, 255 = ignored")
    command.add_argument("--image-suffix", help="with --images: how image names end (default: .jpg)")
    command.add_argument("--mask-suffix", help="with --images: how mask names end (default: .png)")
    command.add_argument("--pool", metavar="LIST", help="with --images: choose from the images of this list")
    size = command.add_mutually_exclusive_group(required=True)
    size.add_argument("--count", metavar="N", help="so many images")
    size.add_argument("--fraction", metavar="1/N", help="so large a part, rounded up")
    size.add_argument("--series", nargs="+", metavar="SIZE", help="counts or fractions: lists, each inside the next")
    command.add_argument("--rule", choices=make_split.RULES, default="stratified", help="see docs/splits.md")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, required=True, help="the file; in a series, -COUNT is added to its name")
    command.set_defaults(run=generate)

    command = commands.add_parser("verify", help="which protocol is this list?")
    command.add_argument("file", metavar="FILE", type=Path)
    command.set_defaults(run=verify)

    command = commands.add_parser("describe", help="classes of a list, and overlap with others")
    command.add_argument("file", metavar="FILE", type=Path)
    command.add_argument("--masks", metavar="DIR", required=True, help="their values are counted as they are, but 255")
    command.add_argument("--mask-suffix", default=".png", help="how mask names end (default: .png)")
    command.add_argument("--other", nargs="+", type=Path, default=[], metavar="FILE")
    command.set_defaults(run=describe)

    args = parser.parse_args(argv)
    if args.run is generate:
        _check_pool(parser, args)
    return args


def _check_pool(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.images and not args.masks:
        parser.error("generate: --images needs --masks")
    for option in ("masks", "image_suffix", "mask_suffix", "pool"):
        if args.config and getattr(args, option) is not None:
            parser.error(f"generate: --{option.replace('_', '-')} goes with --images; --config brings its own")
    if args.config and not args.config.is_file():
        parser.error(f"generate: there is no config file {args.config}")


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    try:
        args.run(args)
    except (OSError, ValueError) as error:
        sys.exit(f"make_split: {error}")


if __name__ == "__main__":
    main()
