"""docs/new-method.md, typed as it stands into a folder outside the package, and trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.preparation.demo import generate
from tests.configs.helpers import ROOT
from tests.models.methods.documented import CLASS, CONFIG, LINE, PAGE

#: What the test spares: most steps, the pretrained weights, and processes.
SHORT = {
    "train_cfg.max_iters": "4",
    "train_cfg.val_interval": "4",
    "train_dataloader.num_workers": "0",
    "train_dataloader.persistent_workers": "False",
    "val_dataloader.num_workers": "0",
    "val_dataloader.persistent_workers": "False",
    "default_hooks.logger.interval": "1",
    "default_hooks.checkpoint.interval": "4",
    "model.segmentor.backbone.init_cfg": "None",
}


def test_the_page_is_followed(tmp_path: Path) -> None:
    (tmp_path / "my_methods").mkdir()
    for name, text in {"entropy": CLASS, "entropy_demo": CONFIG}.items():
        assert f"`my_methods/{name}.py`" in PAGE
        (tmp_path / "my_methods" / f"{name}.py").write_text(text)
    assert "\nmmseg-css data demo data/demo\n" in PAGE
    generate(tmp_path / "data" / "demo", train=48, val=4)
    [typed] = [line for line in PAGE.splitlines() if line.startswith("mmseg-css train ")]
    options = [f"{key}={value}" for key, value in SHORT.items()]
    command = [sys.executable, "-m", "mmseg_css", *typed.split()[1:], "--cfg-options", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", str(ROOT)])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [scalars] = tmp_path.rglob("scalars.json")
    logged = [json.loads(line) for line in scalars.read_text().splitlines()]
    entropies = [entry["unsup.entropy"] for entry in logged if "unsup.entropy" in entry]
    assert len(entropies) == 4
    assert all(0 < entropy <= np.log(5) + 1e-4 for entropy in entropies)  # five classes
    # Later losses are logged as means over iterations.
    assert logged[0]["unsup.loss_entropy"] == pytest.approx(0.1 * entropies[0], rel=1e-4)
    assert (tmp_path / "work_dirs" / "entropy_demo" / "iter_4.pth").is_file()


def test_the_method_is_short_and_its_line_is_the_tests() -> None:
    assert len(CLASS.splitlines()) < 60
    assert LINE.strip() in (ROOT / "tests/models/methods/helpers.py").read_text()
