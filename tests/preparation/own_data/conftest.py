"""Small folders as people have them, for mmseg-css init, and what it writes read again; images of 40 pixels."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmseg_css.cli.main import call
from mmseg_css.preparation.own_data.coding import write_indices
from mmseg_css.registry import DATASETS

SIDE = 40
COLOURS = np.array([[0, 0, 0], [20, 180, 40], [200, 30, 60]], np.uint8)  # in their order


@pytest.fixture(autouse=True)
def _start_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmseg")


def labels_of(number: int, classes: int = 3, side: int = SIDE) -> np.ndarray:
    """Stripes of all classes, at another place in each image."""
    stripes = np.arange(side) * classes // side
    return np.broadcast_to((stripes + number) % classes, (side, side)).astype(np.uint8)


def write(path: Path | str, pixels: np.ndarray, **settings: object) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.uint16 or (pixels.ndim == 3 and path.suffix == ".tif"):
        assert cv2.imwrite(str(path), pixels)
    else:
        Image.fromarray(pixels).save(path, **settings)


def write_images(
    names: Iterable[str], channels: int = 3, dtype: type = np.uint8, folder: str = "images", top: int = 256
) -> None:
    rng = np.random.default_rng(len(folder))
    for name in names:
        pixels = rng.integers(0, top, (SIDE, SIDE, channels), dtype)
        write(Path(folder) / name, pixels[..., 0] if channels == 1 else pixels)


def write_masks(names: Iterable[str], factor: int = 1, classes: int = 3) -> None:
    for number, name in enumerate(names):
        write(Path("masks") / name, labels_of(number, classes) * factor)


def names(count: int, ending: str = ".png", first: int = 0) -> list[str]:
    return [f"{number:02d}{ending}" for number in range(first, first + count)]


def run(*arguments: str) -> Config:
    """Call it; the CSS config that it wrote."""
    call(["init", "images", "masks", *arguments])
    return Config.fromfile("configs/own/css_lite0_own.py")


def lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def labels_read(cfg: Config) -> dict[str, np.ndarray]:
    """All labels as training and validation read them, by the image's name."""
    found = {}
    for dataset in (cfg.train_dataloader.dataset.labeled, cfg.val_dataloader.dataset):
        pipeline = [dict(type="LoadImageFromFile"), dict(type="LoadAnnotations")]
        for sample in DATASETS.build({**dataset, "pipeline": pipeline}):
            assert sample["gt_seg_map"].shape == sample["img"].shape[:2]
            found[Path(sample["img_path"]).name] = sample["gt_seg_map"]
    return found


def assert_labels(cfg: Config, classes: int = 3) -> None:
    read = labels_read(cfg)
    for number, name in enumerate(sorted(read)):
        np.testing.assert_array_equal(read[name], labels_of(number, classes), err_msg=name)


def write_palette() -> list[str]:
    """Palette PNGs, which MMSeg reads as they are, and grey images of 16 bits of which 12 are used."""
    write_images(names(7, ".tif"), channels=1, dtype=np.uint16, top=4096)
    for number, name in enumerate(names(5)):
        write_indices(Path("masks") / name, labels_of(number), [tuple(colour) for colour in COLOURS.tolist()])
    return []
