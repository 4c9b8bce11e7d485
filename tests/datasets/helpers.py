"""Tiny data sets on disk."""

import copy
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

CLASSES = ("background", "thing")
METAINFO = {"classes": CLASSES, "palette": [[0, 0, 0], [255, 255, 255]]}
LOAD = [{"type": "LoadImageFromFile"}]
AUGMENT = [
    {"type": "RandomResize", "scale": (16, 16), "ratio_range": (0.5, 2.0), "keep_ratio": True},
    {"type": "RandomCrop", "crop_size": (12, 12)},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackSegInputs"},
]


def write_image(path: Path, size: tuple[int, int] = (16, 16), value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value % 256, np.uint8))


def write_mask(path: Path, labels: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if labels is None:
        labels = np.eye(16, dtype=np.uint8)
    cv2.imwrite(str(path), labels)


def write_pairs(root: Path, ids: Iterable[str]) -> None:
    for number, name in enumerate(ids):
        write_image(root / "images" / f"{name}.png", value=number)
        write_mask(root / "masks" / f"{name}.png")


def write_list(path: Path, ids: Iterable[str]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in ids))
    return str(path)


def labeled_config(root: Path, **changes: object) -> dict:
    """A labelled data set of MMSeg's own kind; a copy through and through, to be changed at will."""
    config = {
        "type": "BaseSegDataset",
        "metainfo": METAINFO,
        "data_root": str(root),
        "data_prefix": {"img_path": "images", "seg_map_path": "masks"},
        "img_suffix": ".png",
        "pipeline": [*LOAD, {"type": "LoadAnnotations"}, *AUGMENT],
    }
    return copy.deepcopy({**config, **changes})


def unlabeled_config(root: Path, **changes: object) -> dict:
    config = {
        "type": "UnlabeledDataset",
        "data_root": str(root),
        "data_prefix": {"img_path": "images"},
        "pipeline": [*LOAD, *AUGMENT],
    }
    return copy.deepcopy({**config, **changes})


def dataloader_config(root: Path, labeled_list: str, **changes: object) -> dict:
    """Labelled: ``labeled_list``; unlabelled: the other images; 2 + 4 in a batch."""
    config = {
        "batch_size": 6,
        "num_workers": 0,
        "sampler": {"type": "PairedSampler", "ratio": (1, 2)},
        "collate_fn": {"type": "paired_collate"},
        "dataset": {
            "type": "PairedDataset",
            "labeled": labeled_config(root, ann_file=labeled_list),
            "unlabeled": unlabeled_config(root, exclude=labeled_list),
        },
    }
    return {**config, **changes}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
