"""``mmseg-css init``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from mmseg_css.cli.options import Overwrite, class_names, parsed
from mmseg_css.preparation.leaves import DEFAULT, Method


def value_or_colour(text: str) -> int | tuple[int, int, int]:
    numbers = [int(part) if part.strip().isdecimal() else -1 for part in text.split(",")]
    highest = 65535 if len(numbers) == 1 else 255  # masks may have 16 bits
    if len(numbers) not in (1, 3) or not all(0 <= number <= highest for number in numbers):
        raise ValueError(f"expected a number from 0 to 65535, or R,G,B, each from 0 to 255, got {text!r}")
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1], numbers[2])


Classes = Annotated[
    list[str] | None, parsed(class_names, "A,B,C: names of the classes; class_0, class_1, ... otherwise.")
]
Ignore = Annotated[
    Any,
    parsed(value_or_colour, "VALUE or R,G,B of pixels of no class; 255 where masks hold class indices otherwise."),
]
MaskNames = Annotated[
    str,
    Parameter(
        help='What masks are called where they lie in the folder of the images (named twice), e.g. "*_mask.png".'
    ),
]
ResizeMasks = Annotated[
    bool, Parameter(help="Bring masks of another size to that of their images, where the aspect ratios agree.")
]
Methods = Annotated[
    list[Method] | None,
    Parameter(
        name="--methods",
        consume_multiple=True,
        help=f"For which to write configs: {' '.join(DEFAULT)} unless given.",
    ),
]


def command(
    images: Path,
    masks: Path,
    unlabeled: Path | None = None,
    /,
    *,
    out: Path = Path("configs/own"),
    classes: Classes = None,
    ignore: Ignore = None,
    mask_names: MaskNames = "",
    resize_masks: ResizeMasks = False,
    val: float = 0.2,
    seed: int | None = None,
    crop: int = 512,
    methods: Methods = None,
    overwrite: Overwrite = False,
) -> None:
    """Write configs for your own images, for supervised-only, CSS, Aided CSS and others.

    Looks into every file, says what is wrong or odd, and takes some labelled images for validation. Masks that
    MMSegmentation cannot read (colours, 0 and 255) are written anew, as PNGs of class indices; nothing of yours is
    changed. A few steps of each training, on made-up images, tell how long it takes here. See docs/own-data.md.

    Args:
        images: The folder of the labelled images.
        masks: The folder of their masks, named alike.
        unlabeled: A folder of images without masks; those of IMAGES that have none otherwise.
        out: The folder for configs and lists.
        val: The share of the labelled images that validate.
        seed: Draws anew which labelled images validate; otherwise (0) those in lists of an earlier call stay there.
        crop: The largest side of what the network trains on, a multiple of 16.
    """
    import mmseg_css.register  # noqa: F401
    from mmseg_css.engine.estimate import print_estimates
    from mmseg_css.preparation.own_data.initialise import Folders, Known, Wanted, initialise

    folders, known = Folders(images, masks, unlabeled, out), Known(classes, ignore, mask_names, resize_masks)
    wanted = Wanted(val, seed, crop, methods or DEFAULT)
    print_estimates(initialise(folders, known, wanted, overwrite=overwrite).values())
