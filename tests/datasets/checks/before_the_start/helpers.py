"""A run in the small, semi-supervised or not, whose data are looked at before it begins."""

import copy
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from mmseg_css.engine.hooks import ProgressHook, PrototypeCommitHook, TeacherUpdateHook
from tests.datasets.helpers import LOAD, labeled_config, unlabeled_config
from tests.models.helpers import css_config, tiny_segmentor

RUNS = count()
METHODS = ("supervised", "css")
IMAGE, MASK = "val/images/b.png", "val/masks/b.png"
EVALUATE = [*LOAD, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]

Change = Callable[[dict], None]


def loader(dataset: dict, **changes: Any) -> dict:
    return {"batch_size": 2, "num_workers": 0, "persistent_workers": True, "dataset": dataset, **changes}


def config(root: Path, method: str) -> dict:
    """One step on 4 images of 16 x 16 pixels, then a validation of 3."""
    training = labeled_config(root / "train")
    evaluation = loader(
        labeled_config(root / "val", pipeline=EVALUATE), sampler={"type": "DefaultSampler"}, batch_size=1
    )
    cfg: dict = {
        "train_dataloader": loader(training, sampler={"type": "InfiniteSampler"}),
        "train_cfg": {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}},
        "work_dir": str(root / "work_dir"),
        "default_scope": "mmseg",
        "experiment_name": f"data-check-{next(RUNS)}",
        "log_level": "WARNING",
        "default_hooks": {
            "data_check": {"type": "DataCheckHook"},
            "checkpoint": {"type": "CheckpointHook", "by_epoch": False},
            "logger": {"type": "LoggerHook", "log_metric_by_epoch": False},
        },
        "custom_hooks": [],
    }
    preprocessor = {"mean": [127.5], "std": [127.5], "size": (12, 12), "seg_pad_val": 255}
    if method == "css":
        preprocessor["type"] = "SemiDataPreprocessor"
        cfg["model"] = css_config(segmentor=tiny_segmentor(num_classes=2), data_preprocessor=preprocessor)
        paired = {"type": "PairedDataset", "labeled": training, "unlabeled": unlabeled_config(root / "train")}
        collate = {"type": "paired_collate"}
        cfg["train_dataloader"] = loader(paired, sampler={"type": "PairedSampler"}, batch_size=4, collate_fn=collate)
        cfg["train_cfg"]["type"] = "PairedTrainLoop"
        cfg["custom_hooks"] = [dict(type=h.__name__) for h in (ProgressHook, TeacherUpdateHook, PrototypeCommitHook)]
    else:
        preprocessor["type"] = "SegDataPreProcessor"
        cfg["model"] = {**tiny_segmentor(num_classes=2), "data_preprocessor": preprocessor}
    for stage in ("val", "test"):
        cfg[f"{stage}_dataloader"] = copy.deepcopy(evaluation)
        cfg[f"{stage}_cfg"] = {"type": f"{stage.capitalize()}Loop"}
        cfg[f"{stage}_evaluator"] = {"type": "IoUMetric", "iou_metrics": ["mIoU"]}
    return cfg


def labeled_of(cfg: dict) -> dict:
    dataset = cfg["train_dataloader"]["dataset"]
    return dataset.get("labeled", dataset)


def head_of(cfg: dict) -> dict:
    return cfg["model"].get("segmentor", cfg["model"])["decode_head"]


def run(cfg: dict, stage: str) -> None:
    """Train or test; if an error comes, it comes before the first step and the first image."""
    runner = Runner.from_cfg(Config(cfg))
    images: list[object] = []
    runner.model.register_forward_pre_hook(lambda *_: images.append(0))
    for name in ("train_step", "test_step", "val_step"):
        step = getattr(runner.model, name)
        setattr(runner.model, name, lambda *args, step=step, **kwargs: (images.append(0), step(*args, **kwargs))[1])
    try:
        runner.train() if stage == "train" else runner.test()
    except Exception:
        assert not images
        raise
    assert images
