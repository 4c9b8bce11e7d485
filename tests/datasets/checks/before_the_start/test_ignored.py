"""One ignored label everywhere; predictions that would overwrite each other."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.datasets.checks.before_the_start.helpers import (
    EVALUATE,
    METHODS,
    RUNS,
    Change,
    config,
    head_of,
    labeled_of,
    run,
)
from tests.datasets.helpers import write_mask, write_pairs


def set_head(cfg: dict) -> None:
    head_of(cfg)["ignore_index"] = 0


def set_padding(cfg: dict) -> None:
    cfg["model"]["data_preprocessor"]["seg_pad_val"] = 254


def set_metric(cfg: dict) -> None:
    cfg["val_evaluator"]["ignore_index"] = 0


def set_training_set(cfg: dict) -> None:
    labeled_of(cfg)["ignore_index"] = 254


def set_validation_set(cfg: dict) -> None:
    cfg["val_dataloader"]["dataset"]["ignore_index"] = 254


def set_crop(cfg: dict) -> None:
    crop = {"type": "RandomCrop", "crop_size": (12, 12), "cat_max_ratio": 0.75, "ignore_index": 254}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], crop, EVALUATE[2]]


def set_pad(cfg: dict) -> None:
    pad = {"type": "Pad", "size": (16, 16), "pad_val": {"img": 0, "seg": 254}}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], pad, EVALUATE[2]]


def set_rotation(cfg: dict) -> None:
    rotate = {"type": "RandomRotate", "prob": 0.5, "degree": 10, "seg_pad_val": 254}
    labeled_of(cfg)["pipeline"] = [*EVALUATE[:2], {"type": "RandomApply", "transforms": [rotate]}, EVALUATE[2]]


def set_loss(cfg: dict) -> None:
    own = {"type": "DiceLoss", "ignore_index": 254}
    head_of(cfg)["loss_decode"] = [{"type": "PixelCrossEntropyLoss"}, own]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_head, r"decode_head\.ignore_index=0, but .*model\.data_preprocessor\.seg_pad_val=255"),
        (set_padding, r"data_preprocessor\.seg_pad_val=254"),
        (set_metric, "ignore_index of IoUMetric on the validation set=0"),
        (set_training_set, r"ignore_index of the training set \(BaseSegDataset\)=254"),
        (set_validation_set, r"ignore_index of the validation set \(BaseSegDataset\)=254"),
        (set_crop, "ignore_index of RandomCrop in the pipeline of the training set=254"),
        (set_pad, r"pad_val\['seg'\] of Pad in the pipeline of the training set=254"),
        (set_rotation, "seg_pad_val of RandomRotate in the pipeline of the training set=254"),
        (set_loss, r"decode_head\.loss_decode\.1\.ignore_index=254"),
    ],
)
def test_one_ignored_label(root: Path, method: str, change: Change, message: str) -> None:
    cfg = config(root, method)
    change(cfg)
    with pytest.raises(ValueError, match=rf"{message}.*Set all of them to "):
        run(cfg, "train")


def test_a_metric_that_counts_what_the_head_ignores(root: Path) -> None:
    cfg = config(root, "supervised")
    cfg["test_evaluator"]["ignore_index"] = 0
    with pytest.raises(ValueError, match="but ignore_index of IoUMetric on the test set=0: "):
        run(cfg, "test")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 254])
def test_another_ignored_label_everywhere(root: Path, method: str, value: int) -> None:
    """What is consistent trains: the padding of images smaller than the batch included."""
    for number, name in enumerate("abcd"):
        labels = np.eye(16, dtype=np.uint8)
        labels[:3] = value
        write_mask(root / f"train/masks/{name}.png", labels[:, : 8 + number])
        picture = np.asarray(Image.open(root / f"train/images/{name}.png"))
        Image.fromarray(picture[:, : 8 + number]).save(root / f"train/images/{name}.png")
    cfg = config(root, method)
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["ignore_index"] = value
    head_of(cfg)["ignore_index"] = cfg["model"]["data_preprocessor"]["seg_pad_val"] = value
    cfg["val_evaluator"]["ignore_index"] = value
    run(cfg, "train")


def test_predictions_that_would_overwrite_each_other(root: Path) -> None:
    cfg = config(root, "supervised")
    cfg["test_dataloader"]["dataset"]["data_prefix"] = {"img_path": "", "seg_map_path": ""}
    write_pairs(root / "val", ["site 1/frame", "site 2/frame"])
    test = cfg["test_dataloader"]["dataset"]
    test.update(data_prefix={"img_path": "images", "seg_map_path": "masks"})
    cfg["test_evaluator"]["output_dir"] = str(root / "out")
    with pytest.raises(
        ValueError, match=r"site 1/frame\.png' and '.*site 2/frame\.png' would both be .*out/frame\.png"
    ):
        run(cfg, "test")
    test["data_prefix"] = {"img_path": "images/site 1", "seg_map_path": "masks/site 1"}
    run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "test")
    assert [path.name for path in (root / "out").iterdir()] == ["frame.png"]
