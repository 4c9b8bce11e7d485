"""Folders of images and masks, what `mmseg-css init` makes of them, and what its configs read."""

from pathlib import Path

import numpy as np
from mmengine.config import Config
from PIL import Image

from mmseg_css.cli.main import call
from mmseg_css.registry import DATASETS

SIDE = 40


def labels_of(number: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """Stripes of three classes, at another place in each image."""
    stripes = np.arange(width) * 3 // width
    return np.broadcast_to((stripes + number) % 3, (height, width)).astype(np.uint8)


def write(path: str, pixels: np.ndarray) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_image(path: str, height: int = SIDE, width: int = SIDE) -> None:
    write(path, np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def run(*arguments: str) -> Config:
    call(["init", *arguments])
    return Config.fromfile("configs/own/css_lite0_own.py")


def lines(name: str) -> list[str]:
    return Path(f"configs/own/{name}.txt").read_text().splitlines()


def sets_of(cfg: Config) -> dict[str, list[dict]]:
    """Every sample of the three data sets, images and labels as they are read."""
    paired = cfg.train_dataloader.dataset
    configs = {"train": paired.labeled, "val": cfg.val_dataloader.dataset, "unlabeled": paired.unlabeled}
    load = dict(type="LoadImageFromFile")
    pipelines = {name: [load] if name == "unlabeled" else [load, dict(type="LoadAnnotations")] for name in configs}
    return {name: list(DATASETS.build({**config, "pipeline": pipelines[name]})) for name, config in configs.items()}
