"""Prepare a data set: from its official archives, unpacked, to what the configs expect. See docs/data.md.

    python tools/prepare_data.py voc --sbd data/benchmark_RELEASE
    python tools/prepare_data.py voc --check

Files that exist are left alone, so an interrupted run goes on where it stopped. Each run ends with the check; the exit
status is 1 if something is wrong.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path


import mmseg_css  # noqa: E402, F401  (checks the stack, in words)

# isort: split
from mmseg_css.preparation.benchmarks import RECIPES, Finding, check, write_files  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="name", required=True, metavar="DATA_SET")
    for name, recipe in RECIPES.items():
        command = commands.add_parser(
            name,
            help=recipe.title,
            description=f"{recipe.title}. First {recipe.remedy}.",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.add_argument("root", nargs="?", type=Path, default=recipe.root, help="the data set")
        command.add_argument("--all", action="store_true", help="read every mask in the check, not a sample")
        if recipe.lists:
            command.add_argument("--splits", type=Path, default=recipe.splits, help="folder of the labelled lists")
        if recipe.source:
            option, path, text = recipe.source
            command.add_argument(option, dest="source", type=Path, default=path, help=text)
        if recipe.plan:
            mode = command.add_mutually_exclusive_group()
            mode.add_argument("--check", action="store_true", help="only check, and change nothing")
            mode.add_argument("--overwrite", action="store_true", help="write files anew that exist")
        else:
            command.add_argument("--check", action="store_true", help="what is done in any case")
    return parser.parse_args(argv)


def convert(args: argparse.Namespace) -> None:
    """Write what is not there yet."""
    recipe = RECIPES[args.name]
    if recipe.plan is None:
        return
    makers = recipe.plan(args.root, *([args.source] if recipe.source else []))
    written, kept = write_files(makers, overwrite=args.overwrite)
    note = f"; {kept} were there and stay as they are (--overwrite writes them anew)" if kept else ""
    print(f"{written} files written{note}")


def report(findings: Iterable[Finding]) -> int:
    """Print what was found; the number of faults."""
    faults = 0
    for level, text in findings:
        print(f"{level:<8}{text}", flush=True)
        faults += level == "fault"
    print(f"faults: {faults}")
    return faults


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    recipe = RECIPES[args.name]
    if not args.check:
        try:
            convert(args)
        except (OSError, ValueError, ModuleNotFoundError) as error:
            print(error, file=sys.stderr)
            return 1
    splits = args.splits if recipe.lists else recipe.splits
    return 1 if report(check(recipe, args.root, splits, read_all=args.all)) else 0


if __name__ == "__main__":
    sys.exit(main())
