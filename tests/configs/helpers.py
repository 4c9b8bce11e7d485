"""Make any config of this repository train on this machine in seconds: stand-in images, small crops, no downloads.

Nothing here knows a particular config. What a config refers to by a relative path is written to a folder of the test's.
"""

import inspect
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

from mmseg_css.registry import DATASETS

ROOT = Path(__file__).resolve().parents[2]
# What mmseg-css init writes into a folder of its own has no metafile.
CONFIGS = sorted(
    path for metafile in (ROOT / "configs").glob("*/metafile.yaml") for path in metafile.parent.glob("*.py")
)
LABELED, ALL = range(4), range(8)
# Sizes in pixels stand under these keys; under `scale` of the augmentation stands a range of factors.
SIZES = ("crop_size", "crop", "size", "scale", "stride")


@cache
def read(name: str) -> Config:
    """For those who change nothing in it."""
    return Config.fromfile(ROOT / "configs" / f"{name}.py")


def load(name: str) -> Config:
    return deepcopy(read(name))


def walk(node: Any) -> Iterator[dict]:
    """Every dict in a config."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()
    for child in children:
        yield from walk(child)


def datasets_of(cfg: Config) -> Iterator[dict]:
    """The configs of the data sets that read files."""
    for key in ("train_dataloader", "val_dataloader", "test_dataloader"):
        yield from (node for node in walk(cfg[key]) if "data_prefix" in node)


def stand_in(cfg: Config, root: Path, side: int = 64) -> None:
    """Let every data set read a few images of ``side`` x ``side`` pixels from ``root``, which are written there."""
    for dataset in datasets_of(cfg):
        if dataset["type"] != "UnlabeledDataset":
            write_labeled(dataset, root, side)
        dataset["data_root"] = str(root)
    for dataset in datasets_of(cfg):
        if dataset["type"] == "UnlabeledDataset" and dataset.get("ann_file"):
            write_list(root / dataset["ann_file"], ALL)


def write_labeled(dataset: dict, root: Path, side: int) -> None:
    """Images and masks of a labelled data set, in the layout and with the values that its class expects."""
    kind = DATASETS.get(dataset["type"])
    suffixes = inspect.signature(kind.__init__).parameters
    classes = len(kind.METAINFO["classes"])
    rng = np.random.default_rng(0)
    for number in ALL:
        image = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        # Blocks, so that resizing leaves some of every class.
        mask = rng.integers(0, classes, (4, 4)).astype(np.uint8).repeat(side // 4, 0).repeat(side // 4, 1)
        for key, content in (("img", image), ("seg_map", mask)):
            prefix = dataset["data_prefix"][f"{key}_path"]
            path = root / prefix / f"{number:06d}{suffixes[f'{key}_suffix'].default}"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), content)
    if dataset.get("ann_file"):
        write_list(root / dataset["ann_file"], LABELED)


def write_list(path: Path, numbers: range) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{number:06d}\n" for number in numbers))


def shrink(cfg: Config, side: int = 64) -> None:
    """Small crops and batches, few draws, one iteration, nothing pretrained, no checkpoint."""
    for node in walk(cfg._cfg_dict):
        for key in SIZES:
            if is_size(node.get(key)):
                node[key] = (side, side)
        if (node.get("init_cfg") or {}) and "Pretrained" in str(node["init_cfg"]):
            node["init_cfg"] = None
        if str(node.get("type")).endswith("VisionTransformer"):
            layers = 1 + max(node["out_indices"])
            node["arch"] = {"embed_dims": 24, "num_layers": layers, "num_heads": 2, "feedforward_channels": 48}
        if str(node.get("type")).startswith("MapDPT"):
            node.update(in_channels=[24] * 4, embed_dims=24)
        if node.get("type") == "TIMMBackbone":
            node["pretrained"] = False
        if node.get("type") == "PrototypeContrastLoss":
            node.update(num_queries=8, num_negatives=8)
        if node.get("type") == "PixelContrastLoss":
            node.update(num_anchors=8, num_negatives=8)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = 4 if cfg.train_dataloader.dataset.type == "PairedDataset" else 2
    cfg.train_cfg.max_iters = 1
    cfg.default_hooks.checkpoint = None
    cfg.default_hooks.logger.interval = 1
    cfg.log_level = "WARNING"


def is_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int) and v > 8 for v in value)
