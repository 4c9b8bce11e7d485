"""Trainings of a few iterations, of the methods and of the supervised baseline, as a config makes them."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import mmseg_css  # noqa: F401  (registers)
from tests.datasets.helpers import AUGMENT, dataloader_config, labeled_config, write_list, write_pairs
from tests.models.helpers import css_config, tiny_segmentor
from tests.models.methods import helpers

RUNS = count()
SIZE = (16, 16)
PREPROCESSING = {"mean": [127.5], "std": [127.5], "size": SIZE}
STRONG = {"type": "StrongAugmentation", "scale": (1.0, 1.0), "mixing": "cutout", "flip_probability": 0.0}


def write_data(root: Path, images: int = 8, labeled: int = 4) -> Path:
    init_default_scope("mmseg")
    ids = [f"{number:02d}" for number in range(images)]
    write_pairs(root, ids)
    write_list(root / "labeled.txt", ids[:labeled])
    return root


def css() -> dict:
    data_preprocessor = {"type": "SemiDataPreprocessor", **PREPROCESSING}
    return dict(css_config(segmentor=tiny_segmentor(num_classes=2, dropout=0.5), data_preprocessor=data_preprocessor))


def pc2seg() -> dict:
    return {
        "type": "PC2Seg",
        "segmentor": tiny_segmentor(num_classes=2),
        "data_preprocessor": {"type": "SemiDataPreprocessor", **PREPROCESSING},
        "augmentation": STRONG,
        "consistency_loss": {"type": "CosineConsistencyLoss"},
        "contrast_loss": {"type": "PixelContrastLoss", "num_anchors": 8, "num_negatives": 8},
    }


def supervised() -> dict:
    segmentor = tiny_segmentor(num_classes=2, dropout=0.5)
    segmentor["decode_head"] = {
        "type": "PlainHead",
        "in_channels": 8,
        "in_index": 1,
        "channels": 8,
        "num_classes": 2,
        "loss_decode": {"type": "PixelCrossEntropyLoss"},
    }
    return {**segmentor, "data_preprocessor": {"type": "SegDataPreProcessor", **PREPROCESSING, "seg_pad_val": 255}}


def other(method: str) -> dict:
    head = {"num_classes": 2, "dropout_ratio": 0.5}
    return dict(helpers.config(method, head=head, data_preprocessor={"type": "SemiDataPreprocessor", **PREPROCESSING}))


METHODS: dict[str, Callable[[], dict]] = {
    **{method: partial(other, method) for method in helpers.METHODS},
    **{"css": css, "pc2seg": pc2seg, "supervised": supervised},
}


def config(root: Path, method: str = "css", iterations: int = 3, **changes: Any) -> Config:
    """``changes`` with dots, as ``--cfg-options`` has them, as ``train_cfg__max_iters=5``."""
    crop = [{**step, "crop_size": SIZE} if step["type"] == "RandomCrop" else step for step in AUGMENT]
    load = [{"type": "LoadImageFromFile"}]
    if method == "supervised":
        labeled = labeled_config(root, ann_file="labeled.txt", pipeline=[*load, {"type": "LoadAnnotations"}, *crop])
        dataloader = {"batch_size": 2, "num_workers": 0, "sampler": {"type": "SeededSampler"}, "dataset": labeled}
    else:
        dataloader = dataloader_config(root, str(root / "labeled.txt"))
        dataloader["dataset"]["labeled"]["pipeline"] = [*load, {"type": "LoadAnnotations"}, *crop]
        dataloader["dataset"]["unlabeled"]["pipeline"] = [*load, *crop]
    number = next(RUNS)
    cfg = Config(
        {
            "model": METHODS[method](),
            "work_dir": str(root / "work_dir"),
            "train_dataloader": dataloader,
            "train_cfg": {"type": "PairedTrainLoop", "max_iters": iterations, "val_interval": 1000},
            "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1, "momentum": 0.9}},
            "default_hooks": {"checkpoint": {"type": "DurableCheckpointHook", "by_epoch": False, "interval": 1000}},
            "randomness": {"seed": 7},
            "default_scope": "mmseg",
            "experiment_name": f"tiny-{number}",
            "visualizer": {"type": "SegLocalVisualizer", "name": f"tiny-{number}"},
            "log_level": "INFO",
        },
        format_python_code=False,  # takes seconds
    )
    cfg.merge_from_dict({name.replace("__", "."): deepcopy(value) for name, value in changes.items()})
    return cfg


def with_validation(cfg: Config, interval: int = 1) -> Config:
    """The same, validated on its labelled images."""
    labeled = cfg.train_dataloader.dataset.get("labeled", cfg.train_dataloader.dataset)
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    sampler = {"type": "DefaultSampler", "shuffle": False}
    dataset = {**labeled, "pipeline": pipeline}
    cfg.val_dataloader = {"batch_size": 1, "num_workers": 0, "dataset": dataset, "sampler": sampler}
    cfg.val_cfg, cfg.val_evaluator = {"type": "ValLoop"}, {"type": "IoUMetric"}
    cfg.train_cfg.val_interval = interval
    cfg.default_hooks.logger = {"type": "LoggerHook", "interval": 1, "log_metric_by_epoch": False}
    return cfg


def train(cfg: Config) -> Runner:
    torch.manual_seed(0)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def log_of(root: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(root.rglob("*.log")))
