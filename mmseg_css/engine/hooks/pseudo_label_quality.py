"""How right are the pseudo-labels? For benchmarks, whose unlabelled images have masks after all."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn import functional as F

from mmseg_css.datasets import PairedDataset
from mmseg_css.datasets.sampler import DrawSampler
from mmseg_css.datasets.truth import LoadTruth, coding_of, masks_of_unlabeled
from mmseg_css.engine.hooks.method import check_once, unwrap
from mmseg_css.functional.quality import QualityCounts, quality_counts
from mmseg_css.models.segmentors import PseudoLabelled
from mmseg_css.registry import HOOKS


@HOOKS.register_module()
class PseudoLabelQualityHook(Hook):
    """Log precision and coverage of the pseudo-labels by class, against masks that nothing learns from.

    A training with this hook computes what it computes without. The masks are loaded beside the unlabelled images, take
    part in what moves pixels, and are compared with the pseudo-labels before the strong augmentation: all that a method
    labels, and those from its threshold on, where its loss has one. Of CPS they are the student's, of CSS those that
    supervise the logits; PC2Seg, which has none, is taken at its most probable class. Of CSS and CPS also how often the
    two spaces or networks agree, by true class. TensorBoard has the same figures as ``pseudo_label/...``.

    Args:
        masks: folder of the masks, which have the paths of their images below that of the images.
        suffix: what stands in mask names in place of the image's ending (of the data set's ``suffixes``).
        interval: iterations between two lines.
        every: one in so many unlabelled images that are drawn is looked at.

    Raises:
        ValueError: The training has no unlabelled images, or a sampler without seeds, or ``every`` is below 1.
        FileNotFoundError: A mask is missing.
    """

    priority = "LOW"

    def __init__(self, *, masks: str, suffix: str = ".png", interval: int = 50, every: int = 5) -> None:
        if every < 1:
            raise ValueError(f"PseudoLabelQualityHook.every must be at least 1, got {every}")
        self.masks = masks
        self.suffix = suffix
        self.interval = interval
        self.every = every
        self._totals: torch.Tensor | None = None

    def before_run(self, runner: Runner) -> None:
        check_once(runner, self)

    def before_train(self, runner: Runner) -> None:
        dataset = runner.train_dataloader.dataset
        if not isinstance(dataset, PairedDataset):
            raise ValueError("PseudoLabelQualityHook looks at unlabelled images, of which this training has none")
        if not isinstance(runner.train_dataloader.sampler, DrawSampler):
            raise ValueError(
                "PseudoLabelQualityHook chooses images by the seeds that come with them, and a "
                f"{type(runner.train_dataloader.sampler).__name__} gives none: set train_dataloader.sampler.type="
                "'PairedSampler'"
            )
        for leaf, masks in masks_of_unlabeled(dataset, self.masks, self.suffix):
            # Into the pipeline that is there: it names the image on which a transform fails.
            leaf.pipeline.transforms.insert(0, LoadTruth(coding_of(dataset), masks, self.every))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        model = unwrap(runner.model)
        if model.pseudo_labelled_images is not None:
            number = len((data_batch or {})["unlabeled"]["data_samples"])
            counts = self._count(model, model.pseudo_labelled_images, number)
            self._totals = counts if self._totals is None else self._totals + counts
        if not self.every_n_train_iters(runner, self.interval):
            return
        if self._totals is None:
            runner.logger.info(
                f"{type(model).__name__} gives the unlabelled images no labels whose quality could be told"
            )
        else:
            all_reduce(self._totals)
            if self._totals.any():  # else no image was looked at
                self._log(runner, self._totals.double().cpu())
            self._totals = None

    def _count(self, model: Any, images: PseudoLabelled, number: int) -> torch.Tensor:
        """Counts of all labels, of those from the threshold on, and of agreement: 9 x classes, of unlabelled images."""
        # Of a method that labels both halves, the unlabelled one comes last.
        samples = images.samples[-number:]
        known = [index for index, sample in enumerate(samples) if "gt_sem_seg" in sample]
        if not known:
            return torch.zeros(9, model.num_classes, dtype=torch.long, device=images.labels.device)
        # Stacked, since an index of a list would be copied to the device.
        labels, confidences = (
            torch.stack([part[-number:][index, 0] for index in known]) for part in (images.labels, images.confidences)
        )
        truth = torch.stack([samples[index].gt_sem_seg.data for index in known]).to(labels)
        truth = F.interpolate(truth.float(), labels.shape[1:], mode="nearest")[:, 0].long()
        threshold = getattr(getattr(model, "pseudo_label_loss", None), "threshold", 0.0)
        sure = labels.masked_fill(confidences < threshold, model.ignore_index)
        counts = [
            part for one in (labels, sure) for part in quality_counts(one, truth, model.num_classes, model.ignore_index)
        ]
        agreeing = torch.zeros_like(counts[0])
        if images.agreeing is not None:
            both = torch.stack([images.agreeing[-number:][index] for index in known])
            said = truth.masked_fill(~both, model.ignore_index)
            agreeing = quality_counts(said, truth, model.num_classes, model.ignore_index).covered
        return torch.stack([*counts, agreeing])

    def _log(self, runner: Runner, totals: torch.Tensor) -> None:
        classes = runner.train_dataloader.dataset.metainfo["classes"]
        everything, sure = _figures(totals[:4], classes), _figures(totals[4:8], classes)
        scalars = everything | {f"confident/{name}": value for name, value in sure.items()}
        scalars |= _agreement(totals[8], totals[3], classes)
        named = {f"pseudo_label/{name}": value for name, value in scalars.items()}
        runner.visualizer.add_scalars(named, step=runner.iter + 1)
        by_class = ", ".join(f"{name} {_percent(everything, f'precision/{name}', digits=0)}" for name in classes)
        runner.logger.info(
            f"pseudo-labels: {_percent(everything, 'precision')} right of {everything['coverage']:.1%} of the pixels; "
            f"confident {_percent(sure, 'precision')} of {sure['coverage']:.1%}; right by class: {by_class}"
        )


def _figures(parts: torch.Tensor, classes: Sequence[str]) -> dict[str, float]:
    """Precision and coverage over all classes and by class, from `QualityCounts`; none of what has no pixel."""
    counts = QualityCounts(*parts)
    found = {"coverage": float(counts.labeled.sum() / counts.truth.sum().clamp(min=1))}
    if counts.labeled.any():
        found["precision"] = float(counts.right.sum() / counts.labeled.sum())
    for index, name in enumerate(classes):
        if counts.labeled[index] > 0:
            found[f"precision/{name}"] = float(counts.right[index] / counts.labeled[index])
        if counts.truth[index] > 0:
            found[f"coverage/{name}"] = float(counts.covered[index] / counts.truth[index])
    return found


def _percent(figures: dict[str, float], name: str, digits: int = 1) -> str:
    return f"{figures[name]:.{digits}%}" if name in figures else "none"


def _agreement(agreeing: torch.Tensor, pixels: torch.Tensor, classes: Sequence[str]) -> dict[str, float]:
    """Shares of the pixels of each class on which both witnesses say the same; nothing of a method with one."""
    if not agreeing.any():
        return {}
    found = {"agreement": float(agreeing.sum() / pixels.sum())}
    return found | {
        f"agreement/{name}": float(agreeing[index] / pixels[index])
        for index, name in enumerate(classes)
        if pixels[index] > 0
    }
