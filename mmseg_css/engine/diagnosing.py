"""One pass of a trained method over images with truth: what it says is counted, and nothing else is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from mmseg_css.datasets import PairedDataset
from mmseg_css.datasets.truth import truth_of_unlabeled
from mmseg_css.engine.testing import Evaluation, load_cfg
from mmseg_css.evaluation.diagnosis.report import write_report
from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import SPACES, Labelling, Looked, Tally
from mmseg_css.evaluation.diagnosis.worst import Shown, Worst, failures
from mmseg_css.extras import check_extra
from mmseg_css.functional.diagnosis import cells
from mmseg_css.models.segmentors import Inspection, SemiSegmentor
from mmseg_css.models.segmentors.batch import images_of
from mmseg_css.types import PseudoLabel
from mmseg_css.typos import explained


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is asked for.

    Attributes:
        config: The config file.
        checkpoints: Of one training, each of which is looked at.
        out: The folder of the report.
        masks: Folder with masks of the unlabelled training images, to look at these; else the test set is.
        suffix: What stands in mask names in place of the image's ending.
        training_mode: Let the teacher's norm layers behave as while the student trains.
        block: Neighbouring images that intervals take together (frames of a video).
        radius: Of the boundary band, in pixels.
        cfg_options: ``KEY=VALUE``, settings of the config.
    """

    config: Path
    checkpoints: Sequence[str]
    out: Path
    masks: str | None = None
    suffix: str = ".png"
    training_mode: bool = False
    block: int = 1
    radius: int = 3
    cfg_options: Sequence[str] = ()


def report(asked: Diagnosis) -> Path:
    """Look at each checkpoint, and write what is found; the page's path."""
    check_extra("compare", "mmseg-css diagnose", "matplotlib")
    return write_report(diagnose(asked), asked.out)


def diagnose(asked: Diagnosis) -> dict[str, Any]:
    """Look at each checkpoint; what ``report.json`` holds (docs/diagnosis.md).

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The method does not label images, or the images cannot be batched as in training.
    """
    cfg = [_config(asked, own) for own in asked.checkpoints][0]
    with explained(cfg):
        runner = Runner.from_cfg(cfg)
        model = runner.model
        if not isinstance(model, SemiSegmentor):
            raise ValueError(
                f"{asked.config}: model.type is {type(model).__name__}, and there are no pseudo-labels to look at: "
                "name the config of a semi-supervised method"
            )
        loader, metainfo = images_with_truth(cfg, asked)
    found: list[dict[str, Any]] = []
    for checkpoint in asked.checkpoints:
        loaded = runner.load_checkpoint(checkpoint, map_location="cpu")
        mode = as_in_training(model) if asked.training_mode else nullcontext()
        model.eval()
        with mode:
            own = _look(model, loader, metainfo, asked, name=f"checkpoint_{len(found) + 1}")
        found.append({"checkpoint": checkpoint, "iteration": loaded.get("meta", {}).get("iter")} | own)
    return {
        "config": str(asked.config),
        "method": type(model).__name__,
        "images": len(found[0]["images"]),
        "looked_at": "unlabelled images" if asked.masks else "test set",
        "norm_layers": "as in training" if asked.training_mode else "as in evaluation",
        "block": asked.block,
        "boundary_radius": asked.radius,
        "classes": list(metainfo["classes"]),
        "checkpoints": found,
    } | _of_method(model)


def _of_method(model: SemiSegmentor) -> dict[str, Any]:
    return {"thresholds": thresholds_of(model), "highest_similarity": highest_similarity(model)}


def _config(asked: Diagnosis, checkpoint: str) -> Config:
    return load_cfg(
        Evaluation(
            config=asked.config, checkpoint=checkpoint, work_dir=str(asked.out / "logs"), cfg_options=asked.cfg_options
        )
    )[0]


