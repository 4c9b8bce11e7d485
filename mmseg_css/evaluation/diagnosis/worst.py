"""The images where a method fails most, of each kind of failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image

from mmseg_css.evaluation.diagnosis.panels import Picture

#: Images of each kind.
KEPT: Final = 3


@dataclass
class Worst:
    """The worst images so far, by kind: share of their pixels, name and pictures, the worst first."""

    found: dict[str, list[tuple[float, str, Mapping[str, Picture]]]] = field(default_factory=dict)

    def add(self, name: str, shares: Mapping[str, float], draw: Callable[[], Mapping[str, Picture]]) -> None:
        """Keep an image if it is among the worst; of equal ones the first.

        Args:
            name: Of the image.
            shares: Of its pixels, by kind of failure.
            draw: Makes its pictures; called only if it is kept.
        """
        lowest = {kind: self.found[kind][-1][0] if len(self.found.get(kind, ())) == KEPT else 0.0 for kind in shares}
        kinds = [kind for kind, share in shares.items() if share > lowest[kind]]
        pictures = draw() if kinds else {}
        for kind in kinds:
            kept = [*self.found.get(kind, ()), (shares[kind], name, pictures)]
            self.found[kind] = sorted(kept, key=lambda one: -one[0])[:KEPT]

    def write(self, folder: Path) -> dict[str, list[dict[str, Any]]]:
        """Write the pictures; what they show and where they are, below the folder's parent."""
        folder.mkdir(parents=True, exist_ok=True)
        written: dict[str, list[dict[str, Any]]] = {}
        for kind, kept in self.found.items():
            for rank, (share, name, pictures) in enumerate(kept, start=1):
                paths = {}
                for panel, picture in pictures.items():
                    path = folder / f"{kind}_{rank}_{panel}.png"
                    Image.fromarray(picture).save(path)
                    paths[panel] = path.relative_to(folder.parent).as_posix()
                written.setdefault(kind, []).append({"image": name, "share": share, "pictures": paths})
        return written
