"""The rows of docs/bad-input.md on checkpoints and configs: what is said, and when."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mmseg_css.cli.main import call
from tests.trained import RUNS, MakeConfig, row, train, truncated


@row("Wrong number of classes for a checkpoint", "Checkpoint of another method", "Truncated checkpoint")
@pytest.mark.parametrize("tool", ["train", "test"])
@pytest.mark.parametrize(
    ("method", "changes", "harm", "message"),
    [
        ("css", {"model.segmentor.decode_head.num_classes": 9}, None, r"num_classes=9, but the \w+ set has 5 classes"),
        (
            "pc2seg",
            {},
            None,
            r"iter_2\.pth is not a checkpoint of this config's PC2Seg: .* are unknown to the model .*its work dir",
        ),
        ("css", {}, truncated, r"iter_2\.pth is truncated or corrupt .*an earlier one"),
    ],
    ids=["classes", "method", "truncated"],
)
def test_checkpoint(
    make_config: MakeConfig,
    trained: Path,
    tmp_path: Path,
    tool: str,
    method: str,
    changes: dict,
    harm: Callable[[Path], None] | None,
    message: str,
) -> None:
    shutil.copy(trained / "iter_2.pth", tmp_path)
    checkpoint = tmp_path / "iter_2.pth"
    if harm is not None:
        harm(checkpoint)
    path = make_config(f"bad-{tool}-{method}-{len(changes)}", changes, method)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        if tool == "train":
            train(path, tmp_path / "work", "--resume", str(checkpoint))
        else:
            call(["test", str(path), str(checkpoint), "--work-dir", str(tmp_path / "work")])


@row("Misspelt key or name in a config")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.stratgy": "mix"}, "model.stratgy: CSS takes no 'stratgy'; did you mean 'strategy'?"),
        ({"model.contrast_loss.num_querys": 5}, "takes no 'num_querys'; did you mean 'num_queries'?"),
        ({"model.contrast_loss.type": "PrototypContrast"}, "there is no model called 'PrototypContrast'; did you mean"),
        ({"train_cfg.max_iter": 5}, "train_cfg.max_iter: PairedTrainLoop takes no 'max_iter'; did you mean"),
        ({"train_dataloader.num_worker": 1}, "did you mean 'num_workers'?"),
        ({"optim_wrapper.optimizer.learning_rate": 1}, "AdamW takes no 'learning_rate'"),
        ({"randomness.sead": 1}, "did you mean 'seed'?"),
        ({"default_hooks.checkpoint.intervall": 1}, "did you mean 'interval'?"),
        ({"train_dataloder": 1}, "'train_dataloder', which nothing reads; did you mean 'train_dataloader'?"),
        ({"train_dataloader.dataset.labeled.type": "DemoDatset"}, "did you mean 'DemoDataset'?"),
        ({"train_dataloader.dataset.unlabeled.excludes": "x"}, "did you mean 'exclude'?"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_typo(make_config: MakeConfig, tmp_path: Path, changes: dict, message: str) -> None:
    path = make_config(f"typo-{next(RUNS)}", changes)
    with pytest.raises((KeyError, TypeError), match=re.escape(message)):
        train(path, tmp_path)
    assert not list(tmp_path.glob("*.pth"))


def test_a_start_from_random_weights_is_said(trained: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    said = "the network starts from random weights; with few labelled images those of ImageNet are worth much"
    assert said in "".join(path.read_text() for path in trained.rglob("*.log"))
    train(make_config("from weights", {"load_from": str(trained / "iter_2.pth")}), tmp_path / "work")
    assert said not in "".join(path.read_text() for path in (tmp_path / "work").rglob("*.log"))
