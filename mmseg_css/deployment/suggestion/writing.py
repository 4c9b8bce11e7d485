"""The folder of suggestions: what is suggested and why, and labels to correct."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, get_args

import numpy as np
from jaxtyping import Int, UInt

from mmseg_css.datasets.pictures import SUGGESTIONS
from mmseg_css.deployment.prediction.inputs import Item
from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.prediction.outputs import palette_image
from mmseg_css.deployment.suggestion.polygons import coco_of, labelme_of, regions_of
from mmseg_css.files import NEW, is_left, write_text, written

#: Folders of labels to correct.
Format = Literal["masks", "coco", "labelme"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
TABLE: Final = "suggestions.csv"
LIST: Final = "suggested.txt"
SCHEMA: Final = 1


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder is not there or empty, and can be written into, for which it is made.

    Raises:
        FileExistsError: It holds something, which is not what an earlier call wrote and is to be overwritten.
        OSError: It cannot be made or written into.
    """
    if folder.is_dir() and any(not is_left(path) for path in folder.iterdir()):
        if not (folder / SUGGESTIONS).is_file():
            raise FileExistsError(
                f"{folder} is not empty, and no {folder / SUGGESTIONS} says what wrote it: name another --out"
            )
        if not overwrite:
            raise FileExistsError(
                f"{folder} holds suggestions, and maybe corrected labels: name another --out, or say --overwrite"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryDirectory(dir=folder, prefix=NEW).cleanup()
    except OSError as error:
        raise OSError(f"{folder} cannot be written into ({error.strerror}): name another --out") from error


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write what is suggested: all that is known, a table of the images, and their lines for a list."""
    _write_json(folder / SUGGESTIONS, {"schema": SCHEMA, **record})
    rows = record["images"]
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / TABLE, table.getvalue())
    write_text(folder / LIST, "".join(f"{row['line']}\n" for row in rows))


def write_labels(
    folder: Path,
    formats: Sequence[Format],
    image: Item,
    labels: UInt[np.ndarray, "h w"],
    classes: Classes,
    home: Path,
    values: Int[np.ndarray, " k"],
) -> None:
    """Write what a network says of an image, under the image's own path in the folder of each format.

    Args:
        folder: Where to write.
        formats: What.
        image: The image.
        labels: Of the image.
        classes: What labels mean.
        home: What ``folder`` will be, from where LabelMe finds the image.
        values: What stands for each class in the masks of the labelled images.
    """
    if "masks" in formats:
        palette = np.zeros((values.max() + 1, 3), np.uint8)
        palette[values] = classes.palette
        mask = palette_image(values.astype(labels.dtype)[labels], palette)
        with written(_path(folder, "masks", image.name)) as part:
            mask.save(part, format="PNG")
    if not {"coco", "labelme"} & {*formats}:
        return
    regions, size = regions_of(labels), labels.shape
    if "coco" in formats:
        file_name = f"{image.name}{image.path.suffix}"
        _write_json(_path(folder, "coco", image.name), coco_of(regions, classes.names, file_name, *size))
    if "labelme" in formats:
        # From where links lead to: a way up leads out of that.
        above = _path(home.resolve(), "labelme", image.name).parent
        image_path = Path(os.path.relpath(image.path, above)).as_posix()
        _write_json(_path(folder, "labelme", image.name), labelme_of(regions, classes.names, image_path, *size))


def _path(folder: Path, name: Format, image: PurePosixPath) -> Path:
    return folder / name / f"{image}{'.png' if name == 'masks' else '.json'}"


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False))
