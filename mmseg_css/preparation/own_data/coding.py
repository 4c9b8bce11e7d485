"""Which value or colour of the masks is which class, and masks written anew as class indices."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from mmseg_css.datasets.checks import IGNORED
from mmseg_css.datasets.coco import spread_palette
from mmseg_css.preparation.own_data.masks import GREY, Colour, Kind, MaskFacts, pack, read_mask, unpack

MOST_CLASSES: Final = IGNORED  # indices 0 to 254
SOFT_EDGES: Final = "soft (anti-aliased) edges mix colours that were never drawn; export the masks again without them"
MANY: Final = 16
RARE: Final = 1e-3  # share of the pixels
VOID: Final = (255, 65535)  # the highest values of 8 and of 16 bits often mean that nothing is known
IGNORED_COLOUR: Final = (224, 224, 192)  # VOC's


class Coding(NamedTuple):
    """The classes, and the table that leads to them from ``kind`` (colours are packed); 255 stands for ignored.

    ``readable`` says whether MMSeg can take the masks as they are, ``named`` whether the user named the classes.
    """

    kind: Kind
    table: Mapping[int, int]
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    readable: bool
    named: bool

    def shares(self, masks: Iterable[MaskFacts]) -> dict[int, float]:
        """Share of every class in all pixels that are not ignored."""
        pixels: Counter[int] = Counter()
        for key, count in _pixels(masks, self.kind).items():
            pixels[self.table[key]] += count
        total = sum(count for index, count in pixels.items() if index != IGNORED)
        return {index: pixels[index] / max(total, 1) for index in range(len(self.classes))}

    def ignored(self, mask: MaskFacts) -> tuple[int, int]:
        """Pixels of a mask that belong to no class, and all of them."""
        pixels = _pixels([mask], self.kind)
        return sum(count for key, count in pixels.items() if self.table[key] == IGNORED), pixels.total()

    def classes_of(self, mask: MaskFacts) -> frozenset[int]:
        """Classes that a mask holds."""
        return frozenset(self.table[key] for key in _pixels([mask], self.kind)) - {IGNORED}

    def beyond(self) -> dict[int, str]:
        """Values that are no index of the classes and yet taken for one, which is named: classes go by their order."""
        taken = {} if self.kind == "colours" else self.table
        return {
            value: self.classes[index]
            for value, index in taken.items()
            if index != IGNORED and value >= len(self.classes)
        }

    def sources(self, index: int) -> list[str]:
        """The values or colours that mean a class, in words."""
        return [_name(key, self.kind) for key, value in self.table.items() if value == index]


def find_coding(
    masks: Collection[MaskFacts], names: Sequence[str] | None = None, ignore: int | Colour | None = None
) -> Coding:
    """Find the classes in what the masks hold.

    - Values that look like indices are taken for them: the highest is below the number of ``names`` or, without names,
      at most twice the number of values. 255 is ignored.
    - Other values become classes in their order: masks of 0 and 255, or of a few levels of grey. Here 255 is a class
      like any other, unless ``ignore`` says otherwise.
    - Colours become classes in the order of their red, green and blue, black first. A palette PNG counts by its
      values, unless one value has two colours in two files.

    Args:
        masks: What the masks hold.
        names: Names of the classes, in order; ``class_0`` and so on if None.
        ignore: The value or colour of pixels without a class.

    Raises:
        ValueError: There are fewer than two classes or more than 255, other than ``names``, or no pixel of ``ignore``.
    """
    colours = _common_palette(masks)
    kind: Kind = "colours" if colours is None or any(mask.values is None for mask in masks) else "values"
    pixels = _pixels(masks, kind)
    found = sorted(pixels)
    ignored = _ignored_key(ignore, kind, found)
    if names is None:
        _check_not_mixed(pixels, kind)
    count = None if names is None else len(names)
    table = _as_indices(found, kind, count, ignored) or _in_order(found, kind, count, ignored)
    classes = tuple(names or _numbered_names(table))
    if len(classes) < 2:
        raise ValueError(
            f"the masks hold {_list(found, kind)} and so fewer than two classes; label more images, or correct --ignore"
        )
    palette = _palette(len(classes), table, kind, colours or {})
    readable = all(mask.single for mask in masks) and kind == "values" and all(k == v for k, v in table.items())
    return Coding(kind, table, classes, palette, readable, named=names is not None)


def _as_indices(found: Sequence[int], kind: Kind, count: int | None, ignored: int | None) -> dict[int, int] | None:
    """The table that leaves values as they are, or None if they are no indices, as colours never are."""
    skipped = IGNORED if ignored is None else ignored
    values = [value for value in found if value != skipped]
    if kind == "colours" or not values or set(found) == {0, IGNORED}:
        return None
    fits = values[-1] < min(count or 2 * len(values) + 1, MOST_CLASSES)
    # An ignored value in between would leave a class that no pixel can have.
    if not fits or skipped < values[-1] or (ignored == 0):
        return None
    return {value: IGNORED if value == skipped else value for value in found}


def _in_order(found: Sequence[int], kind: Kind, count: int | None, ignored: int | None) -> dict[int, int]:
    """The table that numbers what is found."""
    kept = [key for key in found if key != ignored]
    if len(kept) > MOST_CLASSES:
        raise ValueError(
            f"the masks hold {len(kept)} {kind}, and {MOST_CLASSES} classes are the most that MMSeg takes; {SOFT_EDGES}"
        )
    if count not in (None, len(kept)):
        raise ValueError(
            f"--classes names {count}, but the masks hold {len(kept)} {kind}, in this order: {_list(kept, kind)}. Name "
            f"each of them, say with --ignore which one is no class, or mend the masks ({SOFT_EDGES})"
        )
    return {**{key: index for index, key in enumerate(kept)}, **({} if ignored is None else {ignored: IGNORED})}


def _numbered_names(table: Mapping[int, int]) -> list[str]:
    """Names up to the highest index, also for indices that no mask holds."""
    highest = max((index for index in table.values() if index != IGNORED), default=-1)
    return [f"class_{index}" for index in range(highest + 1)]


def _pixels(masks: Iterable[MaskFacts], kind: Kind) -> Counter[int]:
    """Pixels by value or colour."""
    pixels: Counter[int] = Counter()
    for mask in masks:
        pixels.update(mask.values or {} if kind == "values" else mask.colours)
    return pixels


def _check_not_mixed(pixels: Mapping[int, int], kind: Kind) -> None:
    rare = sum(count < RARE * sum(pixels.values()) for count in pixels.values())
    if rare >= MANY and 2 * rare > len(pixels):
        raise ValueError(
            f"the masks hold {len(pixels)} {kind}, and {rare} of them have hardly any pixels: {SOFT_EDGES}. If they "
            "are classes all the same, name every one with --classes"
        )


def _common_palette(masks: Iterable[MaskFacts]) -> dict[int, int] | None:
    """Colours by value of all palettes together; None if they contradict each other."""
    colours: defaultdict[int, set[int]] = defaultdict(set)
    for mask in masks:
        for value, colour in mask.palette.items():
            colours[value].add(colour)
    if any(len(own) > 1 for own in colours.values()):
        return None
    return {value: min(own) for value, own in colours.items()}


def _palette(length: int, table: Mapping[int, int], kind: Kind, colours: Mapping[int, int]) -> tuple[Colour, ...]:
    """The masks' own colours where they have some, elsewhere VOC's."""
    palette = [(red, green, blue) for red, green, blue in spread_palette(length)]
    for key, index in table.items():
        if index != IGNORED and (kind == "colours" or key in colours):
            palette[index] = unpack(key if kind == "colours" else colours[key])
    return tuple(palette)


def _ignored_key(ignore: int | Colour | None, kind: Kind, found: Sequence[int]) -> int | None:
    """The value or packed colour that ``ignore`` means, which must be among those found."""
    if ignore is None:
        return None
    if kind == "colours":
        if isinstance(ignore, int) and ignore > 255:
            raise ValueError(f"--ignore is the value {ignore}, but the masks hold colours; give R,G,B")
        key = ignore * GREY if isinstance(ignore, int) else int(pack(np.array(ignore)))
    elif isinstance(ignore, int):
        key = ignore
    elif len(set(ignore)) == 1:
        key = ignore[0]
    else:
        raise ValueError(f"--ignore is the colour {ignore}, but the masks hold values; give one number")
    if key not in found:
        raise ValueError(f"no mask holds --ignore {_name(key, kind)}; the masks hold {_list(found, kind)}")
    return key


def _name(key: int, kind: Kind) -> str:
    return str(key) if kind == "values" else ",".join(map(str, unpack(key)))


def _list(keys: Sequence[int], kind: Kind, shown: int = 30) -> str:
    named = [_name(key, kind) for key in keys[:shown]]
    return ("; " if kind == "colours" else ", ").join(named) + (" ..." if len(keys) > shown else "")


# -- masks written anew -----------------------------------------------------------------------------------------------


def to_indices(path: Path, coding: Coding, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w"]:
    """A mask as class indices.

    Args:
        path: The mask.
        coding: Which value or colour is which class.
        size: Height and width of the result, whose pixels are then the nearest ones of the mask's; its own if None.

    Raises:
        ValueError: The mask cannot be read.
    """
    pixels = read_mask(path)
    content = pixels.content
    if pixels.kind == "colours" and coding.kind == "values":
        content = content & 0xFF  # grey: its three channels are the same
    if pixels.kind == "values" and coding.kind == "colours":
        # What a palette lacks is black.
        content = content * GREY if pixels.palette is None else np.pad(pixels.palette, (0, 256))[content]
    keys = np.array(sorted(coding.table))
    indices = np.array([coding.table[key] for key in keys.tolist()], np.uint8)
    labels = indices[np.searchsorted(keys, content)]
    if size is None or size == labels.shape:
        return labels
    # At the centre of a pixel, where OpenCV's INTER_NEAREST takes the corner and so shifts by half a pixel.
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, labels.shape, strict=True)
    )
    return labels[rows][:, columns]


def write_indices(path: Path, labels: UInt8[np.ndarray, "h w"], palette: Sequence[Colour]) -> None:
    """Write class indices as a palette PNG: MMSeg reads the indices, a viewer shows the colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels)
    colours = [*palette, *[(0, 0, 0)] * (IGNORED - len(palette)), IGNORED_COLOUR]
    picture.putpalette([part for colour in colours for part in colour])
    picture.save(path)
