"""What a config says of test images, metrics and transforms, in parts that MMSeg has; the rest is left out and told."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mmengine.config import Config, ConfigDict
from mmengine.registry import Registry
from mmseg.datasets import BaseSegDataset

from mmseg_css.datasets.checks import dataset_configs
from mmseg_css.registry import DATASETS, METRICS, TRANSFORMS

#: Packages whose parts MMSeg finds by a name in a config.
KNOWN: Final = ("mmcv.", "mmdet.", "mmengine.", "mmpretrain.", "mmseg.")
#: Whose transforms MMEngine registers.
TORCHS: Final = ("torch.", "torchvision.")


def make_dataset_plain(cfg: Config) -> list[str]:
    """Name parts of MMSeg's instead of ours, in place; without one, leave the data out and say so.

    What happens to a picture before the network sees it belongs to the model, and stays in any case that MMSeg knows.
    """
    given = (cfg.get("test_dataloader") or {}).get("dataset")
    datasets: list[Any] = [] if given is None else list(dataset_configs(given)) or [given]  # within a ConcatDataset
    pipelines = [dataset.get("pipeline", []) for dataset in datasets] + [cfg.get("test_pipeline") or []]
    if lacking := sorted({name for pipeline in pipelines for name in _lacking_transforms(pipeline)}):
        _leave_out(cfg, "test_pipeline", "test_dataloader", "test_evaluator", "test_cfg")
        return [
            f"the config has neither test data nor a test pipeline, since MMSeg lacks {', '.join(lacking)}: add both, "
            "and do to the images what those transforms do"
        ]
    if given is None:
        return []
    if lacking := sorted({fault for dataset in [given, *datasets] if (fault := _cannot_be_plain(dataset))}):
        _leave_out(cfg, "test_dataloader", "test_evaluator", "test_cfg")
        cfg.test_pipeline = [step for step in datasets[0].pipeline if step["type"] != "LoadAnnotations"]
        cfg.test_dataloader = dict(batch_size=1, dataset=dict(type="BaseSegDataset", pipeline=cfg.test_pipeline))
        return [
            f"the config predicts, but has no data to evaluate on, since MMSeg lacks {', '.join(lacking)}: before "
            "MMSeg's tools/test.py add a test_dataloader of a data set that MMSeg has, a test_evaluator and a test_cfg"
        ]
    for dataset in datasets:
        _name_mmsegs(dataset)
    return _make_metrics_plain(cfg)


def _leave_out(cfg: Config, *keys: str) -> None:
    for key in keys:
        cfg.pop(key, None)


def kind_of(registry: Registry, config: Mapping[str, Any]) -> Any:
    """The class that a part's config names; None if there is no such class."""
    kind = config.get("type")
    return registry.get(kind) if isinstance(kind, str) else kind


def is_mmsegs(kind: Any) -> bool:
    """Whether MMSeg finds a class by a name in a config."""
    return kind is not None and kind.__module__.startswith(KNOWN)


def _lacking_transforms(steps: Any) -> Iterator[str]:
    """The transforms of a pipeline, or within one (of a ``RandomChoice``, say), that MMSeg lacks."""
    if isinstance(steps, list | tuple):
        for step in steps:
            yield from _lacking_transforms(step)
        return
    kind = kind_of(TRANSFORMS, steps)
    if not is_mmsegs(kind) and not (kind and kind.__module__.startswith(TORCHS)):
        yield kind.__name__ if kind else str(steps.get("type"))
    elif kind and kind.__module__.startswith("mmcv."):  # others have parts of another library: Albu
        yield from _lacking_transforms(steps.get("transforms", []))


def _cannot_be_plain(dataset: ConfigDict) -> str | None:
    """A class that MMSeg lacks, and of ours what it does that none of MMSeg's does, in words."""
    kind = kind_of(DATASETS, dataset)
    if is_mmsegs(kind):
        return None
    if not (_is_ours(kind) and issubclass(kind, BaseSegDataset)):
        return kind.__name__ if kind else str(dataset.get("type", "a data set without type"))
    if kind.get_label_map.__func__ is not BaseSegDataset.get_label_map.__func__:
        return f"{kind.__name__}, which maps label values itself"
    if "ann_file" in dataset and not getattr(kind, "METAINFO", None):
        return f"{kind.__name__}, which reads its list itself"
    return None


def _name_mmsegs(dataset: ConfigDict) -> None:
    """Name MMSeg's class instead of ours, in place."""
    kind = kind_of(DATASETS, dataset)
    if not _is_ours(kind):
        return
    for key, parameter in inspect.signature(kind.__init__).parameters.items():
        if key in ("img_suffix", "seg_map_suffix", "reduce_zero_label"):
            dataset.setdefault(key, parameter.default)
    dataset.type = "BaseSegDataset"
    if "metainfo" not in dataset:
        dataset.metainfo = dict(classes=kind.METAINFO["classes"], palette=kind.METAINFO["palette"])


def _is_ours(kind: Any) -> bool:
    return kind is not None and kind.__module__.startswith("mmseg_css.")


def _make_metrics_plain(cfg: Config) -> list[str]:
    """Leave metrics out that MMSeg lacks, in place, and say so; without any other it measures the mIoU."""
    given = cfg.get("test_evaluator") or []
    metrics = [given] if isinstance(given, Mapping) else given
    kept = [metric for metric in metrics if is_mmsegs(kind_of(METRICS, metric))]
    if len(kept) == len(metrics):
        return []
    lacking = [str(metric.get("type")) for metric in metrics if metric not in kept]
    cfg.test_evaluator = kept or [dict(type="IoUMetric", iou_metrics=["mIoU"])]
    instead = "the rest is measured" if kept else "MMSeg's IoUMetric takes its place"
    return [f"the config does not measure {', '.join(lacking)}, which MMSeg lacks: {instead}"]
