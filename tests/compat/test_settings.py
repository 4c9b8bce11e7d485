"""What the top of a config sets, and where weights come from, as docs/compatibility.md says."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.registry import MODELS
from tests.compat.runs import assert_equal, state, validating
from tests.engine.tiny import METHODS, config, train, write_data
from tests.models.methods.helpers import UNLABELLING

RESNET = {
    "_delete_": True,
    "type": "ResNet",
    "depth": 18,
    "base_channels": 4,
    "stem_channels": 4,
    "num_stages": 2,
    "strides": [1, 2],
    "dilations": [1, 1],
    "out_indices": [0, 1],
}
WEIGHT = "backbone.low.conv.weight"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def of_resnet(**backbone: Any) -> dict[str, Any]:
    head = {"in_channels": 8, "low_in_channels": 4}
    return {"model__segmentor__backbone": {**RESNET, **backbone}, "model__segmentor__decode_head": head}


# -- where weights come from ------------------------------------------------------------------------------------------


@pytest.fixture
def plain() -> dict[str, torch.Tensor]:
    """Weights under the names of a plain MMSeg segmentor."""
    weights = MODELS.build(METHODS["css"]()).student.state_dict()
    return {name: value + 0.5 if value.is_floating_point() else value for name, value in weights.items()}


def started_from(root: Path, checkpoint: Any, method: str = "css") -> Runner:
    torch.save(checkpoint, root / "weights.pth")
    cfg = config(root, method, 1, optim_wrapper__optimizer__lr=0.0)
    cfg.load_from = str(root / "weights.pth")
    return train(cfg)


@pytest.mark.parametrize("names", ["plain", "bare", "wrapped", "backbone", "student"])
def test_load_from(root: Path, plain: dict[str, torch.Tensor], names: str) -> None:
    """A plain MMSeg checkpoint, as such and as people pass it round; the teacher starts from it, too."""
    checkpoints = {
        "plain": {"state_dict": plain, "meta": {}},
        "bare": plain,
        "wrapped": {"state_dict": {f"module.{name}": value for name, value in plain.items()}},
        "backbone": {"state_dict": {name: value for name, value in plain.items() if name.startswith("backbone.")}},
        "student": {"state_dict": {f"student.{name}": value for name, value in plain.items()}},
    }
    found = state(started_from(root, checkpoints[names]))
    assert torch.equal(found[f"student.{WEIGHT}"], plain[WEIGHT])
    assert torch.allclose(found[f"teacher.model.{WEIGHT}"], plain[WEIGHT])


@pytest.mark.parametrize("names", ["without a prefix", "of a method", "under another key", "nothing"])
@pytest.mark.parametrize("method", ["css", "supervised"])
def test_load_from_what_fits_nothing_is_refused(
    root: Path, plain: dict[str, torch.Tensor], method: str, names: str
) -> None:
    checkpoints = {
        "without a prefix": {
            name.removeprefix("backbone."): value for name, value in plain.items() if name.startswith("backbone.")
        },
        "of a method": {f"{'' if method == 'css' else 'student.'}net.{name}": value for name, value in plain.items()},
        "under another key": {"model": plain},
        "nothing": {"state_dict": {}},
    }
    with pytest.raises(ValueError, match=r"load_from='.*weights.pth' holds nothing of this config's"):
        started_from(root, checkpoints[names], method)


@pytest.mark.parametrize("place", ["model__init_cfg", "model__segmentor__init_cfg"])
def test_init_cfg(root: Path, plain: dict[str, torch.Tensor], place: str) -> None:
    """Of the whole model or of the segmentor; the teacher is a copy."""
    torch.save({"state_dict": plain}, root / "weights.pth")
    pretrained = {"type": "Pretrained", "checkpoint": str(root / "weights.pth")}
    found = state(train(config(root, "css", 1, optim_wrapper__optimizer__lr=0.0, **{place: pretrained})))
    assert torch.equal(found[f"student.{WEIGHT}"], plain[WEIGHT])
    assert torch.allclose(found[f"teacher.model.{WEIGHT}"], plain[WEIGHT])


@pytest.mark.parametrize("place", ["segmentor", "segmentor__decode_head"])
def test_init_cfg_of_two_networks(root: Path, place: str) -> None:
    """Of CPS: one head for both would let them agree for ever, so that the peer's is its own."""
    weights = MODELS.build(METHODS["cps"]()).student.state_dict()
    torch.save({"state_dict": weights}, root / "weights.pth")
    prefix = "decode_head." if place.endswith("head") else None
    pretrained = {"type": "Pretrained", "checkpoint": str(root / "weights.pth"), "prefix": prefix}
    changes = {"optim_wrapper__optimizer__lr": 0.0, f"model__{place}__init_cfg": pretrained}
    found = state(train(config(root, "cps", 1, **changes)))
    for name in ("decode_head.conv_seg.weight", "decode_head.bottleneck.conv.weight"):
        assert torch.equal(found[f"student.{name}"], weights[name])
        assert not torch.equal(found[f"peer.{name}"], weights[name])
    for network in ("student", "peer"):
        assert torch.equal(found[f"{network}.{WEIGHT}"], weights[WEIGHT]) == (prefix is None)


