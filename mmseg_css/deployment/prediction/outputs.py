"""What is written: masks, overlays and probabilities, and a file that says what they are."""

import io
import json
import shutil
from os import path as osp
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import UInt, UInt8
from PIL import Image

from mmseg_css.datasets.pictures import PREDICTIONS
from mmseg_css.deployment.prediction.inputs import Inputs
from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.prediction.predictor import Prediction
from mmseg_css.deployment.prediction.sources import SOURCES, Source, Sources, digest_at, digest_of, is_same
from mmseg_css.files import remove_parts, write_bytes, write_text, written

#: Folders, and how their files end: overlays that are too large for JPEG are PNG.
KINDS: Final = {"overlays": (".jpg", ".png"), "probabilities": (".npz",), "masks": (".png",)}
OPACITY: Final = 0.5
#: Pixels of the longer side, as libjpeg has it.
LARGEST_JPEG: Final = 65500
#: What there is of an image. ``changed``: predictions of what the file held before. ``corrected``: the same, and the
#: mask was changed after it was written. ``unknown``: a mask of which nothing says what it was made of.
State = Literal["missing", "done", "changed", "corrected", "unknown"]


class Outputs:
    """A folder of predictions, all of one network.

    ``masks/NAME.png`` holds the index of each pixel's class, ``overlays/NAME.jpg`` the image with the classes' colours
    over it, ``probabilities/NAME.npz`` if wanted ``probabilities`` (k, h, w) in 16 bits, ``predictions.json`` the names
    and colours of the classes and what predicted, and ``sources.jsonl`` of which file each prediction is. Files appear
    whole.

    Args:
        folder: The folder.
        inputs: What is to be predicted.
        classes: What the indices mean.
        made_by: What the predictions depend on; anything that JSON can say.
        probabilities: Whether to write them.
        overwrite: Write everything anew; predictions made otherwise are removed first. If not, what is there stays,
            but for predictions of an image that was changed since.

    Raises:
        FileExistsError: The folder holds predictions that depend on something else, and they are not to be overwritten;
            or masks of other images among them were changed by hand.
    """

    def __init__(
        self,
        folder: Path,
        *,
        inputs: Inputs,
        classes: Classes,
        made_by: dict[str, Any],
        probabilities: bool,
        overwrite: bool,
    ) -> None:
        self.folder = folder
        self.inputs = inputs
        self.classes = classes
        self.overwrite = overwrite
        self.kinds = dict(KINDS)
        if not probabilities:
            del self.kinds["probabilities"]
        self._begin(made_by)
        self.sources = Sources(folder)
        for kind in KINDS:
            remove_parts(folder / kind)

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
            self._check_not_corrected()
            for kind in KINDS:
                shutil.rmtree(self.folder / kind, ignore_errors=True)
            (self.folder / SOURCES).unlink(missing_ok=True)

    def _check_not_corrected(self) -> None:
        """Refuse to remove masks that were changed by hand and will not be predicted again."""
        sources = Sources(self.folder)
        masks = {self.mask_of(name): sources[str(name)] for name in self.inputs.without(sources)}
        corrected = [path for path, made in masks.items() if made and path.is_file() and digest_at(path) != made.mask]
        if corrected:
            raise FileExistsError(
                f"{self.folder} holds predictions made otherwise, which --overwrite removes, and {len(corrected)} "
                "masks among them, of images that are not predicted now, were changed by hand, the first: "
                f"{corrected[0]}; move them away, or name another --out"
            )

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

    def state(self, name: PurePosixPath, path: Path) -> State:
        """What there is of an image, or of a frame of a video.

        Args:
            name: Of the image.
            path: Of the image or the video.

        Raises:
            FileExistsError: There are predictions of another file, and they are not to be overwritten.
        """
        there = {kind for kind in KINDS if self._is_there(kind, name)}
        if self.overwrite or not there:
            return "missing"
        complete = there >= self.kinds.keys()
        if (made := self.sources[str(name)]) is None:
            return "unknown" if complete else "missing"
        try:
            if is_same(made.source, path):
                return "done" if complete else "missing"
        except ValueError:  # which reading it will say
            return "missing"
        if osp.abspath(path) != made.source.path:
            raise FileExistsError(
                f"{self.folder} holds predictions made otherwise ({name} of {made.source.path!r}, now of "
                f"{osp.abspath(path)!r}): name another --out, or say --overwrite"
            )
        if "masks" not in there:
            return "changed"
        return "changed" if digest_at(self.mask_of(name)) == made.mask else "corrected"

    def mask_of(self, name: PurePosixPath) -> Path:
        """Where the mask of an image is."""
        return self._path("masks", name, ".png")

    def _path(self, kind: str, name: PurePosixPath, ending: str) -> Path:
        return self.folder / kind / f"{name}{ending}"

    def _is_there(self, kind: str, name: PurePosixPath) -> bool:
        return any(self._path(kind, name, ending).is_file() for ending in KINDS[kind])

    def write(
        self, name: PurePosixPath, source: Source, picture: UInt8[np.ndarray, "h w 3"], prediction: Prediction
    ) -> None:
        """Write what was predicted of an image, and is not there; ``picture`` has blue first."""
        made = self.sources[str(name)]
        if made is not None and made.source.sha256 != source.sha256:
            self._remove(name)
        wanted = {kind for kind in self.kinds if self.overwrite or not self._is_there(kind, name)}
        labels, palette = prediction.labels, self.classes.palette
        palette_image(labels, palette).save(mask := io.BytesIO(), format="PNG")
        if "masks" in wanted:
            mask.seek(0)
            self.sources.note(str(name), source, digest_of(mask))
        if "overlays" in wanted:
            self._write_overlay(name, overlay_of(picture, labels, palette))
        if "probabilities" in wanted and prediction.probabilities is not None:
            shares = prediction.probabilities.astype(np.float16)
            with written(self._path("probabilities", name, ".npz")) as part, part.open("wb") as file:
                np.savez(file, probabilities=shares)
        if "masks" in wanted:
            write_bytes(self.mask_of(name), mask.getvalue())

    def _remove(self, name: PurePosixPath) -> None:
        """Remove predictions of another content, the mask last: until then they are known as such."""
        for kind, endings in KINDS.items():
            for ending in endings:
                self._path(kind, name, ending).unlink(missing_ok=True)

    def _write_overlay(self, name: PurePosixPath, overlay: Image.Image) -> None:
        large = max(overlay.size) > LARGEST_JPEG
        with written(self._path("overlays", name, ".png" if large else ".jpg")) as part:
            overlay.save(part, format="PNG" if large else "JPEG", quality=90)  # PNG has none, and does not mind


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
    return digest_at(Path(checkpoint))
