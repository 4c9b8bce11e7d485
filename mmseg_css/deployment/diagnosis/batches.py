"""What a method says of a batch, taken apart into what is counted and shown of each image."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int, UInt8
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_css.deployment.diagnosis.plain_network import LabelsAlone
from mmseg_css.evaluation.diagnosis.panels import CELL_PALETTE, Picture, coloured, grey, picture_of
from mmseg_css.evaluation.diagnosis.tally import SPACES, InspectedImage, Labelling
from mmseg_css.functional.diagnosis import cells
from mmseg_css.functional.labels import is_class
from mmseg_css.models.segmentors import Inspection, SemiSegmentor
from mmseg_css.models.segmentors.batch import at_stride, images_of
from mmseg_css.types import PseudoLabel

#: What can be looked into.
Inspectable = SemiSegmentor | LabelsAlone


class InspectedBatch(NamedTuple):
    """What a method says of images of one size."""

    samples: list[SegDataSample]
    pictures: list[Tensor]
    truth: Int[Tensor, "b H W"]
    inspection: Inspection


def inspected_batches(model: Inspectable, batch: dict) -> Iterator[InspectedBatch]:
    """Of a batch, in as few passes as the sizes of its images and masks allow. What is ignored, or no class, is -1.

    Raises:
        ValueError: Networks label as in training, and the images have several sizes, or padding.
    """
    with torch.no_grad():
        data = model.data_preprocessor(batch, False)
        half = images_of(data["inputs"], data["data_samples"])
        truths = [sample.gt_sem_seg.data[0].long() for sample in half.samples]
        if len({truth.shape for truth in truths}) == 1 and bool(half.valid.all()):
            truth = torch.stack(truths)
            yield without_ignored(model, half.samples, batch["inputs"], truth, model.inspect(half.images, _size(truth)))
            return
        if model.student.training or (model.teacher is not None and model.teacher.training):
            raise ValueError("--training-mode needs images and masks of one size: batches have statistics in common")
        for index, (sample, truth) in enumerate(zip(half.samples, truths, strict=True)):
            rows, columns = (half.valid[index].any(axis) for axis in (1, 0))
            image = half.images[index : index + 1, :, rows][..., columns]  # padding tells nothing of a pseudo-label
            said = model.inspect(image, _size(truth))
            yield without_ignored(model, [sample], batch["inputs"][index : index + 1], truth[None], said)


def without_ignored(
    model: Inspectable, samples: list[SegDataSample], pictures: list[Tensor], truth: Tensor, inspection: Inspection
) -> InspectedBatch:
    """With -1 in the place of the ignored value, which may be that of a class."""
    ignored = model.ignore_index
    sources = {
        name: source._replace(label=source.label.masked_fill(source.label == ignored, -1))
        for name, source in inspection.sources.items()
    }
    return InspectedBatch(
        samples, pictures, truth.masked_fill(truth == ignored, -1), inspection._replace(sources=sources)
    )


def _size(truth: Tensor) -> tuple[int, int]:
    return truth.shape[-2], truth.shape[-1]


def labellings_of(said: InspectedBatch, weak_threshold: float) -> dict[str, Labelling]:
    """What the indicators are asked about, at the decoder's stride: pixels with their true label, as of labelled
    images, and with the pseudo-label that takes part in a contrast. ``b`` images each."""
    inspection = said.inspection
    size = inspection.logits.shape[2:]
    truth, mistaken = at_stride(said.truth, size).long(), inspection.logits.argmax(1)
    sure = inspection.compared(inspection.contrasts) >= weak_threshold
    pseudo = at_stride(torch.where(sure, inspection.sources[inspection.contrasts].label, -1), size).long()
    known = is_class(truth, inspection.logits.shape[1])
    wrong = mistaken != truth
    found = {}
    for name, labels, targets in (
        ("truth", truth, {"student_wrong": wrong}),
        ("pseudo", pseudo, {"student_wrong": wrong, "label_wrong": pseudo != truth}),
    ):
        indicators = {key: indicator(labels) for key, indicator in inspection.indicators.items()}
        found[name] = Labelling(labels, known, indicators, targets)
    return found


def image_of(said: InspectedBatch, labellings: Mapping[str, Labelling], index: int) -> InspectedImage:
    """Of one image."""

    def of(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: part[index] for name, part in parts.items()}

    inspection = said.inspection
    return InspectedImage(
        said.truth[index],
        {name: PseudoLabel(*(part[index] for part in source)) for name, source in inspection.sources.items()},
        {
            name: Labelling(own.labels[index], own.known[index], of(own.indicators), of(own.targets))
            for name, own in labellings.items()
        },
        {inspection.looked_at: inspection.relative[index]} if inspection.relative is not None else {},
    )


def panels_of(
    said: InspectedBatch, looked: InspectedImage, index: int, palette: UInt8[np.ndarray, "k 3"]
) -> dict[str, Picture]:
    """Pictures of one image, its truth, and what is said of it."""
    labels = {"truth": looked.truth} | {name: source.label for name, source in looked.sources.items()}
    panels = {"image": picture_of(said.pictures[index])}
    panels |= {name: coloured(own.cpu().numpy(), palette) for name, own in labels.items()}
    if "representation" in labels:
        logit, representation = (labels[name] for name in SPACES)
        cell = cells(logit, representation, looked.truth, len(palette))
        panels["agreement"] = coloured(cell.cpu().numpy(), CELL_PALETTE)
    return panels | {"confidence": grey(looked.sources[said.inspection.looked_at].confidence.cpu().numpy())}
