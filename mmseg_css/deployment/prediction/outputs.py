"""What is written: masks, overlays and probabilities, and a file that says what they are."""

import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from jaxtyping import UInt, UInt8
from PIL import Image

from mmseg_css.datasets.pictures import PREDICTIONS
from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.prediction.predictor import Prediction
from mmseg_css.files import write_text, written

#: Folders, and how their files end.
KINDS: Final = {"overlays": ".jpg", "probabilities": ".npz", "masks": ".png"}
OPACITY: Final = 0.5


class Outputs:
    """A folder of predictions, all of one network.

    ``masks/NAME.png`` holds the index of each pixel's class, ``overlays/NAME.jpg`` the image with the classes' colours
    over it, ``probabilities/NAME.npz`` if wanted ``probabilities`` (k, h, w) in 16 bits, and ``predictions.json`` the
    names and colours of the classes and what predicted. Files appear whole.

    Args:
        folder: The folder.
        classes: What the indices mean.
        made_by: What the predictions depend on; anything that JSON can say.
        probabilities: Whether to write them.
        overwrite: Write everything anew; predictions made otherwise are removed first. If not, an image whose files are
            all there is done.

    Raises:
        FileExistsError: The folder holds predictions that depend on something else, and they are not to be overwritten.
    """

    def __init__(
        self, folder: Path, *, classes: Classes, made_by: dict[str, Any], probabilities: bool, overwrite: bool
    ) -> None:
        self.folder = folder
        self.classes = classes
        self.overwrite = overwrite
        self.kinds = dict(KINDS)
        if not probabilities:
            del self.kinds["probabilities"]
        self._begin(made_by)

    def _begin(self, made_by: dict[str, Any]) -> None:
        coloured = zip(self.classes.names, self.classes.palette.tolist(), strict=True)
        legend = [{"index": index, "name": name, "colour": colour} for index, (name, colour) in enumerate(coloured)]
        # As it will be read again.
        record = json.loads(json.dumps({**made_by, "classes": legend}, default=str))
        path = self.folder / PREDICTIONS
        if self.overwrite and path.is_file():
            self._clear(record, path)
        else:
            self._check_same(record, path)
        write_text(path, json.dumps(record, indent=1, ensure_ascii=False))

    def _clear(self, record: dict[str, Any], path: Path) -> None:
        """Remove predictions made otherwise: who goes on after an interruption must not find them."""
        if json.loads(path.read_text(encoding="utf-8")) != record:
            for kind in KINDS:
                shutil.rmtree(self.folder / kind, ignore_errors=True)

    def _check_same(self, record: dict[str, Any], path: Path) -> None:
        if not path.is_file():
            if there := next((kind for kind in self.kinds if (self.folder / kind).exists()), None):
                raise FileExistsError(
                    f"{self.folder / there} is there, and no {path} says what wrote it: name another --out"
                )
            return
        before = json.loads(path.read_text(encoding="utf-8"))
        if others := [key for key in record if before.get(key) != record[key]]:
            told = ", ".join(
                key if key == "classes" else f"{key} {before.get(key)!r}, now {record[key]!r}" for key in others
            )
            raise FileExistsError(
                f"{self.folder} holds predictions made otherwise ({told}; see {path}): name another --out, or say "
                "--overwrite"
            )

    def is_done(self, name: PurePosixPath) -> bool:
        """Whether nothing is left to do for an image."""
        return not self.overwrite and all(self.path(kind, name).is_file() for kind in self.kinds)

    def path(self, kind: str, name: PurePosixPath) -> Path:
        """Where the ``masks``, ``overlays`` or ``probabilities`` of an image are."""
        return self.folder / kind / f"{name}{self.kinds[kind]}"

    def write(self, name: PurePosixPath, picture: UInt8[np.ndarray, "h w 3"], prediction: Prediction) -> None:
        """Write what was predicted of an image; ``picture`` has blue first."""
        labels = prediction.labels
        mask, overlay = palette_image(labels, self.classes.palette), overlay_of(picture, labels, self.classes.palette)
        with written(self.path("overlays", name)) as part:
            overlay.save(part, format="JPEG", quality=90)
        if "probabilities" in self.kinds and prediction.probabilities is not None:
            shares = prediction.probabilities.astype(np.float16)
            with written(self.path("probabilities", name)) as part, part.open("wb") as file:
                np.savez(file, probabilities=shares)
        with written(self.path("masks", name)) as part:
            mask.save(part, format="PNG")


def palette_image(labels: UInt[np.ndarray, "h w"], palette: UInt8[np.ndarray, "k 3"]) -> Image.Image:
    """Class indices that viewers show in colour; grey in 16 bits if there are more classes than a palette holds."""
    image = Image.fromarray(labels)
    if labels.dtype == np.uint8:
        image.putpalette(palette.tobytes())
    return image


def overlay_of(
    picture: UInt8[np.ndarray, "h w 3"], labels: UInt[np.ndarray, "h w"], palette: UInt8[np.ndarray, "k 3"]
) -> Image.Image:
    """The picture (blue first), half covered with the colours of the classes.

    MMSeg's visualiser writes names over it, too, for which it sorts all pixels of the image in Python.
    """
    mixed = (1 - OPACITY) * picture[..., ::-1] + OPACITY * palette[labels]
    return Image.fromarray(mixed.round().astype(np.uint8))


def fingerprint(checkpoint: str) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256; a URL as it is."""
    if "://" in checkpoint:
        return checkpoint
    with open(checkpoint, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