@pytest.mark.parametrize("key", ["init_cfg", "pretrained"])
def test_init_cfg_of_the_backbone(root: Path, key: str) -> None:
    torch.save({"conv1.weight": torch.full((4, 3, 7, 7), 0.25)}, root / "weights.pth")
    path = str(root / "weights.pth")
    changes = of_resnet(**{key: {"type": "Pretrained", "checkpoint": path}} if key == "init_cfg" else {})
    if key == "pretrained":
        changes["model__segmentor__pretrained"] = path
    found = state(train(config(root, "css", 1, optim_wrapper__optimizer__lr=0.0, **changes)))
    for network in ("student", "teacher.model"):
        assert (found[f"{network}.backbone.conv1.weight"] - 0.25).abs().max() < 1e-6


def test_frozen_stages(root: Path) -> None:
    """Weights and statistics of a frozen stage stay, in the student and in the teacher; those of others move."""
    changes = of_resnet(frozen_stages=1, norm_eval=False)
    runner = train(config(root, "css", 3, custom_hooks=[{"type": "States"}], **changes))
    first, *_, last = next(hook for hook in runner.hooks if type(hook).__name__ == "States").trained
    for network in ("student", "teacher.model"):
        for name in ("conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.bn1.running_mean"):
            assert torch.equal(first[f"{network}.backbone.{name}"], last[f"{network}.backbone.{name}"]), name
        for name in ("layer2.0.conv1.weight", "layer2.0.bn1.running_mean"):
            assert not torch.equal(first[f"{network}.backbone.{name}"], last[f"{network}.backbone.{name}"]), name


# -- the run ----------------------------------------------------------------------------------------------------------


