"""What masks hold: values or colours, and how many pixels of each."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from jaxtyping import Integer, UInt32
from PIL import Image

from mmseg_css.datasets.checks import TOO_LARGE
from mmseg_css.preparation.own_data.pages import holds_more

MOST_COLOURS: Final = 4096  # in one mask; a photograph has more
READABLE_MODES: Final = ("1", "L", "P", "I", "I;16", "I;16B")
GREY: Final = 0x010101  # one of these in a packed colour for each level of grey

Colour = tuple[int, int, int]
Kind = Literal["values", "colours"]


class MaskFacts(NamedTuple):
    """One mask. Colours are packed: 0xRRGGBB.

    ``single`` says whether it has one channel, which MMSeg asks for. ``values`` is None where colours are no grey.
    ``palette`` holds the colours of the values that occur, if the file has a palette. ``more`` says whether the file
    holds further pictures.
    """

    size: tuple[int, int]
    single: bool
    values: Mapping[int, int] | None
    colours: Mapping[int, int]
    palette: Mapping[int, int]
    more: bool = False


class Pixels(NamedTuple):
    """A decoded mask: values, or packed colours; the palette of a palette PNG, as packed colours by value; and whether
    the file holds further pictures."""

    kind: Kind
    content: Integer[np.ndarray, "h w"]
    palette: Integer[np.ndarray, " n"] | None
    single: bool
    more: bool


def read_mask(path: Path) -> Pixels:
    """Decode a mask. An alpha channel is left out.

    Raises:
        ValueError: It is no picture of whole numbers.
    """
    try:
        with Image.open(path) as picture:
            more = holds_more(picture)
            single = picture.mode in READABLE_MODES
            palette = pack(np.array(picture.getpalette("RGB")).reshape(-1, 3)) if picture.mode == "P" else None
            pixels = np.array(picture.convert("RGB") if picture.mode == "PA" else picture)
    except Image.DecompressionBombError as error:
        raise ValueError(f"the mask cannot be read ({error}): {TOO_LARGE}") from None
    except (OSError, SyntaxError) as error:  # Pillow raises either
        if path.is_file() and path.stat().st_size == 0:
            raise ValueError("the mask is empty (0 bytes); export it again") from None
        raise ValueError(f"the mask cannot be read ({error}); is the file complete?") from None
    if pixels.dtype.kind not in "bui" or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise ValueError(f"the mask is of shape {pixels.shape} and type {pixels.dtype}; save class indices or colours")
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        return Pixels("colours", pack(pixels[..., :3]), palette=None, single=single, more=more)
    values = pixels[..., 0] if pixels.ndim == 3 else pixels
    return Pixels("values", values.astype(np.int64), palette=palette, single=single, more=more)


def look_at_mask(path: Path) -> MaskFacts:
    """Count the pixels of every value and colour.

    Raises:
        ValueError: It cannot be read, or has far too many colours.
    """
    pixels = read_mask(path)
    size = pixels.content.shape
    keys, counts = np.unique(pixels.content, return_counts=True)
    if len(keys) > MOST_COLOURS:
        raise ValueError(
            f"the mask holds {len(keys)} different {pixels.kind}, like a photograph; are MASKS and IMAGES swapped?"
        )
    counted = dict(zip(keys.tolist(), counts.tolist(), strict=True))
    if pixels.kind == "colours":
        grey = all(colour == (colour & 0xFF) * GREY for colour in counted)
        values = {colour & 0xFF: count for colour, count in counted.items()} if grey else None
        return MaskFacts(size, pixels.single, values, counted, palette={}, more=pixels.more)
    shades = {value: _shade(value, pixels.palette) for value in counted}
    colours: Counter[int] = Counter()  # two entries of a palette may be of one colour
    for value, count in counted.items():
        colours[shades[value]] += count
    palette = {} if pixels.palette is None else shades
    return MaskFacts(size, pixels.single, counted, colours, palette, pixels.more)


def _shade(value: int, palette: np.ndarray | None) -> int:
    if palette is None:
        return value * GREY
    return int(palette[value]) if value < len(palette) else 0  # as viewers show it


def pack(colours: Integer[np.ndarray, "... 3"]) -> UInt32[np.ndarray, "..."]:
    """Red, green and blue, each from 0 to 255, as one number; masks are large, so with few bytes for each pixel.

    >>> hex(pack(np.array([255, 128, 0])))
    '0xff8000'
    """
    packed = np.zeros(colours.shape[:-1], np.uint32)
    for channel in range(3):
        packed <<= 8
        packed |= colours[..., channel].astype(np.uint8)
    return packed


def unpack(colour: int) -> Colour:
    """Red, green and blue of a packed colour.

    >>> unpack(0xFF8000)
    (255, 128, 0)
    """
    return colour >> 16 & 0xFF, colour >> 8 & 0xFF, colour & 0xFF
