"""What images are like, and how MMSeg has to read them."""

from collections.abc import Collection
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from mmseg_css.datasets.checks import EXIF_ORIENTATION, TOO_LARGE
from mmseg_css.preparation.own_data.pages import holds_more

DEPTHS: Final = {np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}
COLOUR: Final = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
SHORTEST_CROP: Final = 32
STRIDE: Final = 16  # of the network: a crop is a multiple of it


class ImageFacts(NamedTuple):
    """One image.

    ``size`` is height and width as MMSeg reads it, ``turned`` says whether its EXIF data had a part in that. ``low``
    and ``high`` bound all but a thousandth of the values at either end, for each channel. ``more`` says whether the
    file holds further pictures, and ``upright`` whether it is read upright with all its channels, too.
    """

    size: tuple[int, int]
    channels: int
    depth: int
    alpha: Literal["none", "opaque", "varies"]
    turned: bool
    low: tuple[float, ...]
    high: tuple[float, ...]
    more: bool = False
    upright: bool = True


class Input(NamedTuple):
    """How images become the network's input: ``loading`` are the first transforms of every pipeline."""

    channels: int
    loading: tuple[dict[str, Any], ...]


class Sizes(NamedTuple):
    """Sizes in pixels: what the network is trained on, and what images are resized to (None: nothing) before that."""

    crop: int
    shorter_side: int | None


def look_at_image(path: Path) -> ImageFacts:
    """Decode an image and note what matters.

    Raises:
        ValueError: MMSeg cannot read it, or it has neither 8 nor 16 bits.
    """
    orientation, more = _look_at_head(path)
    content = np.fromfile(path, np.uint8)
    try:
        pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError("OpenCV cannot decode it; is the file complete?")
    if pixels.dtype not in DEPTHS:
        raise ValueError(f"its values are {pixels.dtype}; convert it to 8 or 16 bits")
    turned = pixels if orientation == 1 else cv2.imdecode(content, COLOUR)
    if turned is None:
        raise ValueError("OpenCV cannot turn it as its EXIF data say; store it upright")
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    low, high = _bounds(pixels)
    return ImageFacts(
        size=turned.shape[:2],
        channels=pixels.shape[2],
        depth=DEPTHS[pixels.dtype],
        alpha=_alpha(pixels),
        turned=orientation != 1,
        low=low,
        high=high,
        more=more,
        # Four channels are read as they lie in the file, but in TIFF, which its decoder turns.
        upright=orientation == 1 or pixels.shape[2] != 4 or np.array_equal(pixels[..., :3], turned),
    )


def _look_at_head(path: Path) -> tuple[int, bool]:
    """The orientation that EXIF data ask for, and whether the file holds further pictures."""
    try:
        with Image.open(path) as picture:
            return picture.getexif().get(EXIF_ORIENTATION, 1), holds_more(picture)
    except UnidentifiedImageError:
        if path.stat().st_size == 0:
            raise ValueError("the file is empty (0 bytes); copy it again") from None
        # OpenCV would read the first channel of some of these and say nothing.
        raise ValueError(
            "no picture, or a TIFF with other than 1, 3 or 4 channels or with floating-point values, which OpenCV and "
            "Pillow do not read; store three or four channels of 8 or 16 bits"
        ) from None
    except Image.DecompressionBombError as error:
        raise ValueError(f"{error}: {TOO_LARGE}") from None


def _bounds(pixels: np.ndarray, samples: int = 200) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The 0.1 and the 99.9 per cent point of each channel, on a grid of at most ``samples`` x ``samples`` pixels."""
    rows, columns = (max(1, length // samples) for length in pixels.shape[:2])
    low, high = np.percentile(pixels[::rows, ::columns], (0.1, 99.9), axis=(0, 1))
    return tuple(low.tolist()), tuple(high.tolist())


def _alpha(pixels: np.ndarray) -> Literal["none", "opaque", "varies"]:
    if pixels.shape[2] != 4:
        return "none"
    return "opaque" if (pixels[..., 3] == np.iinfo(pixels.dtype).max).all() else "varies"


def choose_input(images: Collection[ImageFacts]) -> Input:
    """Grey and colour images, and those whose fourth channel is opaque everywhere, are read as colour; images that all
    have four channels as they are.

    Values of 16 bits are stretched to 8: colours by one range, so that they stay what they are, four channels by one
    range each. The range holds what all images hold, but for the `_spare` darkest and brightest ones: a single
    saturated image would leave the others a few levels.

    Raises:
        ValueError: Some images have 8 bits and others 16, or four channels and EXIF data that ask for a turn.
    """
    depths = {image.depth for image in images}
    if len(depths) > 1:
        count = sum(image.depth == 16 for image in images)
        raise ValueError(
            f"{count} of {len(images)} images have 16 bits, the others 8, and one range of values must fit all; "
            "convert them to the same depth"
        )
    four = all(image.channels == 4 for image in images) and any(image.alpha == "varies" for image in images)
    load: dict[str, Any] = {"type": "LoadImageFromFile"}
    if four:
        _check_upright(images)
        load["color_type"] = "unchanged"
    if depths == {8}:
        return Input(4 if four else 3, (load,))
    spare = _spare(len(images))
    lows = zip(*(_channels(image.low, four) for image in images), strict=True)
    highs = zip(*(_channels(image.high, four) for image in images), strict=True)
    low = [int(sorted(values)[spare]) for values in lows]
    high = [int(sorted(values, reverse=True)[spare]) + 1 for values in highs]
    if four:
        return Input(4, (load, {"type": "StretchTo8Bit", "low": low, "high": high}))
    load["color_type"] = COLOUR
    return Input(3, (load, {"type": "StretchTo8Bit", "low": min(low), "high": max(high)}))


def _check_upright(images: Collection[ImageFacts]) -> None:
    if lying := sum(not image.upright for image in images):
        raise ValueError(
            f"{lying} of {len(images)} images have EXIF data that ask for a turn, which is not made of images of four "
            "channels: store them upright"
        )


def _spare(images: int) -> int:
    """A twentieth of the images, at least one; of fewer than five none can be told from the others."""
    return -(-images // 20) if images >= 5 else 0


def levels(image: ImageFacts, chosen: Input) -> float:
    """How many of 256 levels of grey an image of 16 bits spans as it is read."""
    low, high = (np.array(chosen.loading[1][key]) for key in ("low", "high"))
    own = np.stack([_channels(bound, chosen.channels == 4) for bound in (image.low, image.high)])
    darkest, brightest = ((own - low) / (high - low)).clip(0, 1) * 255
    return float((brightest - darkest).max()) + 1


def _channels(values: tuple[float, ...], four: bool) -> tuple[float, ...]:
    return values if four else (values * 3)[:3]


def choose_sizes(images: Collection[ImageFacts], limit: int) -> Sizes:
    """Of the shorter sides of all images the median counts. Above ``limit``, images are resized to a shorter side of
    ``limit``, which is then the crop's side; otherwise they keep their size, and the crop is the largest multiple of
    16 that fits the median (32 at least).

    Raises:
        ValueError: ``limit`` is no multiple of 16.
    """
    if limit < SHORTEST_CROP or limit % STRIDE:
        raise ValueError(f"the crop must be a multiple of {STRIDE} and at least {SHORTEST_CROP} pixels, got {limit}")
    typical = median(min(image.size) for image in images)
    if typical > limit:
        return Sizes(crop=limit, shorter_side=limit)
    return Sizes(crop=max(SHORTEST_CROP, int(typical) // STRIDE * STRIDE), shorter_side=None)
