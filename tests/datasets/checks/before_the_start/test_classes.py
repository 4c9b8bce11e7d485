"""Classes, palettes and zero labels that differ between sets are said before the first step, or the first image."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mmseg_css.datasets import checks
from tests.datasets.checks.before_the_start.helpers import METHODS, config, head_of, labeled_of, run
from tests.datasets.helpers import METAINFO, write_mask


def metainfo(*classes: str, palette: list | None = None) -> dict:
    return {"classes": classes, "palette": palette or [[0, 0, 0], [255, 255, 255], [9, 9, 9]][: len(classes)]}


OTHER_CLASSES = [
    (metainfo("background"), "1 classes, the .* 2; the first .* is class 1: None .*'thing'"),
    (metainfo("thing", "background"), "other classes; the first .* is class 0: 'thing' .*'background'"),
    (metainfo("background", "tree"), "other classes; the first .* is class 1: 'tree' .*'thing'"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("other", "message"), OTHER_CLASSES)
def test_other_classes_in_validation(root: Path, method: str, other: dict, message: str) -> None:
    for name in "abc":
        write_mask(root / f"val/masks/{name}.png", np.zeros((16, 16), np.uint8))
    cfg = config(root, method)
    cfg["val_dataloader"]["dataset"]["metainfo"] = other
    if len(other["classes"]) == 1:
        message = "num_classes=2, but the validation set has 1 classes"
    with pytest.raises(ValueError, match=message):
        run(cfg, "train")


def save(root: Path, method: str, hook: str = "CheckpointHook") -> str:
    """A checkpoint of one step."""
    cfg = config(root, method)
    cfg["default_hooks"]["checkpoint"]["type"] = hook
    cfg.pop("val_dataloader"), cfg.pop("val_cfg"), cfg.pop("val_evaluator")
    runner = Runner.from_cfg(Config(cfg))
    runner.train()
    path = root / "work_dir" / "iter_1.pth"
    runner.save_checkpoint(str(path.parent), path.name, by_epoch=False)
    return str(path)


@pytest.mark.parametrize(("other", "message"), OTHER_CLASSES[1:])
def test_other_classes_in_the_test_than_were_learnt(root: Path, other: dict, message: str) -> None:
    cfg = config(root, "css")
    cfg["load_from"] = save(root, "css")
    cfg["test_dataloader"]["dataset"]["metainfo"] = other
    with pytest.raises(ValueError, match=f"the test set has {message} in the training of the checkpoint"):
        run(cfg, "test")


def test_classes_that_changed_before_a_resume(root: Path) -> None:
    cfg = config(root, "css")
    cfg.update(load_from=save(root, "css"), resume=True)
    cfg["train_cfg"]["max_iters"] = 2
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["metainfo"] = metainfo("thing", "background")
    with pytest.raises(ValueError, match="the training set has other classes; .* in the training of the checkpoint"):
        run(cfg, "train")


@pytest.mark.parametrize("zero", [False, True])
def test_a_checkpoint_that_does_not_say_what_it_learnt(zero: bool) -> None:
    """Those of MMSeg's first versions."""
    checks.check_same_classes(metainfo("a", "b") | {"reduce_zero_label": zero}, {}, name="test set")


def test_other_weights_may_have_learnt_anything(root: Path) -> None:
    cfg = config(root, "css")
    cfg["load_from"] = save(root, "css")
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["metainfo"] = metainfo("thing", "background")
    run(cfg, "train")


@pytest.mark.parametrize("method", METHODS)
def test_a_zero_label_that_is_ignored_on_one_side(root: Path, method: str) -> None:
    """The validation's labels are then one above what is learnt, all of them classes but for the last: mIoU 0.0."""
    labels = np.eye(16, dtype=np.uint8) + 1
    for name in "abcd":
        write_mask(root / f"train/masks/{name}.png", labels)
    cfg = config(root, method)
    labeled_of(cfg)["reduce_zero_label"] = True
    with pytest.raises(
        ValueError, match="reduce_zero_label is False in the validation set and True in the training set"
    ):
        run(cfg, "train")
    cfg = config(root, method)
    cfg["load_from"] = save_reduced(root, method)
    with pytest.raises(
        ValueError, match="reduce_zero_label is False in the test set and True in the training of the ch"
    ):
        run(cfg, "test")


def save_reduced(root: Path, method: str) -> str:
    path = save_path = root / "reduced.pth"
    cfg = config(root, method)
    labeled_of(cfg)["reduce_zero_label"] = True
    cfg.pop("val_dataloader"), cfg.pop("val_cfg"), cfg.pop("val_evaluator")
    runner = Runner.from_cfg(Config(cfg))
    runner.train()
    runner.save_checkpoint(str(path.parent), save_path.name, by_epoch=False)
    return str(path)


