"""What the JSON of LabelMe and of COCO says of images, and the masks that it makes."""

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from mmseg_css.preparation.benchmarks.coco import pixels_of

#: LabelMe's shapes that cover an area.
Drawn = Literal["polygon", "rectangle", "circle"]
#: Keys of LabelMe and of COCO by which their files are known.
LABELME: Final = frozenset({"shapes"})
COCO: Final = frozenset({"images", "annotations", "categories"})
POINTS: Final[Mapping[Drawn, str]] = {
    "polygon": "three corners at least",
    "rectangle": "two opposite corners",
    "circle": "its centre and a point of its edge",
}


class Shape(NamedTuple):
    """An area of an image that has a label.

    Attributes:
        label: What it is called.
        kind: What ``outline`` is: LabelMe's points, or COCO's ``segmentation``.
        outline: x and y of the corners of a polygon, of two opposite corners of a rectangle, or of the centre and a
            point of the edge of a circle; or polygons or run lengths, as COCO has them.
        place: Where it stands, in words.
    """

    label: str
    kind: Drawn | Literal["coco"]
    outline: Any
    place: str


class Annotated(NamedTuple):
    """An image and its shapes; ``name`` is its path without ending, and later shapes lie over earlier ones."""

    name: PurePosixPath
    height: int
    width: int
    shapes: tuple[Shape, ...]


def images_in(content: Any, name: PurePosixPath) -> list[Annotated]:
    """The images that a JSON file tells of.

    Args:
        content: What it holds: the one image of LabelMe, or the images of COCO.
        name: What LabelMe's image is called: the path of the file, without its ending.

    Raises:
        ValueError: It is neither, or something in it is missing or makes no area.
    """
    keys = content.keys() if isinstance(content, Mapping) else frozenset()
    if keys >= LABELME:
        height, width = _size(content, "it")
        entries = _known(content, "shapes", list, "it")
        shapes = tuple(_of_labelme(entry, f"shape {number}") for number, entry in enumerate(entries, start=1))
        return [Annotated(name, height, width, shapes)]
    if keys >= COCO:
        return _of_coco(content)
    raise ValueError(
        "it is neither LabelMe's, with 'shapes', nor COCO's, with 'images', 'annotations' and 'categories': name the "
        "files, or a folder that holds no others"
    )


def _of_labelme(entry: Any, place: str) -> Shape:
    label = _known(entry, "label", str, place)
    what = f"{place} ({label!r})"
    kind: Any = entry.get("shape_type") or "polygon"  # old files do not say
    if kind not in get_args(Drawn):
        raise ValueError(
            f"{what} is of type {kind!r}, and only {', '.join(get_args(Drawn))} can be painted: convert it to a "
            "polygon in LabelMe, or delete it"
        )
    points = _numbers(_known(entry, "points", list, what))
    enough = len(points) > 2 if kind == "polygon" else len(points) == 2
    if not enough or points.shape[1:] != (2,):
        raise ValueError(f"{what} is a {kind}, whose 'points' have to be {POINTS[kind]}, as pairs of numbers")
    return Shape(label, kind, points, place)


def _of_coco(content: Mapping[str, Any]) -> list[Annotated]:
    names = {key: _known(entry, "name", str, "a category") for key, entry in _by_id(content, "categories").items()}
    images = _by_id(content, "images")
    shapes: dict[Any, list[Shape]] = {key: [] for key in images}
    sizes = {key: _size(image, f"image {image.get('file_name', key)!r}") for key, image in images.items()}
    for entry in _known(content, "annotations", list, "it"):
        key = _known(entry, "image_id", int | str, "an annotation")
        place = f"annotation {entry.get('id')}"
        if key not in images:
            raise ValueError(f"{place} belongs to image {key!r}, which is not among the images")
        place = f"{place} of {images[key].get('file_name')!r}"
        category = _known(entry, "category_id", int | str, place)
        if category not in names:
            raise ValueError(f"{place} is of category {category!r}, which is not among the categories")
        _check_segmentation(entry.get("segmentation"), sizes[key], place)
        shapes[key].append(Shape(names[category], "coco", entry["segmentation"], place))
    return [Annotated(_name_of(image), *sizes[key], tuple(shapes[key])) for key, image in images.items()]


def _by_id(content: Mapping[str, Any], kind: str) -> dict[int | str, Mapping[str, Any]]:
    found: dict[int | str, Mapping[str, Any]] = {}
    for entry in _known(content, kind, list, "it"):
        if found.setdefault(key := _known(entry, "id", int | str, f"an entry of {kind!r}"), entry) is not entry:
            raise ValueError(f"two of {kind!r} have the id {key!r}, so that what is said of it may mean either")
    return found


