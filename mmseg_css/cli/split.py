"""``mmseg-css split``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter
from cyclopts.types import ExistingFile
from cyclopts.validators import LimitedChoice

command = App(
    name="split", help="Lists of labelled images: import a published one, generate one, or say what a list is."
)
POOL = Group("Where from: one of", validator=LimitedChoice(1, 1))
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
    config: Annotated[ExistingFile | None, Parameter(group=POOL)] = None,
    images: Annotated[str | None, Parameter(group=POOL)] = None,
    masks: str | None = None,
    image_suffix: str | None = None,
    mask_suffix: str | None = None,
    pool: str | None = None,
    count: Annotated[str | None, Parameter(group=SIZE)] = None,
    fraction: Annotated[str | None, Parameter(group=SIZE)] = None,
    series: Annotated[list[str] | None, Parameter(group=SIZE), Several] = None,
    rule: Literal["stratified", "reco"] = "stratified",
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
        rule: See docs/splits.md.
        seed: Which images.
        out: The file; in a series, -COUNT is added to its name.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.preparation.splits import report, statistics
    from mmseg_css.preparation.splits.generate import generate as make_lists

    folder = {"masks": masks, "image_suffix": image_suffix, "mask_suffix": mask_suffix, "listed": pool}
    dataset = statistics.pool(config, images, folder)
    shown = statistics.classes_shown(dataset)
    sizes = series or [size for size in (fraction, count) if size is not None]
    report.generated(make_lists(shown, sizes, out, seed=seed, rule=rule), shown)


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
