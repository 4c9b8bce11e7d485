"""The programs that come with MMSegmentation, on what is ours, as docs/compatibility.md says."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cv2
import mmseg
import pytest
import torch
from mmengine.config import Config

from mmseg_css import compat
from mmseg_css.cli.main import call
from mmseg_css.locations import CONFIGS
from tests.models.helpers import TINY_RESNET
from tests.trained import SIDE, MakeConfig

TOOLS = Path(mmseg.__file__).parent / ".mim" / "tools"
TINY = {
    "model.segmentor.backbone": TINY_RESNET,
    "model.segmentor.decode_head": {"in_channels": 8, "low_in_channels": 4},
    "default_hooks.checkpoint.interval": 4,
    "train_cfg.val_interval": 2,
}

UPSTREAM = compat.FAMILY.name == "openmmlab"
Tool = Callable[..., None]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    """Run a program of MMSeg's in this process."""
    if not TOOLS.is_dir():
        pytest.skip("this MMSegmentation was installed without its tools")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        patch.setenv("LOCAL_RANK", "0")
        patch.setenv("MPLBACKEND", "Agg")

        def run(name: str, *arguments: object) -> None:
            patch.setattr(sys, "argv", [name, *map(str, arguments)])
            runpy.run_path(str(TOOLS / name), run_name="__main__")

        yield run


@pytest.fixture(scope="module")
def config(make_config: MakeConfig) -> Path:
    return make_config("tools", TINY)


@pytest.fixture(scope="module")
def trained(tool: Tool, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four iterations by MMSeg's ``train.py``, stopped after two and resumed."""
    work_dir = tmp_path_factory.mktemp("trained")
    tool("train.py", config, "--work-dir", work_dir, "--cfg-options", "train_cfg.max_iters=2")
    assert not (work_dir / "iter_4.pth").exists()
    tool("train.py", config, "--work-dir", work_dir, "--resume")
    return work_dir


@pytest.fixture(scope="module")
def plain(config: Path, trained: Path) -> tuple[Path, Path]:
    """The same network as MMSeg's own."""
    call(["export", str(config), str(trained / "iter_4.pth"), str(trained / "plain")])
    [weights] = trained.glob("plain-*.pth")
    return trained / "plain.py", weights


def test_train_and_resume(trained: Path) -> None:
    checkpoint = torch.load(trained / "iter_4.pth", weights_only=True)
    assert checkpoint["meta"]["iter"] == 4
    assert checkpoint["state_dict"]["teacher._extra_state"] == 4  # every step moved the teacher
    log = "\n".join(path.read_text() for path in sorted(trained.rglob("*.log")))
    assert "The data continue at iteration 2" in log


def test_test_with_predictions_and_pictures(tool: Tool, config: Path, trained: Path, tmp_path: Path) -> None:
    # A process has one visualiser of a name; by default one picture in fifty is drawn.
    options = ["visualizer.name=shown", "experiment_name=shown", "default_hooks.visualization.interval=1"]
    arguments = [config, trained / "iter_4.pth", "--work-dir", tmp_path, "--out", tmp_path / "out"]
    tool("test.py", *arguments, "--show-dir", "shown", "--cfg-options", *options)
    assert len(list((tmp_path / "out").glob("*.png"))) == 4
    assert len([*tmp_path.rglob("shown/**/*.png"), *Path().rglob("shown/**/*.png")]) == 4
    tool("analysis_tools/confusion_matrix.py", config, tmp_path / "out", tmp_path / "matrix")
    assert (tmp_path / "matrix" / "confusion_matrix.png").exists()


def test_test_time_augmentation(tool: Tool, config: Path, trained: Path, tmp_path: Path) -> None:
    """MMSeg's tool wants it in the config; `mmseg-css test --tta` brings it along."""
    cfg = Config.fromfile(config)
    ours = Config.fromfile(CONFIGS / "_base_" / "evaluation" / "multi_scale_flip.py")
    load, *_, pack = cfg.test_dataloader.dataset.pipeline
    transforms = [*ours.tta_transforms, [{"type": "LoadAnnotations"}], [pack]]
    cfg.tta_model, cfg.tta_pipeline = ours.tta_model, [load, {"type": "TestTimeAug", "transforms": transforms}]
    cfg.dump(tmp_path / "tta.py")
    tool("test.py", tmp_path / "tta.py", trained / "iter_4.pth", "--work-dir", tmp_path, "--tta")
    assert "mIoU" in "".join(path.read_text() for path in tmp_path.rglob("*.json"))


@pytest.mark.xfail(UPSTREAM, raises=cv2.error, strict=True, reason="upstream draws on a view, which OpenCV refuses")
def test_browse_dataset(tool: Tool, config: Path, tmp_path: Path) -> None:
    tool("analysis_tools/browse_dataset.py", config, "--output-dir", tmp_path, "--not-show")
    assert len(list(tmp_path.glob("*.png"))) == 48  # the labelled and the unlabelled images


@pytest.mark.xfail(UPSTREAM, raises=ValueError, strict=True, reason="upstream MMSeg's call is not its MMEngine's")
def test_get_flops_of_an_exported_model(tool: Tool, plain: tuple[Path, Path], capsys: pytest.CaptureFixture) -> None:
    tool("analysis_tools/get_flops.py", plain[0], "--shape", SIDE)
    assert "Flops: " in capsys.readouterr().out


def test_get_flops_fault(tool: Tool, config: Path) -> None:
    """Its ``cfg.model.decode_head`` is a method's ``cfg.model.segmentor.decode_head``."""
    with pytest.raises(AttributeError, match="no attribute 'decode_head'"):
        tool("analysis_tools/get_flops.py", config, "--shape", SIDE)


def test_analyze_logs(tool: Tool, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    if "seaborn" not in sys.modules:  # which it asks for a style only
        seaborn = ModuleType("seaborn")
        seaborn.set_style = lambda style: None
        monkeypatch.setitem(sys.modules, "seaborn", seaborn)
    [log] = [path for path in trained.rglob("*.json") if path.name != "scalars.json" and "mIoU" in path.read_text()][:1]
    for key in ("mIoU", "loss", "unsup.loss_contrast"):
        out = tmp_path / f"{key}.png"
        tool("analysis_tools/analyze_logs.py", log, "--keys", key, "--out", out)
        assert out.exists()


def test_benchmark(tool: Tool, config: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tool("analysis_tools/benchmark.py", config, trained / "iter_4.pth", "--work-dir", tmp_path)
    assert "Average fps of 1 evaluations" in capsys.readouterr().out


def test_print_config(tool: Tool, config: Path, capsys: pytest.CaptureFixture) -> None:
    tool("misc/print_config.py", config, "--graph")
    assert "EMATeacher" in capsys.readouterr().out


def publish(checkpoint: Path, out: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(TOOLS / "misc" / "publish_model.py"), str(checkpoint), str(out)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_publish_model(plain: tuple[Path, Path], tmp_path: Path) -> None:
    done = publish(plain[1], tmp_path / "published.pth")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("published*.pth"))) == 1


def test_publish_model_fault(trained: Path, tmp_path: Path) -> None:
    """It reads no checkpoint of a training, MMSeg's neither: torch refuses what MMEngine logs there."""
    done = publish(trained / "iter_4.pth", tmp_path / "published.pth")
    assert "HistoryBuffer" in done.stderr
