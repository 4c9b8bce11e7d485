"""Convert what is not converted yet, then check, and say what was found."""

from pathlib import Path

from mmseg_css.preparation.benchmarks.checking import check
from mmseg_css.preparation.benchmarks.files import write_files
from mmseg_css.preparation.benchmarks.recipe import Recipe


def prepare(recipe: Recipe, root: Path, source: Path | None = None, *, overwrite: bool = False) -> None:
    """Write the files of a recipe and print how many. Those that exist stay, unless ``overwrite``."""
    if recipe.plan is None:
        return
    written, kept = write_files(recipe.plan(root, *([] if source is None else [source])), overwrite=overwrite)
    note = f"; {kept} were there and stay as they are (--overwrite writes them anew)" if kept else ""
    print(f"{written} files written{note}")


def report(recipe: Recipe, root: Path, splits: Path, *, read_all: bool = False) -> int:
    """Print what :func:`.checking.check` finds; the number of faults."""
    faults = 0
    for level, text in check(recipe, root, splits, read_all=read_all):
        print(f"{level:<8}{text}", flush=True)
        faults += level == "fault"
    print(f"faults: {faults}")
    return faults
