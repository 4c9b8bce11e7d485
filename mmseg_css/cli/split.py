"""``mmseg-css split``."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter
from cyclopts.validators import LimitedChoice

from mmseg_css.cli.options import ConfigFile

command = App(
    name="split", help="Lists of labelled images: import a published one, generate one, or say what a list is."
)
POOL = Group("Where from: one of", validator=LimitedChoice(1, 1))
RULE = Group("By which rule: one of", validator=LimitedChoice(0, 1))
SIZE = Group("How many: one of", validator=LimitedChoice(1, 1))
Several = Parameter(consume_multiple=True)


@command.command(name="import")
def import_published(name: str, source: Path, /, *, out: Path | None = None) -> None:
    """Write a published list as plain ids, if it is the one named.

    Args:
        name: A protocol of docs/splits.md, e.g. voc-classic-92.
        source: The published list, or a folder that holds it.
        out: The file to write; the one in data/splits that the configs name otherwise.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.splits import report
    from mmseg_css.preparation.splits.generate import import_list

    report.imported(import_list(name, source, out))


@command.command
def generate(
    *,
    config: Annotated[ConfigFile | None, Parameter(group=POOL)] = None,
    images: Annotated[str | None, Parameter(group=POOL)] = None,
    masks: str | None = None,
    image_suffix: str | None = None,
    mask_suffix: str | None = None,
    pool: str | None = None,
    count: Annotated[str | None, Parameter(group=SIZE)] = None,
    fraction: Annotated[str | None, Parameter(group=SIZE)] = None,
    series: Annotated[list[str] | None, Parameter(group=SIZE), Several] = None,
    rule: Annotated[Literal["stratified", "reco"] | None, Parameter(group=RULE)] = None,
    imbalance: Annotated[float | None, Parameter(group=RULE)] = None,
    seed: int = 0,
    out: Path,
) -> None:
    """Choose images of a data set.

    Args:
        config: Choose from the training set of this config.
        images: Choose from this folder; needs --masks.
        masks: With --images: the folder of masks of class indices, 255 = ignored.
        image_suffix: With --images: how image names end; .jpg otherwise.
        mask_suffix: With --images: how mask names end; .png otherwise.
        pool: With --images: choose from the images of this list.
        count: So many images.
        fraction: So large a part, such as 1/8, rounded up.
        series: Counts or fractions: several lists, each inside the next.
        rule: See docs/splits.md; stratified otherwise.
        imbalance: Pixels of a class in proportion to the pool's share to this power: 0 is flat, 1 as there, 2 steeper.
        seed: Which images.
        out: The file; in a series, -COUNT is added to its name.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.splits import statistics

    folder = {"masks": masks, "image_suffix": image_suffix, "mask_suffix": mask_suffix, "listed": pool}
    dataset = statistics.pool(config, images, folder)
    sizes = series or [size for size in (fraction, count) if size is not None]
    _write_lists(dataset, sizes, out, seed, imbalance if rule is None else rule)


def _write_lists(dataset: Any, sizes: list[str], out: Path, seed: int, how: Any) -> None:
    """Choose by a rule of this name, or by shares of the pixels to this power, write, and report."""
    from mmseg_css.preparation.splits import generate, imbalance, report, statistics

    pixels = statistics.pixels_of_classes(dataset)
    shown = statistics.classes_shown(pixels)
    if isinstance(how, float):
        lists = generate.generate(
            len(pixels), sizes, out, partial(imbalance.choose_by_share, pixels, rho=how, seed=seed)
        )
        report.generated(lists, shown)
        report.shares(lists, pixels, how, dataset.metainfo.get("classes"))
        return
    choosing = partial(generate.choose, shown, seed=seed, rule=how or "stratified")
    report.generated(generate.generate(len(pixels), sizes, out, choosing), shown)


@command.command
def verify(file: Path, /) -> None:
    """Say which protocol a list is.

    Args:
        file: The list.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.splits import report

    report.verify(file)


@command.command
def describe(
    file: Path,
    /,
    *,
    masks: str,
    mask_suffix: str = ".png",
    other: Annotated[list[Path] | None, Several] = None,
) -> None:
    """Classes of a list, and its overlap with others.

    Args:
        file: The list.
        masks: The folder of its masks; their values are counted as they are, but 255.
        mask_suffix: How mask names end.
        other: Other lists.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.splits import report

    report.describe(file, masks, mask_suffix, other or ())
