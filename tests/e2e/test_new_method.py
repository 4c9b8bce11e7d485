"""docs/new-method.md, typed as it stands into a folder outside the package, and trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.configs.helpers import ROOT
from tests.e2e.conftest import MakeConfig
from tests.models.methods.documented import CLASS, CONFIG, LINE, PAGE


def test_the_page_is_followed(make_config: MakeConfig, tmp_path: Path) -> None:
    base = "mmseg_css/configs/fixmatch/fixmatch_lite0_demo.py"
    assert CONFIG.count(base) == 1
    small = make_config("new-method", {"default_hooks.logger.interval": 1}, method="fixmatch")
    for name, text in {"entropy": CLASS, "entropy_demo": CONFIG.replace(base, str(small))}.items():
        assert f"`my_methods/{name}.py`" in PAGE
        (tmp_path / "my_methods").mkdir(exist_ok=True)
        (tmp_path / "my_methods" / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", str(ROOT)])}
    command = [sys.executable, "-m", "mmseg_css", "train", "my_methods/entropy_demo.py"]
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
