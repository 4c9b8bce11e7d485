"""One class, two classes of which the masks show one, one output for two classes, a class that nothing evaluates."""

from pathlib import Path

import numpy as np
import pytest

from mmseg_css.datasets import checks
from tests.datasets.checks.before_the_start.helpers import METHODS, config, head_of, labeled_of, run
from tests.datasets.helpers import write_image, write_mask

SETS = ("val_dataloader", "test_dataloader")


def relabel(root: Path, part: str, labels: np.ndarray) -> None:
    for path in (root / part / "masks").iterdir():
        write_mask(path, labels.astype(np.uint8))


@pytest.mark.parametrize("stage", ["train", "test"])
def test_one_class(root: Path, stage: str) -> None:
    """As some write a foreground alone: a softmax over one output is 1 everywhere."""
    cfg = config(root, "supervised")
    for part in ("train", "val"):
        relabel(root, part, np.where(np.eye(16), 0, 255))
    for dataset in (labeled_of(cfg), *(cfg[name]["dataset"] for name in SETS)):
        dataset["metainfo"] = {"classes": ("thing",), "palette": [[1, 1, 1]]}
    head_of(cfg)["num_classes"] = 1
    with pytest.raises(ValueError, match=r"the one class 'thing', .*=\('background', 'thing'\).*num_classes=2 in"):
        run(cfg, stage)


@pytest.mark.parametrize("method", METHODS)
def test_masks_of_0_and_255(root: Path, method: str) -> None:
    """255 is ignored, so that all is background: 100 % of it, and nan for the class that matters."""
    relabel(root, "train", np.eye(16) * 255)
    message = r"every labelled pixel of BaseSegDataset is of the class 'background'.*hold \[0, 255\], of which 255 is"
    with pytest.raises(ValueError, match=message):
        run(config(root, method), "train")


def test_another_set_may_show_the_other_class(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.labels, "warn", said.append)
    relabel(root, "train", np.zeros((16, 16)))
    cfg = config(root, "supervised")
    second = {**labeled_of(cfg), "data_root": str(root / "val")}
    cfg["train_dataloader"]["dataset"] = {"type": "ConcatDataset", "datasets": [labeled_of(cfg), second]}
    run(cfg, "train")
    assert not said


@pytest.mark.parametrize("method", METHODS)
def test_a_class_that_is_not_evaluated(root: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.labels, "warn", said.append)
    relabel(root, "val", np.zeros((16, 16)))
    run(config(root, method), "train")
    [message] = said
    assert "no mask for evaluation of BaseSegDataset holds the class thing, whose IoU is then nan and left" in message


def test_one_output_for_two_classes(root: Path) -> None:
    """MMSeg's way with a sigmoid; pseudo-labels need an output for each class."""
    sigmoid = {"out_channels": 1, "threshold": 0.5, "loss_decode": {"type": "CrossEntropyLoss", "use_sigmoid": True}}
    cfg = config(root, "supervised")
    head_of(cfg).update(sigmoid)
    run(cfg, "train")
    cfg = config(root, "css")
    head_of(cfg).update(sigmoid)
    with pytest.raises(ValueError, match="num_classes=2 and out_channels=1; pseudo-labels need one output for each"):
        run(cfg, "train")


@pytest.mark.parametrize("method", METHODS)
def test_odd_sizes(root: Path, method: str) -> None:
    """Validation images of another size each, of no multiple of anything."""
    for name, size in zip("abc", ((15, 17), (7, 33), (31, 9)), strict=True):
        write_image(root / f"val/images/{name}.png", size)
        write_mask(root / f"val/masks/{name}.png", np.eye(*size, dtype=np.uint8))
    run(config(root, method), "train")
