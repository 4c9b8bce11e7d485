"""``mmseg-css diagnose`` refuses what does not fit, in words, before its first pass."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmseg_css.cli.main import run
from mmseg_css.deployment.diagnosis import request

#: A pipeline without masks.
LOADING = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]


def test_refusals(trained: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    other = Config.fromfile(config)
    other.model = {**other.model.segmentor, "type": "DepthEstimator"}
    other.dump(str(tmp_path / "other.py"))
    binary = Config.fromfile(config)
    binary.model = {**binary.model.segmentor, "data_preprocessor": {"type": "SegDataPreProcessor", "size": (64, 64)}}
    binary.model.decode_head.update(num_classes=2, out_channels=1, threshold=0.5)
    binary.dump(str(tmp_path / "binary.py"))
    for arguments, message in (
        ([str(config), str(tmp_path / "none.pth")], "none.pth"),
        ([str(config), str(trained / "iter_4.pth"), "--block", "0"], "--block must be at least 1"),
        ([str(config), str(trained / "iter_4.pth"), "--masks", "nowhere"], "40 of 40 unlabelled images have no mask"),
        ([str(tmp_path / "binary.py"), str(trained / "iter_4.pth")], "pseudo-labels need one output for each class"),
        (
            [str(tmp_path / "other.py"), str(trained / "iter_4.pth")],
            "of which no method has logits of classes for every pixel",
        ),
    ):
        assert run(["diagnose", *arguments, "--out", str(tmp_path)]) == 1
        assert message in capsys.readouterr().err


def test_a_report_is_not_replaced_unasked(
    report: Path,
    trained: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    """Nor before there is another one. Then what it names goes with it, and nothing else."""
    out = tmp_path / "out"
    shutil.copytree(report, out)
    (out / "checkpoint_1000.pth").write_text("theirs")
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*") if path.parent.name != "logs"}
    arguments = ["diagnose", str(config), str(trained / "iter_4.pth"), "--out", str(out)]
    assert run(arguments) == 1
    assert f"{out} holds a report: name another --out, or say --overwrite" in capsys.readouterr().err

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(request, "write_report", full)
        assert run([*arguments, "--overwrite"]) == 1
    assert {name: (out / name).read_bytes() for name in before} == before
    assert run([*arguments, "--overwrite"]) == 0
    assert not [*out.glob(".*")]
    assert (out / "checkpoint_1").is_dir() and not (out / "checkpoint_2").exists()
    assert not (out / "figures" / "iterations.png").exists() and (out / "figures" / "classes.png").is_file()
    assert (out / "checkpoint_1000.pth").read_text() == "theirs"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.segmentor.decode_head.num_classes": 9}, "num_classes=9, but the set of test images has 5 classes"),
        ({"test_dataloader.dataset.data_prefix.seg_map_path": "{masks}"}, "holds [9], neither one of the 5 classes"),
        ({"test_dataloder": 1}, "'test_dataloder', which nothing reads"),
        ({"test_dataloader": None}, "has no test_dataloader.dataset"),
        ({"test_dataloader.dataset.pipeline": LOADING}, "test_dataloader.dataset.pipeline loads no masks"),
        ({"test_dataloader.dataset.pipeline": LOADING[:1]}, "test_dataloader.dataset.pipeline loads no masks"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_configs_that_do_not_fit(
    changes: dict, message: str, trained: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    cfg = Config.fromfile(config)
    dataset = cfg.test_dataloader.dataset
    shown = Path(dataset.data_root) / dataset.data_prefix.seg_map_path
    for path in shown.iterdir():
        (tmp_path / "masks").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "masks" / path.name), np.full((64, 64), 9, np.uint8))
    values = {key: str(tmp_path / "masks") if value == "{masks}" else value for key, value in changes.items()}
    cfg.merge_from_dict(values)
    cfg.dump(str(tmp_path / "own.py"))
    arguments = ["diagnose", str(tmp_path / "own.py"), str(trained / "iter_4.pth"), "--out", str(tmp_path / "out")]
    assert run(arguments) == 1
    assert message in capsys.readouterr().err


def without_prototypes(saved: dict) -> None:
    del saved["state_dict"]["bank.prototypes"]


def with_other_classes(saved: dict) -> None:
    saved["meta"]["dataset_meta"] = {"classes": saved["meta"]["dataset_meta"]["classes"][::-1]}


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (without_prototypes, "{} is not a checkpoint of this config's CSS: 1 tensors are missing"),
        (with_other_classes, "the set of test images has other classes; the first that differs is class 0: "),
        (with_other_classes, " in the training of {}. What is predicted"),
    ],
)
def test_the_checkpoint_that_does_not_fit_is_named(
    harm: Callable[[dict], None],
    message: str,
    trained: Path,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    """Which need not be the first."""
    saved = torch.load(trained / "iter_2.pth", weights_only=True)
    harm(saved)
    torch.save(saved, other := tmp_path / "other.pth")
    arguments = ["diagnose", str(config), str(trained / "iter_4.pth"), str(other), "--out", str(tmp_path / "out")]
    assert run(arguments) == 1
    assert message.format(other) in capsys.readouterr().err
