"""The demo configs with images of 32 x 32 pixels and a network of a few thousand weights, for long runs in no time."""

from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from mmseg_css.preparation.demo import generate

ROOT = Path(__file__).resolve().parents[1]
SIDE = 32
#: How many pixels a contrast begins at.
DRAWS = {"PrototypeContrastLoss": "num_queries", "PixelContrastLoss": "num_anchors"}


def write_tiny(method: str, folder: Path, changes: dict[str, Any], name: str = "tiny") -> Path:
    """Write a config, with ``changes`` by dotted keys, and its data set into ``folder``; returns the config's path."""
    generate(folder / "data" / "demo", size=SIDE, train=24, val=4, labeled=(8, 20))
    method_folder = "css" if method == "supervised" else method
    cfg = Config.fromfile(ROOT / "configs" / method_folder / f"{method}_lite0_demo.py")
    segmentor = cfg.model.get("segmentor", cfg.model)
    segmentor.backbone = ConfigDict(
        type="ResNet", depth=18, num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1), base_channels=8
    )
    segmentor.decode_head.update(
        in_channels=16, channels=8, low_in_channels=8, low_channels=4, dilations=(1, 2), dropout_ratio=0.5
    )
    segmentor.decode_head.loss_decode.update(min_kept=200)
    if "contrast_loss" in cfg.model:
        segmentor.decode_head.projection.update(channels=4)
        cfg.model.contrast_loss.update({DRAWS[cfg.model.contrast_loss.type]: 16, "num_negatives": 16})
    train = cfg.train_dataloader.dataset
    parts = [train] if method == "supervised" else [train.labeled, train.unlabeled]
    cfg.model.data_preprocessor.size = (SIDE, SIDE)
    for step in parts[0].pipeline:
        for key in {"scale", "crop_size"} & step.keys():
            step[key] = (SIDE, SIDE)
    for dataset in (*parts, cfg.val_dataloader.dataset, cfg.test_dataloader.dataset):
        dataset.data_root = str(folder)
    cfg.train_dataloader.batch_size = 4
    cfg.val_dataloader.num_workers = 0
    cfg.val_dataloader.persistent_workers = False
    cfg.log_level = "ERROR"
    cfg.visualizer.vis_backends = [{"type": "LocalVisBackend"}]
    cfg.experiment_name = cfg.visualizer.name = name  # MMEngine keeps loggers and visualisers by these
    cfg.merge_from_dict(changes)
    path = folder / f"{name}.py"
    cfg.dump(str(path))
    return path
