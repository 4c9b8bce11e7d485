"""What was found and written, in words."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmseg_css.preparation.own_data.coding import Coding
from mmseg_css.preparation.own_data.configs import Plan, Written
from mmseg_css.preparation.own_data.oddities import warnings
from mmseg_css.preparation.own_data.survey import Survey


def print_report(found: Survey, plan: Plan, written: Written, commands: Sequence[str]) -> None:
    """Classes, counts, warnings, files, commands."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(class_table(found, plan.coding))
    train, val = map(len, plan.split)
    console.print(f"Images: {train} for training, {val} for validation, {len(found.unlabeled)} unlabelled.")
    console.print(f"Sizes: {_sizes(found)}. {_treatment(plan)}")
    for warning in warnings(found, plan):
        printable = warning.encode(errors="backslashreplace").decode()  # of names that are no UTF-8
        console.print(f"[yellow]![/yellow] {escape(printable)}")
    folder = next(iter(written.configs.values())).parent
    names = [*(path.name for path in written.configs.values()), "_base_/data.py", "train.txt", "val.txt"]
    console.print(f"Written to {escape(str(folder))}: {escape(', '.join(names))}.")
    if written.other_classes:
        console.print(
            "[yellow]![/yellow] Before, the classes were others, or other values of the masks: unless that is meant, "
            "call again with the --classes and --ignore of then. All configs of the folder read the new ones."
        )
    if written.copies:
        copies = ", ".join(path.relative_to(folder).as_posix() for path in written.copies)
        console.print(f"What was there and said something else is kept: {escape(copies)}. Carry over what you changed.")
    console.print("\nNext, from this folder:")
    for command in commands:
        console.print(f"  {escape(command)}")


def class_table(found: Survey, coding: Coding) -> Table:
    """A row for each class."""
    table = Table("", "class", f"{coding.kind[:-1]} in the masks", "pixels", "images", title="Classes")
    images = Counter(index for mask in found.masks.values() for index in coding.classes_of(mask))
    for index, share in coding.shares(found.masks.values()).items():
        sources = ", ".join(coding.sources(index)) or "none"
        table.add_row(str(index), escape(coding.classes[index]), sources, f"{share:.2%}", str(images[index]))
    if ignored := coding.sources(255):
        lost, pixels = zip(*map(coding.ignored, found.masks.values()), strict=True)
        share = sum(lost) / sum(pixels)
        table.add_row("", "ignored", ", ".join(ignored), f"{share:.2%} of all", str(sum(map(bool, lost))))
    return table


def _sizes(found: Survey, shown: int = 3) -> str:
    sizes = Counter(image.size for image in found.images)
    named = [f"{width}x{height} ({count})" for (height, width), count in sizes.most_common(shown)]
    rest = sum(sizes.values()) - sum(count for _, count in sizes.most_common(shown))
    return ", ".join(named) + (f", others ({rest})" if rest else "")


def _treatment(plan: Plan) -> str:
    crop, side = plan.sizes
    resized = "Nothing is resized" if side is None else f"The shorter side is resized to {side}"
    return f"{resized}; the network trains on crops of {crop}x{crop}."


def training_commands(written: Mapping[str, Path], weights: Path, iterations: int) -> list[str]:
    """What to type: weights if they are not there, trainings, the evaluation of the last method's checkpoint."""
    commands = [] if weights.exists() else ["mmseg-css data weights"]
    commands += [f"mmseg-css train {shlex.quote(str(path))}" for path in written.values()]
    methods = [path for method, path in written.items() if method != "supervised"]
    path = methods[-1] if methods else written["supervised"]
    checkpoint = Path("work_dirs") / path.stem / f"iter_{iterations}.pth"
    return [*commands, f"mmseg-css test {shlex.quote(str(path))} {shlex.quote(str(checkpoint))}"]
