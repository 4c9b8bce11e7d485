"""From files of LabelMe and COCO to masks of class indices: what ``mmseg-css data masks`` does."""

import json
import os
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import IGNORED, check_config, dataset_configs
from mmseg_css.datasets.checks.images import listed
from mmseg_css.datasets.coco import spread_palette
from mmseg_css.datasets.rewritten import Origin, origin_of, remember, source_of
from mmseg_css.preparation.own_data.coding import IGNORED_COLOUR, MOST_CLASSES, write_indices
from mmseg_css.preparation.own_data.configs import config_path
from mmseg_css.preparation.own_data.masks import Colour
from mmseg_css.preparation.own_data.shapes import Annotated, images_in, painted
from mmseg_css.registry import DATASETS


class Found(NamedTuple):
    """An image, and the file that tells of it."""

    file: Path
    image: Annotated


class Classes(NamedTuple):
    """Names, in the order of their indices, and colours."""

    names: tuple[str, ...]
    palette: tuple[Colour, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        annotations: JSON files, and folders of them.
        out: The folder of the masks.
        classes: Names of the classes, in order; those of ``config`` otherwise.
        config: A config whose labelled images have the classes.
        background: The class of pixels in no shape; they are ignored if None.
        ignored: Labels of shapes whose pixels are ignored.
        overwrite: Replace masks.
    """

    annotations: Sequence[Path]
    out: Path
    classes: Sequence[str] | None = None
    config: Path | None = None
    background: str | None = None
    ignored: Sequence[str] = ()
    overwrite: bool = False


def write_masks(asked: Request) -> None:
    """Read everything, then write a mask for each image, and say what was done.

    Raises:
        OSError: A file or folder is not there, or a mask is.
        ValueError: A file cannot be read, its labels are no classes, or nothing is labelled.
        ModuleNotFoundError: There are shapes of COCO, and pycocotools is not installed.
    """
    check_own(asked.out)
    found = read(asked.annotations)
    classes = classes_of(asked, found)
    values = {name: index for index, name in enumerate(classes.names)} | dict.fromkeys(asked.ignored, IGNORED)
    check_labels(found, values)
    outside = IGNORED if asked.background is None else values[asked.background]
    # An image without shapes shows the background alone. Without one it has no labels, and a mask would say it has.
    images = [image for _, image in found if image.shapes or asked.background is not None]
    if not images:
        raise ValueError(f"none of the {len(found)} images has a shape, so that there is nothing to write")
    targets = [asked.out / f"{image.name}.png" for image in images]
    check_targets(targets, overwrite=asked.overwrite)
    pixels = ignored = 0
    progress = tqdm(zip(targets, images, strict=True), "masks", len(images), unit="image", leave=False, delay=1)
    for target, image in progress:
        labels = painted(image, values, outside)
        write_indices(target, labels, classes.palette)
        pixels, ignored = pixels + labels.size, ignored + int((labels == IGNORED).sum())
    _remember(asked.out, found)
    print(
        f"{len(images)} masks written to {asked.out}; {ignored / pixels:.2%} of their pixels are ignored ({IGNORED})."
    )
    for line in _remarks(asked, classes.names, [image for _, image in found], ignored > 0):
        print(line)


def _remember(out: Path, found: Collection[Found]) -> None:
    """Note which file told of each mask, beside what earlier calls have noted of others."""
    files = {file: source_of(config_path(file)) for file in dict.fromkeys(file for file, _ in found)}
    before = origin_of(out)
    sources = {f"{image.name}.png": files[file] for file, image in found}
    remember(out, Origin("mmseg-css data masks", {**(before.sources if before else {}), **sources}))


def read(paths: Sequence[Path]) -> list[Found]:
    """The images that files, and those of folders, tell of.

    Raises:
        FileNotFoundError: A file or folder is not there.
        ValueError: There are none, some cannot be read, or two tell of one image.
    """
    found: dict[PurePosixPath, Found] = {}
    faults = []
    files = list(_files(paths))
    for file, name in tqdm(files, desc="annotations", unit="file", leave=False, delay=1):
        try:
            for image in images_in(json.loads(file.read_bytes()), name):
                if (other := found.setdefault(image.name, Found(file, image))).image is not image:
                    raise ValueError(f"'{image.name}' is in {other.file}, too, and both would be one mask: rename one")
        except ValueError as fault:
            broken = isinstance(fault, json.JSONDecodeError | UnicodeDecodeError)
            faults.append(f"{file}: {'it is no JSON, or not as a whole' if broken else fault}")
    if faults:
        raise ValueError(f"{len(faults)} of {len(files)} files cannot be used:{listed(faults)}")
    return list(found.values())


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, PurePosixPath]]:
    """JSON files, each with its path, without ending, below the folder that was named or that holds all named files."""
    parents = [os.path.abspath(path.parent) for path in paths if not path.is_dir()]
    common = os.path.commonpath(parents) if parents else ""
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {str(path)!r}")
        folder = path if path.is_dir() else common
        files = _inside(path) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{str(path)!r} and its folders hold no JSON files")
        for file in files:
            yield file, PurePosixPath(Path(os.path.relpath(file, folder)).with_suffix("").as_posix())


def _inside(folder: Path) -> list[Path]:
    """The JSON files below a folder but hidden ones, which systems, editors and we leave there."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() == ".json"
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def classes_of(asked: Request, found: Collection[Found]) -> Classes:
    """The classes that are asked for.

    Raises:
        ValueError: None are, there are too many, or the background or an ignored label contradicts them.
    """
    if asked.config is not None:
        classes = classes_of_config(asked.config)
    elif asked.classes is not None:
        colours = tuple((red, green, blue) for red, green, blue in spread_palette(len(asked.classes)))
        classes = Classes(tuple(asked.classes), colours)
    else:
        labels = ",".join(sorted({shape.label for _, image in found for shape in image.shapes}))
        raise ValueError(
            f"say which classes there are, in the order of their indices: --classes {shlex.quote(labels)}, as shapes "
            "are called, or --config CONFIG"
        )
    if len(classes.names) > MOST_CLASSES:
        raise ValueError(f"there are {len(classes.names)} classes, and a mask of 8 bits holds {MOST_CLASSES} at most")
    if asked.background is not None and asked.background not in classes.names:
        raise ValueError(f"--background {asked.background} is no class{_near(asked.background, classes.names)}")
    if both := sorted({*asked.ignored} & {*classes.names}):
        raise ValueError(f"{both[0]!r} is a class and to be ignored: take it out of --ignore or of the classes")
    return classes


def classes_of_config(path: Path) -> Classes:
    """The classes of the labelled images of a config.

    Raises:
        FileNotFoundError: The config, a folder or a list is not there.
        ValueError: It has no labelled images, or their masks hold other values than indices of the classes.
    """
    train = read_config(path).get("train_dataloader", {}).get("dataset", {})
    dataset = next(dataset_configs(train.get("labeled", train)), None)
    if dataset is None:
        raise ValueError(f"{path} names no folder of labelled images: name the classes with --classes")
    check_config(dataset)
    meta = DATASETS.build({**dataset, "pipeline": [], "lazy_init": True}).metainfo
    if not meta.get("classes"):
        raise ValueError(f"the labelled images of {path} have no classes: name them with --classes")
    for setting in ("reduce_zero_label", "label_map"):
        if meta.get(setting):
            raise ValueError(
                f"{path} reads masks with {setting}, so that their values are no indices of its classes: name the "
                "classes with --classes, in the order of the values"
            )
    return Classes(tuple(meta["classes"]), tuple((red, green, blue) for red, green, blue in meta["palette"]))


def check_labels(found: Collection[Found], known: Mapping[str, int]) -> None:
    """Check that every shape is called as a class or as what is to be ignored.

    Raises:
        ValueError: Some are not: each label with the first file and shape, and the nearest name.
    """
    unknown: defaultdict[str, list[str]] = defaultdict(list)
    for file, image in found:
        for shape in image.shapes:
            if shape.label not in known:
                unknown[shape.label].append(f"{file}, {shape.place}")
    if unknown:
        faults = [
            f"{label!r} ({places[0]}{f', and {len(places) - 1} more' if places[1:] else ''}){_near(label, known)}"
            for label, places in unknown.items()
        ]
        raise ValueError(
            f"labels of shapes are no classes, which are {', '.join(known)}:{listed(faults)}\nCorrect the "
            "labels, name all classes, or say --ignore LABEL if nothing is known of such pixels"
        )


def check_own(out: Path) -> None:
    """Check that masks are not to go among those that `mmseg-css init` makes of the user's own, and would replace.

    Raises:
        FileExistsError: They are.
    """
    origin = origin_of(out)
    if origin and origin.folder:
        raise FileExistsError(
            f"{out} holds what `{origin.command}` made of the masks in {origin.folder!r}: if those are class indices, "
            f"and 255 what is ignored, put the new ones there, with --out {shlex.quote(origin.folder)}, otherwise into "
            f"a folder with copies of those in {out} (docs/suggest.md); then call `{origin.command}` with it, and "
            "--overwrite"
        )


def check_targets(targets: Collection[Path], *, overwrite: bool) -> None:
    """Check that nothing is replaced, or nothing but masks of an earlier call, which have our palette.

    Raises:
        FileExistsError: Something would be.
    """
    for target in targets:
        if target.exists() and not overwrite:
            raise FileExistsError(f"{target} is there already: name another --out, or say --overwrite")
        if target.exists() and not _is_mask(target):
            raise FileExistsError(f"{target} is there, and is no mask of an earlier call: name another --out")


def _is_mask(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            palette = picture.getpalette() or []
            return picture.mode == "P" and tuple(palette[3 * IGNORED :]) == IGNORED_COLOUR
    except (UnidentifiedImageError, IsADirectoryError):
        return False


def _remarks(asked: Request, names: Sequence[str], images: Collection[Annotated], ignored: bool) -> Iterator[str]:
    if ignored and asked.background is None:
        yield "! Pixels in no shape are ignored. If they are of a class, name it: --background NAME"
    shown = {shape.label for image in images for shape in image.shapes} | {asked.background}
    if missing := [name for name in names if name not in shown]:
        yield f"! No shape is called {', '.join(missing)}."
    if empty := [str(image.name) for image in images if not image.shapes]:
        what = "got no mask" if asked.background is None else f"are {asked.background} as a whole"
        more = ", ..." if empty[3:] else ""
        yield f"! {len(empty)} without shapes {what}: {', '.join(empty[:3])}{more}"
    if asked.config is None:
        masks, told, ignore = (
            shlex.quote(str(asked.out)),
            shlex.quote(",".join(names)),
            f" --ignore {IGNORED}" * ignored,
        )
        yield f"Next: mmseg-css init IMAGES {masks} --classes {told}{ignore}"


def _near(name: str, known: Collection[str]) -> str:
    spelt = {one.casefold(): one for one in known}
    return "".join(f"; did you mean {spelt[near]!r}?" for near in get_close_matches(name.casefold(), spelt, 1))