def test_env_cfg(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    processes = {"mp_start_method": "fork", "opencv_num_threads": 0}
    Runner.from_cfg(config(root, "css", 1, env_cfg={"cudnn_benchmark": True, "mp_cfg": processes}))
    assert torch.backends.cudnn.benchmark
    assert torch.multiprocessing.get_start_method() == "fork"


@pytest.mark.parametrize("method", ["css", "pc2seg", "supervised"])
def test_randomness(root: Path, method: str) -> None:
    """One seed, one result; with deterministic operators, on a CPU, too."""
    try:
        seeds = [{"seed": 1}, {"seed": 1}, {"seed": 2}, {"seed": 1, "deterministic": True}]
        first, again, other, deterministic = (state(train(config(root, method, 2, randomness=seed))) for seed in seeds)
    finally:
        torch.use_deterministic_algorithms(False)
    assert_equal(first, again)
    assert_equal(first, deterministic)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_efficient_conv_bn_eval(root: Path) -> None:
    """Of the network that predicts: the same numbers, up to rounding."""
    changes = {"model__segmentor__backbone": {"type": "TinyBackbone", "_delete_": True}}
    expected = validating(root, 2, work_dir=str(root / "plain"), **changes)
    found = validating(root, 2, work_dir=str(root / "efficient"), efficient_conv_bn_eval=["backbone"], **changes)
    plain, efficient = train(expected), train(found)
    assert "forward" in vars(unwrap(efficient.model).teacher.model.backbone)  # replaced by MMEngine
    images = torch.zeros(1, 3, 16, 16)
    first, second = (unwrap(runner.model).eval()(images) for runner in (plain, efficient))
    torch.testing.assert_close(first, second)


# -- where curves and pictures go -------------------------------------------------------------------------------------


def drawn(root: Path, backend: dict[str, Any], method: str = "css") -> Config:
    kind = backend["type"]
    cfg = validating(root, 2, method, work_dir=str(root / kind))
    cfg.visualizer = {"type": "SegLocalVisualizer", "name": f"{kind}-{root.name}", "vis_backends": [backend]}
    cfg.custom_hooks = [{"type": "DiagnosticsHook", "log_interval": 1, "image_interval": 1}]
    return cfg


def test_local_backend(root: Path) -> None:
    train(drawn(root, {"type": "LocalVisBackend"}))
    [scalars] = root.rglob("scalars.json")
    assert '"mIoU"' in scalars.read_text() and '"anchors/' in scalars.read_text()
    assert len(list(root.rglob("pseudo_labels_*.png"))) == 2


@pytest.mark.parametrize("method", [method for method in METHODS if method != "supervised"])
def test_tensorboard_backend(root: Path, method: str) -> None:
    """Every loss, the score and the pictures of every method; anchors of those with a contrast."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    runner = train(drawn(root, {"type": "TensorboardVisBackend"}, method))
    runner.visualizer.close()
    [events] = root.rglob("events.out.tfevents*")
    found = accumulator.EventAccumulator(str(events)).Reload().Tags()
    logged = {name for name in runner.message_hub.log_scalars if name.startswith("train/") and "loss" in name}
    assert {name.removeprefix("train/") for name in logged} | {"mIoU"} <= {*found["scalars"]}
    assert any(name.startswith("unsup.") for name in found["scalars"])
    assert found["images"] == ([] if method in UNLABELLING else ["pseudo_labels"])
    assert any("anchors/" in name for name in found["scalars"]) == (method in ("css", "aided_css", "pc2seg"))


def test_wandb_backend(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    runner = train(drawn(root, {"type": "WandbVisBackend", "save_dir": str(root / "curves")}))
    runner.visualizer.close()
    assert list(root.rglob("run-*.wandb"))
    assert len(list(root.rglob("pseudo_labels*.png"))) == 2


def test_mlflow_backend(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a folder."""
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    backend = {"type": "MLflowVisBackend", "save_dir": str(root / "curves"), "tracking_uri": f"file://{root}/runs"}
    runner = train(drawn(root, backend))
    runner.visualizer.close()
    assert {"loss", "mIoU"} <= {os.path.basename(path) for path in root.glob("runs/*/*/metrics/*")}
    assert {path.name for path in root.rglob("artifacts/*.png")} == {"pseudo_labels_1.png", "pseudo_labels_2.png"}


def test_mlflow_pictures_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes when MMEngine gives MLflow a file's name."""
    pytest.importorskip("mlflow")
    from mmengine.visualization.vis_backend import MLflowVisBackend

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    backend = MLflowVisBackend(save_dir=str(root), tracking_uri=f"file://{root}/runs")
    with pytest.raises(ValueError, match="unknown file extension"):
        backend.add_image("pseudo_labels", np.zeros((4, 4, 3), np.uint8))