def test_another_palette_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(checks.classes, "warn", said.append)
    run(config(root, "css"), "train")
    assert not said
    cfg = config(root, "css")
    cfg["val_dataloader"]["dataset"]["metainfo"] = {**METAINFO, "palette": [[1, 1, 1], [2, 2, 2]]}
    run(cfg, "train")
    assert ["the validation set has another palette" in message for message in said] == [True]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stage", ["train", "test"])
def test_as_many_outputs_as_classes(root: Path, method: str, stage: str) -> None:
    cfg = config(root, method)
    head_of(cfg)["num_classes"] = 3
    with pytest.raises(
        ValueError, match=r"decode_head\.num_classes=3, but the \w+ set has 2 classes \(background, thing"
    ):
        run(cfg, stage)


@pytest.mark.parametrize("method", METHODS)
def test_an_auxiliary_head_has_outputs_for_all_classes(root: Path, method: str) -> None:
    cfg = config(root, method)
    auxiliary = {"type": "FCNHead", "in_channels": 8, "in_index": 0, "channels": 4, "num_convs": 1}
    cfg["model"].get("segmentor", cfg["model"])["auxiliary_head"] = {**auxiliary, "num_classes": 1}
    with pytest.raises(ValueError, match=r"auxiliary_head\.num_classes=1, but the training set has 2 classes"):
        run(cfg, "train")


@pytest.mark.parametrize("mean", [127.5, 0.0])
def test_a_start_from_weights_that_learnt_other_pictures_is_said(root: Path, mean: float) -> None:
    path = save(root, "css", hook="DurableCheckpointHook")
    cfg = config(root, "css")
    cfg.update(load_from=path, work_dir=str(root / "after"), log_level="WARNING")
    cfg["model"]["data_preprocessor"]["mean"] = [mean]
    run(cfg, "train")
    log = "".join(path.read_text() for path in (root / "after").rglob("*.log"))
    assert ("learnt images normalised in another way: mean was [127.5], and is [0.0] here" in log) == (mean == 0)


@pytest.mark.parametrize("scale", [(16, 16), (8, 8)])
def test_another_scale_in_the_test_than_in_the_validation_is_said(root: Path, scale: tuple[int, int]) -> None:
    resize = {"type": "Resize", "scale": (16, 16)}
    cfg = config(root, "css")
    cfg["default_hooks"]["checkpoint"].update(type="DurableCheckpointHook", interval=1)
    cfg["val_dataloader"]["dataset"]["pipeline"].insert(1, resize)
    run(cfg, "train")
    cfg = config(root, "css")
    cfg.update(load_from=str(root / "work_dir/iter_1.pth"), work_dir=str(root / "after"), log_level="WARNING")
    cfg["test_dataloader"]["dataset"]["pipeline"].insert(1, {**resize, "scale": scale})
    run(cfg, "test")
    log = "".join(path.read_text() for path in (root / "after").rglob("*.log"))
    said = "images go through Resize(scale=(8, 8)) here (test_dataloader.dataset.pipeline), and those that "
    assert (said in log) == (scale == (8, 8))


# -- what was learnt, and what is tested ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_other_pictures_in_the_test_than_were_learnt(root: Path, method: str, wrapped: bool) -> None:
    path = save(root, method, hook="DurableCheckpointHook")
    for mean, refused in (([127.5], False), ([0.0], True)):
        cfg = config(root, method)
        cfg["load_from"] = path
        cfg["model"]["data_preprocessor"]["mean"] = mean
        if wrapped:
            tta = {"type": "SegTTAModel", "module": cfg["model"]}
            cfg["model"] = {**tta, "data_preprocessor": cfg["model"]["data_preprocessor"]}
            pipeline = cfg["test_dataloader"]["dataset"]["pipeline"]
            load = next(step for step in pipeline if step["type"] == "LoadAnnotations")
            flips = [[{"type": "RandomFlip", "prob": 0.0}], [load], [{"type": "PackSegInputs"}]]
            cfg["test_dataloader"]["dataset"]["pipeline"] = [pipeline[0], {"type": "TestTimeAug", "transforms": flips}]
        if refused:
            with pytest.raises(ValueError, match=r"iter_1\.pth was trained on images normalised .*mean was \[127\.5"):
                run(cfg, "test")
        else:
            run(cfg, "test")
