"""What trainings with several seeds share: a config file, with options of the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmseg.evaluation import IoUMetric

from mmseg_css.cfg_options import merge_options, parse_options
from mmseg_css.config_files import read_config
from mmseg_css.evaluation.comparison.settings import fingerprints
from mmseg_css.evaluation.per_image_iou import PerImageIoUMetric
from mmseg_css.registry import DATASETS, METRICS


@dataclass(frozen=True)
class Source:
    """A config file with options, read once however many trainings there are of it.

    Attributes:
        path: The config file.
        options: ``KEY=VALUE``, settings of the config.
    """

    path: Path
    options: tuple[str, ...] = ()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What makes these trainings what they are, as it was when this was first asked."""
        return self.read_settings()

    def read_settings(self) -> dict[str, Any]:
        """The same as the files say it now."""
        cfg = read_config(self.path)
        written = cfg.to_dict()
        merge_options(cfg, parse_options(self.options))
        return {**fingerprints(written, cfg.to_dict()), "options": list(self.options)}

    @cached_property
    def trained(self) -> Config:
        """The config with the options."""
        return read_config(self.path, parse_options(self.options))

    def check(self) -> None:
        """Refuse what would fail, or could not be evaluated, when it is trained.

        Raises:
            ValueError: The config counts epochs, or has not one evaluation of MMSeg's mIoU on a data set with
                classes.
        """
        cfg = self.trained
        if cfg.train_cfg.get("max_epochs") is not None:
            raise ValueError(f"{self.path}: a comparison counts iterations; set train_cfg.max_iters, not max_epochs")
        for key in ("val_dataloader", "val_evaluator"):
            if not isinstance(cfg.get(key), Mapping):
                raise ValueError(f"{self.path}: a comparison evaluates each training; set {key}, as one dict")
        _check_metric(self.path, cfg.val_evaluator)
        _ = self.classes

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes that the validation data show.

        Raises:
            ValueError: There are none.
        """
        dataset = self.trained.val_dataloader.dataset
        kind = DATASETS.get(dataset.type)
        classes: Sequence[str] | None = {**getattr(kind, "METAINFO", {}), **dataset.get("metainfo", {})}.get("classes")
        if not classes:
            raise ValueError(
                f"{self.path}: val_dataloader.dataset, a {dataset.type}, names no classes; a comparison needs one data "
                "set (which nothing wraps) with its classes in metainfo"
            )
        return classes


def _check_metric(path: Path, evaluator: Mapping[str, Any]) -> None:
    """Refuse an evaluation by another metric, which the comparison's own would take the place of without a word, and
    one that does not say mIoU, or says it under another name."""
    named = evaluator.get("type")
    kind = METRICS.get(named) if isinstance(named, str) else named
    if kind not in (IoUMetric, PerImageIoUMetric):
        raise ValueError(
            f"{path}: a comparison reads the areas of each image from a PerImageIoUMetric, which would take the place "
            f"of val_evaluator.type={named!r}: evaluate with IoUMetric, and with your own metric after it"
        )
    metrics, prefix = evaluator.get("iou_metrics", ["mIoU"]), evaluator.get("prefix")
    if "mIoU" not in metrics:
        raise ValueError(
            f"{path}: a comparison goes by mIoU, and val_evaluator.iou_metrics={metrics} lacks it: add it there, or "
            "say --cfg-options val_evaluator.iou_metrics=[mIoU]"
        )
    if prefix:
        raise ValueError(
            f"{path}: a comparison goes by mIoU, and val_evaluator.prefix={prefix!r} gives it another name: leave the "
            "prefix out, or say --cfg-options val_evaluator.prefix=None"
        )