def images_with_truth(cfg: Config, asked: Diagnosis) -> tuple[DataLoader[Any], Mapping[str, Any]]:
    """The test set, or the unlabelled images with the masks that they have after all; and their classes and colours."""
    settings = cfg.test_dataloader.copy()
    if asked.training_mode:
        settings.batch_size = max(2, cfg.train_dataloader.batch_size // 2)
    if asked.masks is None:
        loader = Runner.build_dataloader(settings)
        return loader, loader.dataset.metainfo
    paired = Runner.build_dataloader(cfg.train_dataloader).dataset
    if not isinstance(paired, PairedDataset):
        raise ValueError("--masks looks at unlabelled images, of which the config's train_dataloader has none")
    loading = truth_of_unlabeled(paired, asked.masks, asked.suffix)
    steps = [loading if step.type == "LoadAnnotations" else step for step in settings.dataset.pipeline]
    paired.unlabeled.pipeline = Compose(steps)
    loader = DataLoader(
        paired.unlabeled,
        batch_size=settings.batch_size,
        num_workers=settings.num_workers,
        collate_fn=pseudo_collate,
    )
    return loader, paired.metainfo


@contextmanager
def as_in_training(model: SemiSegmentor) -> Iterator[None]:
    """Let the teacher label as it does while the student trains; its statistics are afterwards what they were.

    Raises:
        ValueError: The method has no teacher: its student labels in one batch with labelled images.
    """
    teacher = model.teacher
    if teacher is None or model.labeller != "teacher":
        raise ValueError(
            f"--training-mode: {type(model).__name__} has no teacher that labels; its student does, in a batch with "
            "the labelled images, which this command does not have"
        )
    before = {name: buffer.clone() for name, buffer in teacher.model.named_buffers()}
    teacher.train()
    try:
        yield
    finally:
        teacher.eval()
        for name, buffer in teacher.model.named_buffers():
            buffer.copy_(before[name])


def _look(
    model: SemiSegmentor, loader: DataLoader, metainfo: Mapping[str, Any], asked: Diagnosis, name: str
) -> dict[str, Any]:
    """One pass over the images."""
    thresholds = thresholds_of(model)
    tally = Tally(
        num_classes=model.num_classes,
        threshold=thresholds["supervision"] or 0.0,
        hard=thresholds["hard"],
        radius=asked.radius,
    )
    worst = Worst(palette=np.array(metainfo["palette"], np.uint8))
    images, supervises = [], ""
    total = len(loader.dataset)  # type: ignore[arg-type]
    with tqdm(total=total, unit="image", desc=name.replace("_", " ")) as bar:
        for batch in loader:
            for said in said_of(model, batch):
                supervises = said.inspection.supervises
                labellings = _labellings(said, thresholds["contrast"] or 0.0, model.ignore_index)
                for index in range(len(said.truth)):
                    looked = _looked(said, labellings, index)
                    tally.add(looked)
                    shown = _shown(said, looked, index)
                    shares = failures(shown, supervises, model.num_classes, tally.threshold)
                    worst.add(shown, shares)
                    images.append({"image": shown.name} | shares)
                    bar.update()
    return summarise(tally, metainfo["classes"], supervises, block=asked.block) | {
        "images": images,
        "worst": worst.write(asked.out / name),
    }


class Said(NamedTuple):
    """What a method says of images of one size."""

    samples: list[SegDataSample]
    pictures: list[Tensor]
    truth: Int[Tensor, "b H W"]
    inspection: Inspection


def said_of(model: SemiSegmentor, batch: dict) -> Iterator[Said]:
    """Of a batch, in as few passes as the sizes of its images and masks allow."""
    with torch.no_grad():
        data = model.data_preprocessor(batch, False)
        half = images_of(data["inputs"], data["data_samples"])
        truths = [sample.gt_sem_seg.data[0].long() for sample in half.samples]
        if len({truth.shape for truth in truths}) == 1 and bool(half.valid.all()):
            truth = torch.stack(truths)
            yield Said(half.samples, batch["inputs"], truth, model.inspect(half.images, _size(truth)))
            return
        for index, (sample, truth) in enumerate(zip(half.samples, truths, strict=True)):
            rows, columns = (half.valid[index].any(axis) for axis in (1, 0))
            image = half.images[index : index + 1, :, rows][..., columns]  # padding tells nothing of a pseudo-label
            said = model.inspect(image, _size(truth))
            yield Said([sample], batch["inputs"][index : index + 1], truth[None], said)


def _size(truth: Tensor) -> tuple[int, int]:
    return truth.shape[-2], truth.shape[-1]


def _labellings(said: Said, weak_threshold: float, ignored: int) -> dict[str, Labelling]:
    """What the indicators are asked about, at the decoder's stride: pixels with their true label, as of labelled
    images, and with the pseudo-label that takes part in a contrast. ``b`` images each."""
    inspection = said.inspection
    size = inspection.logits.shape[2:]
    truth, mistaken = _nearest(said.truth, size), inspection.logits.argmax(1)
    label, confidence = inspection.sources[inspection.supervises]
    pseudo = _nearest(torch.where(confidence >= weak_threshold, label, ignored), size)
    known = (truth >= 0) & (truth < inspection.logits.shape[1])
    wrong = mistaken != truth
    found = {}
    for name, labels, targets in (
        ("truth", truth, {"student_wrong": wrong}),
        ("pseudo", pseudo, {"student_wrong": wrong, "label_wrong": pseudo != truth}),
    ):
        indicators = {key: indicator(labels) for key, indicator in inspection.indicators.items()}
        found[name] = Labelling(labels, known, indicators, targets)
    return found


def _looked(said: Said, labellings: Mapping[str, Labelling], index: int) -> Looked:
    """Of one image."""

    def of(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: part[index] for name, part in parts.items()}

    return Looked(
        said.truth[index],
        {name: PseudoLabel(*(part[index] for part in source)) for name, source in said.inspection.sources.items()},
        {
            name: Labelling(own.labels[index], own.known[index], of(own.indicators), of(own.targets))
            for name, own in labellings.items()
        },
    )


def _shown(said: Said, looked: Looked, index: int) -> Shown:
    """The picture of one image, and what is said of it."""
    truth = looked.truth.cpu().numpy()
    labels = {name: source.label.cpu().numpy() for name, source in looked.sources.items()}
    both = [labels[name] for name in SPACES if name in labels]
    picture = said.pictures[index].permute(1, 2, 0).cpu().numpy().astype(np.uint8)
    return Shown(
        said.samples[index].img_path,
        picture[..., ::-1],
        truth,
        labels,
        looked.sources["logit"].confidence.cpu().numpy(),
        cells(*map(torch.from_numpy, (*both, truth))).numpy() if len(both) == len(SPACES) else None,
    )


def _nearest(labels: Int[Tensor, "b H W"], size: torch.Size) -> Int[Tensor, "b h w"]:
    return F.interpolate(labels[:, None].float(), size, mode="nearest")[:, 0].long()


def thresholds_of(model: SemiSegmentor) -> dict[str, float | None]:
    """From which confidence a label is learnt from, and takes part in a contrast; below which indicator it is hard."""
    return {
        "supervision": getattr(getattr(model, "pseudo_label_loss", None), "threshold", None),
        "contrast": getattr(model, "weak_threshold", None),
        "hard": getattr(model, "strong_threshold", None),
    }


def highest_similarity(model: SemiSegmentor) -> float | None:
    """The confidence that the representation space cannot exceed: its softmax is over cosines."""
    temperature = getattr(model, "temperature", None)
    if temperature is None or not hasattr(model, "bank"):
        return None
    return 1 / (1 + (model.num_classes - 1) * exp(-2 / temperature))
