"""What there is to know about a data set in order to prepare and to check it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# The content of a file that is to be written.
Maker = Callable[[], bytes]


class Part(NamedTuple):
    """Images and masks that training or evaluation reads together. Paths start from the root of the data set."""

    name: str
    kind: str  # the registered data set class
    images: str
    masks: str
    length: int  # images, as published
    ann_file: str = ""  # a list of ids; all images of the folder where it is empty


class LabeledList(NamedTuple):
    """A list of labelled images that configs name."""

    file: str
    length: int
    origin: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A data set: its layout, how the layout is made, and what to do about what is missing.

    Attributes:
        title: Its name and what is done.
        root: The folder where the configs look for it.
        parts: What training (first) and evaluation read.
        remedy: Half a sentence for the errors: what to unpack, or to run.
        plan: The files to write, each with a function that makes its content, given the root and, if there is one,
            the folder of ``source``. Nothing is to be written where it is ``None``.
        source: A folder that the plan reads besides the root, where it is looked for.
        lists: The labelled lists that configs name.
        splits: The folder of these lists.
    """

    title: str
    root: Path
    parts: Sequence[Part]
    remedy: str
    plan: Callable[..., Mapping[Path, Maker]] | None = None
    source: Path | None = None
    lists: Sequence[LabeledList] = ()
    splits: Path = Path("data/splits")
