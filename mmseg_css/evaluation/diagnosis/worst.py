"""The images where a method fails most, of each kind of failure."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from mmseg_css.evaluation.diagnosis.colours import CELL_COLOURS
from mmseg_css.functional.diagnosis import CELLS

#: Images of each kind.
KEPT: Final = 3
#: Of a picture, in pixels.
LONGEST: Final = 240


class Shown(NamedTuple):
    """What is shown of an image. Labels that are no class are grey."""

    name: str
    image: UInt8[np.ndarray, "h w 3"]  #: RGB
    truth: Int[np.ndarray, "H W"]
    labels: Mapping[str, Int[np.ndarray, "H W"]]
    confidence: Float[np.ndarray, "H W"]
    cells: Int[np.ndarray, "H W"] | None = None


@dataclass(kw_only=True)
class Worst:
    """The worst images so far, by kind."""

    palette: UInt8[np.ndarray, "k 3"]
    found: dict[str, list[tuple[float, int, Shown]]] = field(default_factory=dict)
    seen: int = 0

    def add(self, shown: Shown, shares: Mapping[str, float]) -> None:
        """Keep an image if it is among the worst; of equal ones the first.

        Args:
            shares: Of its pixels, by kind of failure.
        """
        self.seen += 1
        for kind, share in shares.items():
            if np.isfinite(share) and share > 0:
                kept = self.found.setdefault(kind, [])
                heapq.heappush(kept, (share, -self.seen, shown))
                del kept[: max(0, len(kept) - KEPT)]
                heapq.heapify(kept)

    def write(self, folder: Path) -> dict[str, list[dict[str, Any]]]:
        """Write the pictures; what they show and where they are, below the folder's parent."""
        folder.mkdir(parents=True, exist_ok=True)
        written: dict[str, list[dict[str, Any]]] = {}
        for kind, kept in self.found.items():
            for rank, (share, _, shown) in enumerate(sorted(kept, reverse=True), start=1):
                pictures = {}
                for panel, picture in self._panels(shown).items():
                    path = folder / f"{kind}_{rank}_{panel.replace(' ', '_')}.png"
                    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
                    pictures[panel] = path.relative_to(folder.parent).as_posix()
                written.setdefault(kind, []).append({"image": shown.name, "share": share, "pictures": pictures})
        return written

    def _panels(self, shown: Shown) -> dict[str, UInt8[np.ndarray, "h w 3"]]:
        panels = {"image": _shrunk(shown.image, cv2.INTER_AREA), "truth": self._coloured(shown.truth)}
        panels |= {name: self._coloured(labels) for name, labels in shown.labels.items()}
        if shown.cells is not None:
            panels["agreement"] = _coloured(shown.cells, np.array([*map(_rgb, CELL_COLOURS.values())], np.uint8))
        grey = np.repeat((255 * shown.confidence).astype(np.uint8)[..., None], 3, axis=2)
        return panels | {"confidence": _shrunk(grey, cv2.INTER_AREA)}

    def _coloured(self, labels: Int[np.ndarray, "H W"]) -> UInt8[np.ndarray, "h w 3"]:
        return _coloured(labels, self.palette)


def failures(
    shown: Shown, source: str, num_classes: int, threshold: float, learnt: float | None = None
) -> dict[str, float]:
    """Shares of an image's known pixels: confidently mislabelled by a source, not learnt from, and both spaces wrong.

    Args:
        threshold: Confidence from which a label is confident.
        learnt: Confidence from which it is learnt from; None if every label is.
    """
    truth, labels = shown.truth, shown.labels[source]
    known = (truth >= 0) & (truth < num_classes)
    labelled = (labels >= 0) & (labels < num_classes)
    sure = labelled & (shown.confidence >= threshold)
    left_out = ~labelled if learnt is None else ~labelled | (shown.confidence < learnt)
    shares = {"confident_wrong": sure & (labels != truth), "not_learnt_from": left_out}
    if shown.cells is not None:
        shares |= {name: shown.cells == CELLS.index(name) for name in ("agree_wrong", "both_wrong")}
    total = max(int(known.sum()), 1)
    return {kind: float((where & known).sum()) / total for kind, where in shares.items()}


def _coloured(labels: Int[np.ndarray, "H W"], colours: UInt8[np.ndarray, "k 3"]) -> UInt8[np.ndarray, "h w 3"]:
    labels = _shrunk(labels.astype(np.int16), cv2.INTER_NEAREST)
    inside = (labels >= 0) & (labels < len(colours))
    return np.where(inside[..., None], colours[np.where(inside, labels, 0)], 128).astype(np.uint8)


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour.removeprefix("#")))


def _shrunk(picture: Shaped[np.ndarray, "H W ..."], how: int) -> Shaped[np.ndarray, "h w ..."]:
    factor = LONGEST / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return cv2.resize(picture, size, interpolation=how)
