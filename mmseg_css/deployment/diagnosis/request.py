"""One pass of a trained method over images with truth: what it says is counted, and nothing else is kept."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from mmengine.config import Config
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.models.segmentors import EncoderDecoder
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from mmseg_css.datasets import checks
from mmseg_css.deployment.diagnosis.batches import Inspectable, image_of, inspected_batches, labellings_of, panels_of
from mmseg_css.deployment.diagnosis.images import as_labelled_in_training, images_of_test_set, unlabeled_images
from mmseg_css.deployment.diagnosis.plain_network import LabelsAlone
from mmseg_css.engine.checkpoints import check_fit, check_format, meta_of
from mmseg_css.engine.preprocessing import check_preprocessing
from mmseg_css.engine.testing import NEEDED, Evaluating, Evaluation, load_cfg
from mmseg_css.engine.trained_with import notes_on
from mmseg_css.evaluation.diagnosis.images import failures, qualities
from mmseg_css.evaluation.diagnosis.report import check_free, names_of_report, pictures_of, write_report
from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import Tally
from mmseg_css.evaluation.diagnosis.worst import Worst
from mmseg_css.extras import check_extra
from mmseg_css.files import replacing
from mmseg_css.functional.prototypes import highest_similarity
from mmseg_css.models.segmentors import CSS, SemiSegmentor
from mmseg_css.models.segmentors.decoding import check_model
from mmseg_css.typos import check_top_level, explained


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is asked for.

    Attributes:
        config: The config file.
        checkpoints: Of one training, each of which is looked at.
        out: The folder of the report.
        masks: Folder with masks of the unlabelled training images, to look at these; else the test set is.
        suffix: What stands in mask names in place of the image's ending.
        training_mode: Let the norm layers of the networks that label behave as in training.
        block: Neighbouring images that intervals take together (frames of a video).
        radius: Of the boundary band, in pixels.
        overwrite: Let the report take the place of another in ``out``.
        cfg_options: ``KEY=VALUE``, settings of the config.

    Raises:
        ValueError: ``block`` or ``radius`` is too small.
    """

    config: Path
    checkpoints: Sequence[str]
    out: Path
    masks: str | None = None
    suffix: str = ".png"
    training_mode: bool = False
    block: int = 1
    radius: int = 3
    overwrite: bool = False
    cfg_options: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, least in (("block", 1), ("radius", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} must be at least {least}, got {getattr(self, name)}")


def report(asked: Diagnosis) -> Path:
    """Look at each checkpoint, and write what is found; the page's path. A report that is there stays until then.

    Raises:
        FileExistsError: There is a report, which is not to be overwritten.
    """
    check_extra("compare", "mmseg-css diagnose", "matplotlib")
    check_free(asked.out, overwrite=asked.overwrite)
    with replacing(asked.out, names_of_report(asked.out)) as folder:
        page = write_report(diagnose(asked, folder), folder)
    return asked.out / page.name


def diagnose(asked: Diagnosis, folder: Path) -> dict[str, Any]:
    """Look at each checkpoint, and write pictures into a folder; what ``report.json`` holds (docs/diagnosis.md).

    Raises:
        FileNotFoundError: A file is missing.
        TypeError: The network does not say a class for every pixel.
        ValueError: It has not one output for each class, or the images cannot be batched as in training.
    """
    cfg = [_config(asked, own) for own in asked.checkpoints][0]
    check_top_level(cfg, NEEDED)
    with explained(cfg):
        check_model(cfg.model)
        runner = Evaluating.from_cfg(cfg)
        model = _looked_into(runner.model, cfg)
        loader = images_with_truth(cfg, asked)
    dataset: Any = loader.dataset
    metainfo, name = dataset.metainfo, f"set of {_kind(asked)}"
    check_outputs(model, dataset, name)
    checkpoints, notes = in_order(runner.model, cfg, asked.checkpoints, metainfo, name)
    for note in notes:
        print(f"note: {note}", flush=True)
    found: list[dict[str, Any]] = []
    for checkpoint, iteration in checkpoints:
        runner.load_checkpoint(checkpoint, map_location="cpu")
        # What supervises may depend on it.
        model.progress = model.progress._replace(iteration=sys.maxsize if iteration is None else iteration)
        mode = as_in_training(model) if asked.training_mode else nullcontext()
        model.eval()
        with mode:
            own = _look(model, loader, metainfo, asked, folder / pictures_of(len(found) + 1))
        found.append({"checkpoint": checkpoint, "iteration": iteration} | prototypes_of(model) | own)
    return _circumstances(asked, model) | {
        "images": len(dataset),
        "classes": list(metainfo["classes"]),
        "notes": notes,
        "checkpoints": found,
    }


def _circumstances(asked: Diagnosis, model: Inspectable) -> dict[str, Any]:
    """What was asked for, and of what."""
    return {
        "config": str(asked.config),
        "method": getattr(model, "name", type(model).__name__),
        "looked_at": _kind(asked),
        "norm_layers": "as in training" if asked.training_mode else "as in evaluation",
        "block": asked.block,
        "boundary_radius": asked.radius,
        "indicator": getattr(model, "indicator", None),
        "thresholds": thresholds_of(model),
    }


def _looked_into(model: nn.Module, cfg: Config) -> Inspectable:
    if isinstance(model, SemiSegmentor):
        return model
    # A config without a training was exported, of whatever method.
    name = "Supervised-only" if "train_dataloader" in cfg else "Network of a config without a training"
    return LabelsAlone(cast(EncoderDecoder, model), name)


def _kind(asked: Diagnosis) -> str:
    return "test images" if asked.masks is None else "unlabelled images"


def images_with_truth(cfg: Config, asked: Diagnosis) -> DataLoader[Any]:
    """The images that are asked for, in batches as they are asked for."""
    loader = images_of_test_set(cfg) if asked.masks is None else unlabeled_images(cfg, asked.masks, asked.suffix)
    return as_labelled_in_training(loader, cfg) if asked.training_mode else loader


def check_outputs(model: Inspectable, dataset: Any, name: str) -> None:
    """Check that the network and a data set have the same classes, and ignore the same value.

    Raises:
        ValueError: They do not.
    """
    checks.check_num_classes({"model.decode_head": model.num_classes}, dataset.metainfo.get("classes") or (), name)
    others = dict(checks.ignored_values(dataset, name))
    checks.check_ignored_value(model.ignore_index, "model.decode_head.ignore_index", others)


def in_order(
    model: Any, cfg: Config, checkpoints: Sequence[str], metainfo: Mapping[str, Any], name: str
) -> tuple[list[tuple[str, int | None]], list[str]]:
    """Checkpoints that fit the model and the classes of the data set called ``name``, with their iterations, the
    earliest first (those without one come last); and notes on them.

    Raises:
        ValueError: One does not fit.
    """
    found: list[tuple[str, int | None]] = []
    known: dict[str, Mapping[str, Any]] = {}
    for path in checkpoints:
        saved = CheckpointLoader.load_checkpoint(path, map_location="cpu")
        check_format(saved, path)
        check_fit(model, saved, path)
        check_preprocessing(model.data_preprocessor, saved, path)
        meta = meta_of(saved)
        learnt = meta.get("dataset_meta") or {}
        checks.check_same_classes(metainfo, learnt, name=name, other_name=f"training of {path}")
        found.append((path, meta.get("iter")))
        known[path] = meta
    return sorted(found, key=lambda own: (own[1] is None, own[1] or 0)), notes_on(cfg, known)


def _config(asked: Diagnosis, checkpoint: str) -> Config:
    return load_cfg(
        Evaluation(
            config=asked.config, checkpoint=checkpoint, work_dir=str(asked.out / "logs"), cfg_options=asked.cfg_options
        )
    )[0]


@contextmanager
def as_in_training(model: Inspectable) -> Iterator[None]:
    """Let the networks that label do so as in training; their statistics are afterwards what they were.

    Raises:
        ValueError: In training images are labelled in one batch with others.
    """
    if not model.labels_apart:
        raise ValueError(
            f"--training-mode: the student of this {type(model).__name__} labels images in a batch with others "
            "(labelled images, perturbed features), which this command does not have"
        )
    networks = [getattr(model, name.rstrip(".")) for name in model.networks]
    if model.teacher is not None and model.labeller == "teacher":
        networks = [model.teacher]
    before = [{name: buffer.clone() for name, buffer in network.named_buffers()} for network in networks]
    for network in networks:
        network.train()
    try:
        yield
    finally:
        for network, buffers in zip(networks, before, strict=True):
            network.eval()
            for name, buffer in network.named_buffers():
                buffer.copy_(buffers[name])


def _look(
    model: Inspectable, loader: DataLoader, metainfo: Mapping[str, Any], asked: Diagnosis, pictures: Path
) -> dict[str, Any]:
    """One pass over the images."""
    thresholds = thresholds_of(model)
    tally = Tally(
        num_classes=model.num_classes,
        threshold=thresholds["supervision"] or 0.0,
        hard=thresholds["hard"],
        radius=asked.radius,
    )
    palette = np.array(metainfo["palette"], np.uint8)
    worst, images = Worst(), list[dict[str, Any]]()
    supervises: str | None = None
    total = len(loader.dataset)  # type: ignore[arg-type]
    with tqdm(total=total, unit="image", desc=pictures.name.replace("_", " ")) as bar:
        for batch in loader:
            for said in inspected_batches(model, batch):
                supervises = said.inspection.supervises
                labellings = labellings_of(said, thresholds["contrast"] or 0.0)
                for index, sample in enumerate(said.samples):
                    looked = image_of(said, labellings, index)
                    tally.add(looked)
                    shares = failures(tally.last, said.inspection.looked_at, masked=thresholds["learnt"] is not None)
                    if supervises is None:
                        del shares["not_learnt_from"]
                    worst.add(sample.img_path, shares, partial(panels_of, said, looked, index, palette))
                    own = {"sources": qualities(tally.last, looked.sources)}
                    images.append({"image": sample.img_path} | shares | own)
                    bar.update()
    return summarise(tally, metainfo["classes"], supervises, block=asked.block) | {
        "images": images,
        "worst": worst.write(pictures),
    }


def thresholds_of(model: Inspectable) -> dict[str, float | None]:
    """From which confidence a label counts as confident, is learnt from, and takes part in a contrast; below which
    indicator it is hard."""
    loss = getattr(model, "pseudo_label_loss", None)
    threshold = getattr(loss, "threshold", None)
    return {
        "supervision": threshold,
        "learnt": threshold if getattr(loss, "masks", False) else None,
        "contrast": getattr(model, "weak_threshold", None),
        "hard": getattr(model, "strong_threshold", None),
    }


def prototypes_of(model: Inspectable) -> dict[str, float | None]:
    """The number of classes with a prototype, and the confidence that the representation space cannot exceed with them:
    its softmax is over their cosines."""
    if not isinstance(model, CSS):
        return {"prototypes": None, "highest_similarity": None}
    prototypes = int(model.bank.seen.sum())
    highest = highest_similarity(prototypes, model.temperature) if prototypes else None
    return {"prototypes": prototypes, "highest_similarity": highest}