def _check_segmentation(segmentation: Any, size: tuple[int, int], place: str) -> None:
    if isinstance(segmentation, Mapping):
        if segmentation.get("size") != [*size]:
            raise ValueError(f"{place} has run lengths of size {segmentation.get('size')}, its image is {[*size]}")
        counts = segmentation.get("counts")
        if isinstance(counts, str) and counts:
            return
        if (lengths := _numbers(counts)).ndim == 1 and lengths.sum() == size[0] * size[1] and lengths.min() >= 0:
            return
        raise ValueError(f"{place} has run lengths that do not add up to the pixels of its image")
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError(f"{place} has no 'segmentation'; of a box alone no mask can be made: outline it, or delete it")
    for ring in segmentation:
        if (numbers := _numbers(ring)).ndim != 1 or len(numbers) < 6 or len(numbers) % 2:
            raise ValueError(f"{place} has a polygon that is not the x and y of at least three corners: {ring}")


def _name_of(image: Mapping[str, Any]) -> PurePosixPath:
    """The path of an image of COCO, without its ending; Windows writes it with other strokes."""
    file_name = _known(image, "file_name", str, "an image")
    path = PureWindowsPath(file_name)
    if path.anchor or ".." in path.parts or not path.name:
        raise ValueError(
            f"the file_name {file_name!r} leads out of the folder of the images: write the paths below that folder"
        )
    return PurePosixPath(path.with_suffix("").as_posix())


def _size(entry: Any, what: str) -> tuple[int, int]:
    keys = ("imageHeight", "imageWidth") if "shapes" in entry else ("height", "width")
    height, width = (entry.get(key) for key in keys)
    if not (isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0):
        raise ValueError(
            f"{what} does not say how large the image is ({keys[0]} is {height!r}, {keys[1]} {width!r}): save it again "
            "in the program that wrote it, or write the numbers of pixels there"
        )
    return height, width


def _numbers(content: Any) -> Float[np.ndarray, "..."]:
    """Empty if these are none, or not as many in each list."""
    try:
        numbers = np.array(content, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if numbers.ndim and np.isfinite(numbers).all() else np.empty(0)


def _known(entry: Any, key: str, kind: Any, what: str) -> Any:
    value = entry.get(key) if isinstance(entry, Mapping) else None
    if not isinstance(value, kind):
        raise ValueError(f"{what} has no {key!r}" if value is None else f"the {key!r} of {what} cannot be {value!r}")
    return value


def painted(image: Annotated, values: Mapping[str, int], outside: int) -> UInt8[np.ndarray, "h w"]:
    """The mask of an image: its shapes, one over the other as they stand.

    LabelMe's shapes cover the pixels that they cover in LabelMe, which paints with Pillow: also those that the outline
    touches. COCO's are decoded by pycocotools.

    Args:
        image: The image.
        values: Of each label.
        outside: The value of pixels in no shape.

    Raises:
        ModuleNotFoundError: There are shapes of COCO, and pycocotools is not installed.
        ValueError: It cannot decode one.

    >>> square = Shape("car", "rectangle", np.array([[1.0, 0.0], [2.0, 1.0]]), "shape 1")
    >>> painted(Annotated(PurePosixPath("a"), 2, 4, (square,)), {"car": 1}, 255).tolist()
    [[255, 1, 1, 255], [255, 1, 1, 255]]
    """
    canvas = Image.new("L", (image.width, image.height), outside)
    for shape in image.shapes:
        if shape.kind == "coco":
            canvas.paste(values[shape.label], (0, 0), _decoded(shape, image))
        else:
            _draw(ImageDraw.Draw(canvas), shape.kind, shape.outline, values[shape.label])
    return np.array(canvas)


def _decoded(shape: Shape, image: Annotated) -> Image.Image:
    try:
        return Image.fromarray(pixels_of(shape.outline, image.height, image.width))
    except ValueError as fault:
        raise ValueError(f"{shape.place} cannot be decoded: {fault}") from None


def _draw(draw: ImageDraw.ImageDraw, kind: Drawn, points: Float[np.ndarray, "p 2"], value: int) -> None:
    if kind == "polygon":
        draw.polygon(points.ravel().tolist(), fill=value)
    elif kind == "rectangle":
        draw.rectangle([*points.min(0).tolist(), *points.max(0).tolist()], fill=value)
    else:
        centre, edge = points
        radius = np.hypot(*(edge - centre))
        draw.ellipse([*(centre - radius).tolist(), *(centre + radius).tolist()], fill=value)
