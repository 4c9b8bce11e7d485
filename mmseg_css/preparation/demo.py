"""A generated data set: patterned objects on textured backgrounds, made in seconds, to try all without a download.

Four classes of objects, told apart by their pattern: stripes, checks, dots or rings. Their outlines (disc, square,
triangle, star, cross, hexagon) tell nothing. Each class prefers a hue, but half of the objects take any, so that colour
helps and does not suffice. Objects are scaled, stretched, turned, and cover each other; a few labels show little of all
this, unlabelled images more.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy.random import Generator
from PIL import Image

from mmseg_css.datasets.demo import CLASSES

Points = Float[np.ndarray, "n 2"]
Field = Float[np.ndarray, "h w"]
Picture = Float[np.ndarray, "h w 3"]

SUPERSAMPLING: Final = 3
SPLITS: Final = ("train", "val")
#: Of the pictures: a folder with those of an earlier one is not taken for these.
EDITION: Final = 2
#: Lengths of the labelled lists, the first of which the demo configs read.
LABELED: Final = (8, 20, 40)


# -- files ------------------------------------------------------------------------------------------------------------


def generate(
    out: str | Path,
    *,
    seed: int = 0,
    size: int = 96,
    train: int = 400,
    val: int = 100,
    labeled: Sequence[int] = LABELED,
) -> None:
    """Write the data set to the folder ``out``.

    ``images/{train,val}/*.png``, ``labels/{train,val}/*.png`` (class indices, every pixel labelled),
    ``splits/train.txt`` (all training ids) and for each n in ``labeled`` a list ``splits/labeled_{n}.txt``, nested.
    Each image has a generator of its own, so it does not depend on how many there are. Does nothing if ``out`` holds
    the same data set already.

    Raises:
        ValueError: A labelled list would be longer than the training set.
        FileExistsError: ``out`` holds something else, or a part of it.
    """
    if not 0 < min(labeled) <= max(labeled) <= train:
        raise ValueError(f"labelled lists of {list(labeled)} images do not fit {train} training images")
    out = Path(out)
    counts = {"train": train, "val": val, "labeled": sorted(labeled)}
    settings = {"edition": EDITION, "seed": seed, "size": size, **counts}
    stamp = out / "settings.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == settings:
        return
    if out.is_dir() and any(out.iterdir()):
        raise FileExistsError(
            f"{str(out)!r} holds something else than (the whole of) {settings}; remove it, or choose another folder"
        )
    _write_scenes(out, seed, size, counts=(train, val))
    _write_lists(out / "splits", np.random.default_rng((seed, len(SPLITS))).permutation(train), labeled)
    stamp.write_text(json.dumps(settings, indent=2) + "\n")  # last: an interrupted run is not taken for a whole one


def _write_scenes(out: Path, seed: int, size: int, counts: Sequence[int]) -> None:
    """Draw the images and masks of every split."""
    for number, (split, count) in enumerate(zip(SPLITS, counts, strict=True)):
        for kind in ("images", "labels"):
            (out / kind / split).mkdir(parents=True)
        for index in range(count):
            image, mask = draw_scene(np.random.default_rng((seed, number, index)), size)
            name = f"{index:05d}.png"
            Image.fromarray(image).save(out / "images" / split / name)
            Image.fromarray(mask).save(out / "labels" / split / name)


def _write_lists(folder: Path, order: Int[np.ndarray, " n"], labeled: Sequence[int]) -> None:
    """List all training images, and the first so and so many in their random order as labelled ones."""
    folder.mkdir()
    for name, ids in {"train": order, **{f"labeled_{n}": order[:n] for n in labeled}}.items():
        (folder / f"{name}.txt").write_text("".join(f"{index:05d}\n" for index in sorted(ids)))


# -- one scene --------------------------------------------------------------------------------------------------------


def draw_scene(rng: Generator, size: int) -> tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"]]:
    """An RGB image with two to five objects, and its mask.

    Drawn at ``SUPERSAMPLING`` times the size: the image is then averaged (soft edges), the mask takes the middle pixel.
    """
    canvas = size * SUPERSAMPLING
    picture = _background(rng, canvas)
    mask = np.zeros((canvas, canvas), np.uint8)
    for label in rng.integers(1, len(CLASSES), rng.integers(2, 6)):
        _add_object(rng, picture, mask, int(label))
    picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    image = np.clip(_camera(rng, picture) * 255, 0, 255).round().astype(np.uint8)
    middle = SUPERSAMPLING // 2
    return image, mask[middle::SUPERSAMPLING, middle::SUPERSAMPLING].copy()


def _add_object(rng: Generator, picture: Picture, mask: UInt8[np.ndarray, "h w"], label: int) -> None:
    """Paint one object over ``picture`` and ``mask``, with a shadow beside it."""
    canvas = len(mask)
    center = rng.uniform(0.1, 0.9, 2) * canvas
    radius = canvas * np.exp(rng.uniform(np.log(0.13), np.log(0.28)))
    stretch = np.exp(rng.uniform(-0.2, 0.2))
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    to_canvas = turn @ np.diag([radius * stretch, radius / stretch])

    shape = np.zeros_like(mask)
    outline = OUTLINES[rng.integers(len(OUTLINES))]
    cv2.fillPoly(shape, [np.round(outline @ to_canvas.T + center).astype(np.int32)], 1)
    inside = shape.astype(bool)

    shift = rng.uniform(-0.03, 0.03, 2) * canvas
    moved = cv2.warpAffine(shape.astype(np.float32), np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), mask.shape)
    shadow = cv2.GaussianBlur(moved, (0, 0), canvas * 0.015)
    picture *= 1 - rng.uniform(0.15, 0.4) * shadow[..., None]

    own = (np.argwhere(inside)[:, ::-1] - center) @ np.linalg.inv(to_canvas).T
    picture[inside] = _surface(rng, own, label)
    mask[inside] = label


def _surface(rng: Generator, own: Points, label: int) -> Float[np.ndarray, "n 3"]:
    """Colours of the pixels of an object, at ``own`` coordinates (-1..1): two tones in the pattern of its class."""
    preferred = (label - 1) / (len(CLASSES) - 1)
    hue = rng.normal(preferred, 0.07) if rng.random() < 0.5 else rng.random()
    saturation, value = rng.uniform(0.35, 0.9), rng.uniform(0.55, 1.0)
    main = _rgb(hue, saturation, value)
    blend = PATTERNS[label](own, rng.uniform(1.6, 2.6), rng.random())
    other = _rgb(hue + rng.normal(0, 0.15), rng.uniform(0.1, 0.6), value * rng.uniform(0.25, 0.5))
    light = rng.normal(size=2)
    shade = 1 + 0.18 * (own @ (light / np.linalg.norm(light)))
    return (main + blend[..., None] * (other - main)) * shade[..., None]


def _background(rng: Generator, canvas: int) -> Picture:
    """Two muted colours, mixed by noise and by faint stripes or checks, so that no pattern is a class's own."""
    hue = rng.random()
    first = _rgb(hue, rng.uniform(0.1, 0.55), rng.uniform(0.3, 0.9))
    second = _rgb(hue + rng.normal(0, 0.15), rng.uniform(0.1, 0.55), rng.uniform(0.3, 0.9))
    blend = _smooth_noise(rng, canvas, int(rng.integers(2, 7)))
    blend = 0.75 * blend + 0.25 * _smooth_noise(rng, canvas, int(rng.integers(12, 32)))
    angle = rng.uniform(0, np.pi)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, canvas, dtype=np.float32)] * 2), -1)
    turned = grid @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    pattern = (_stripes, _checks)[rng.integers(2)](turned, rng.uniform(3, 8), rng.random())
    blend = blend + rng.uniform(0, 0.3) * (pattern - 0.5)
    return first + blend[..., None] * (second - first)


def _camera(rng: Generator, picture: Picture) -> Picture:
    """Light photometric nuisance: exposure, contrast, colour cast, blur, noise."""
    contrast, exposure = rng.uniform(0.85, 1.15), rng.uniform(-0.08, 0.08)
    cast = rng.uniform(0.94, 1.06, 3)
    picture = ((picture - 0.5) * contrast + 0.5 + exposure) * cast
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.9))
    return picture + rng.normal(0, rng.uniform(0.01, 0.035), picture.shape)


def _smooth_noise(rng: Generator, canvas: int, cells: int) -> Field:
    """Values in 0..1, smooth over ``1 / cells`` of the canvas."""
    coarse = rng.random((cells, cells), dtype=np.float32)
    return np.clip(cv2.resize(coarse, (canvas, canvas), interpolation=cv2.INTER_CUBIC), 0, 1)


def _rgb(hue: float, saturation: float, value: float) -> Float[np.ndarray, " 3"]:
    """HSV to RGB, all in 0..1, the hue cyclic."""
    sector = (hue * 6 + np.array([5, 3, 1])) % 6
    return (value - value * saturation * np.clip(np.minimum(sector, 4 - sector), 0, 1)).astype(np.float32)


# -- outlines within the unit circle, and the patterns that are the classes -------------------------------------------

Pattern = Callable[[Float[np.ndarray, "... 2"], float, float], Float[np.ndarray, "..."]]


def _polygon(corners: int, radii: Sequence[float] = (1.0,)) -> Points:
    angles = np.arange(corners) * 2 * np.pi / corners - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], -1) * np.resize(radii, corners)[:, None]


def _plus(arm: float) -> Points:
    quarter = np.array([[-arm, -1], [arm, -1], [arm, -arm]])
    turns = [np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), n) for n in range(4)]
    return np.concatenate([quarter @ turn.T for turn in turns])


def _stripes(own: Float[np.ndarray, "... 2"], frequency: float, phase: float) -> Float[np.ndarray, "..."]:
    return (np.sin(2 * np.pi * (frequency * own[..., 0] + phase)) > 0).astype(np.float32)


def _checks(own: Float[np.ndarray, "... 2"], frequency: float, phase: float) -> Float[np.ndarray, "..."]:
    waves = np.sin(2 * np.pi * (0.75 * frequency * own + phase))
    return (waves[..., 0] * waves[..., 1] > 0).astype(np.float32)


def _dots(own: Float[np.ndarray, "... 2"], frequency: float, phase: float) -> Float[np.ndarray, "..."]:
    waves = np.cos(2 * np.pi * (0.9 * frequency * own + phase))
    return (waves.sum(axis=-1) > 0.5).astype(np.float32)


def _rings(own: Float[np.ndarray, "... 2"], frequency: float, phase: float) -> Float[np.ndarray, "..."]:
    return (np.sin(2 * np.pi * (frequency * np.linalg.norm(own, axis=-1) + phase)) > 0).astype(np.float32)


SQUARE: Final = 1.2 * _polygon(4) @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)  # on its side, so that it becomes oblong
OUTLINES: Final = (_polygon(48), SQUARE, _polygon(3), _polygon(10, (1.15, 0.6)), _plus(0.45), _polygon(6))
#: By class; the background has patterns of its own.
PATTERNS: Final[dict[int, Pattern]] = dict(enumerate((_stripes, _checks, _dots, _rings), start=1))
