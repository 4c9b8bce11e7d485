"""Counts of one image after the other: some numbers of each, histograms of all."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmseg_css.evaluation.diagnosis.regions import boundary_band, components
from mmseg_css.functional.diagnosis import (
    BINS,
    CELLS,
    SourceCounts,
    bins_of,
    cells,
    indicator_counts,
    joint_counts,
    source_counts,
    space_counts,
)
from mmseg_css.functional.labels import is_class
from mmseg_css.types import PseudoLabel

#: Of each image, histograms have this many bins, for intervals, those of a class fewer; over all images `BINS`.
IMAGE_BINS: Final = 100
CLASS_BINS: Final = 50
NO_LABEL: Final = -1
SPACES: Final = ("logit", "representation")


class Labelling(NamedTuple):
    """What indicators see of one image: pixels with labels, of which some are what should be found."""

    labels: Int[Tensor, "h w"]
    known: Bool[Tensor, "h w"]
    indicators: dict[str, Float[Tensor, "h w"]]
    targets: dict[str, Bool[Tensor, "h w"]]


class InspectedImage(NamedTuple):
    """What a method says of one image, and the truth. Labels that are no class are none."""

    truth: Int[Tensor, "H W"]
    sources: dict[str, PseudoLabel]
    labellings: dict[str, Labelling]
    relative: Mapping[str, Float[Tensor, "H W"]] = {}  #: what the threshold compares in place of a source's confidence


@dataclass(kw_only=True)
class Tally:
    """Counts over images.

    Attributes:
        num_classes: Of the truth.
        threshold: Confidence from which the method learns from a label.
        hard: Indicator below which a pixel is hard; None for a method without an indicator.
        radius: Of the boundary band, in pixels.
        images: Counts of each image, by name.
        totals: Sums over all images, by name.
        parts: Counts of each connected part of the truth, by name.
        rows: Image, class and histogram of each class that an image shows, by name.
        relative: Sources of which the threshold compares something else than their confidence.
    """

    num_classes: int
    threshold: float = 0.0
    hard: float | None = None
    radius: int = 3
    images: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    totals: dict[str, Any] = field(default_factory=lambda: defaultdict(int))
    parts: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, list[tuple[np.ndarray, ...]]] = field(default_factory=lambda: defaultdict(list))
    relative: set[str] = field(default_factory=set)

    def add(self, looked: InspectedImage) -> None:
        """Count one image."""
        truth, device = looked.truth.int(), looked.truth.device  # faster to count than 64 bits
        plain = truth.cpu().numpy()
        band = torch.from_numpy(boundary_band(plain, self.num_classes, self.radius)).to(device)
        parts = components(plain, self.num_classes)
        parts_of = torch.from_numpy(parts.of).to(device)
        known = is_class(truth, self.num_classes)
        of_bands = joint_counts(known, (band, 2), (truth, self.num_classes))
        self._image("band_pixels", of_bands)
        self.parts["image"].append(np.full(len(parts.areas), self._index))
        self.parts["class"].append(parts.classes)
        self.parts["area"].append(parts.areas)
        sources = {name: source._replace(label=source.label.int()) for name, source in looked.sources.items()}
        for name, source in sources.items():
            counts = source_counts(source, truth, band, self.num_classes)
            self._add_source(name, counts)
            if name in looked.relative:
                self.relative.add(name)
            if name in looked.relative or not self._is_edge:
                unsure = looked.relative.get(name, source.confidence) < self.threshold
                confident = source._replace(label=source.label.masked_fill(unsure, NO_LABEL))
                counts, first = source_counts(confident, truth, band, self.num_classes), 0
            else:
                first = int(bins_of(torch.tensor(self.threshold)))
            self._image(f"{name}/confident", _from(counts, first))
            where = (parts_of >= 0) & is_class(source.label, self.num_classes)
            self._part(name, joint_counts(where, (parts_of, len(parts.areas)), ((source.label == truth).int(), 2)))
        if "representation" in sources:
            self._add_spaces([sources[name].label for name in SPACES], truth, band, parts_of, len(parts.areas))
        for name, labelling in looked.labellings.items():
            self._add_labelling(name, labelling)
        self._image("pixels", of_bands.sum(0))

    @property
    def _is_edge(self) -> bool:
        """Whether the threshold is where a bin begins: 1 lies within the last one."""
        return self.threshold < 1 and bool(np.isclose(self.threshold * BINS, round(self.threshold * BINS)))

    @property
    def _index(self) -> int:
        """Of the image that is being counted."""
        return len(self.images["pixels"])

    @property
    def last(self) -> dict[str, np.ndarray]:
        """Counts of the image that was counted last."""
        return {name: own[-1] for name, own in self.images.items()}

    def _add_source(self, name: str, counts: SourceCounts) -> None:
        self.totals[f"{name}/by_label"] += counts.by_label.cpu().numpy()
        self.totals[f"{name}/by_truth"] += counts.by_truth.cpu().numpy()
        self._image(f"{name}/all", _from(counts, 0))
        self._image(f"{name}/curve", _coarse(counts.by_label))
        self._image(f"{name}/band", counts.by_band)
        self._image(f"{name}/squares", counts.squares)

    def _add_spaces(self, labels: list[Tensor], truth: Tensor, band: Tensor, parts_of: Tensor, parts: int) -> None:
        logit, representation = labels
        cell = cells(logit, representation, truth, self.num_classes)
        counts = space_counts(cell, logit, representation, truth, band, self.num_classes)
        self._image("cells", counts.by_truth)
        self._image("cells_band", counts.by_band)
        for name in ("agree_wrong", "both_wrong_logit", "both_wrong_representation"):
            self.totals[name] += getattr(counts, name).cpu().numpy()
        self._part("cells", joint_counts(cell >= 0, (parts_of, parts), (cell, len(CELLS))))

    def _add_labelling(self, name: str, own: Labelling) -> None:
        where = own.known & is_class(own.labels, self.num_classes)
        for target, found in own.targets.items():
            for indicator, values in own.indicators.items():
                counts = indicator_counts(values, own.labels, found, own.known, self.num_classes)
                self.totals[f"{name}/{target}/{indicator}"] += counts.cpu().numpy()
                shown = counts.flatten(1).any(1)
                finely = counts[shown].reshape(-1, 2, CLASS_BINS, BINS // CLASS_BINS).sum(3).int()
                classes = shown.nonzero().flatten().cpu().numpy()
                row = (np.full(len(classes), self._index), classes, finely.cpu().numpy())
                self.rows[f"{name}/{target}/{indicator}"].append(row)
            if self.hard is not None:
                hard = [(values < self.hard, 2) for values in own.indicators.values()]
                self._image(f"{name}/{target}/hard", joint_counts(where, *hard, (found, 2)))

    def _image(self, name: str, counts: Tensor) -> None:
        counts = counts if counts.is_floating_point() else counts.int()  # an image has fewer pixels than that holds
        self.images[name].append(counts.cpu().numpy())

    def _part(self, name: str, counts: Tensor) -> None:
        self.parts[name].append(counts.cpu().numpy())

    def of_images(self) -> Mapping[str, Float[np.ndarray, "n ..."]]:
        """Counts of each image, stacked."""
        return {name: np.stack(own) for name, own in self.images.items()}

    def of_classes(self, name: str) -> tuple[Int[np.ndarray, " r"], Int[np.ndarray, " r"], Int[np.ndarray, "r ..."]]:
        """Image, class and histogram of the classes that images show."""
        image, of_class, counts = (np.concatenate(own) for own in zip(*self.rows[name], strict=True))
        return image, of_class, counts

    def of_parts(self) -> Mapping[str, Int[np.ndarray, "m ..."]]:
        """Counts of each connected part of all images, one after the other."""
        return {name: np.concatenate(own) for name, own in self.parts.items()}


def _coarse(counts: Int[Tensor, "k 2 n"]) -> Int[Tensor, "2 bins"]:
    """A histogram over all classes, with `IMAGE_BINS`."""
    return counts.sum(0).reshape(2, IMAGE_BINS, BINS // IMAGE_BINS).sum(2)


def _from(counts: SourceCounts, first: int) -> Int[Tensor, "3 k"]:
    """From a bin on: pixels labelled as a class, right ones, and labelled ones of the class."""
    labelled, covered = (by[..., first:].sum(2) for by in (counts.by_label, counts.by_truth))
    return torch.stack([labelled.sum(1), labelled[:, 1], covered.sum(1)])
