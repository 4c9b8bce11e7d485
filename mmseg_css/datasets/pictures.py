"""Which files below a folder are its pictures."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Final

from mmseg_css.datasets.splits import IMAGE_SUFFIXES

#: Files that `mmseg-css predict` and `suggest` put beside the masks and pictures that they write.
PREDICTIONS: Final = "predictions.json"
SUGGESTIONS: Final = "suggestions.json"
RECORDS: Final = (PREDICTIONS, SUGGESTIONS)
#: The folders beside these files.
WRITTEN: Final = ("masks", "overlays", "probabilities", "coco", "labelme")
#: Endings of pictures whose compression changes values along every edge, as no mask bears.
JPEG: Final = (".jpg", ".jpeg", ".jfif")
#: Endings of pictures of other kinds, which nothing here reads.
UNREAD: Final = (".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".dcm")


def pictures(names: Iterable[str], suffixes: Sequence[str] = IMAGE_SUFFIXES) -> list[str]:
    """Names with these endings, in any case, sorted; none that is hidden, or lies in a folder that we wrote.

    Of a folder that we wrote into, all is left out that lies in one of `WRITTEN`; what else is there may be others'.

    Args:
        names: Paths below the folder, of all its files.
        suffixes: With their dots, in lower case.

    >>> pictures(["a.JPG", ".b.png", ".cache/a.png", "out/predictions.json", "out/masks/a.png", "more/a.png"])
    ['a.JPG', 'more/a.png']
    >>> pictures(["predictions.json", "a.png", "masks/a.png", "overlays/a.jpg", "more/a.png"])
    ['a.png', 'more/a.png']
    >>> pictures(["site/predictions.json", "site/a.png", "site/masks/a.png"])
    ['site/a.png']
    """
    plain = {name: PurePosixPath(PurePath(name).as_posix()) for name in names}
    written = {path.parent / kind for path in plain.values() if path.name in RECORDS for kind in WRITTEN}
    return sorted(
        name
        for name, path in plain.items()
        if name.lower().endswith(tuple(suffixes))
        and not any(part.startswith(".") for part in path.parts)
        and not written & {*path.parents}
    )
