"""The learning curve of a run: what is in it, and what a resumed run makes of it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from mmseg_css.engine.hooks import curve
from tests.engine.tiny import config, train, with_validation, write_data


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def cfg_of(root: Path, name: str, iterations: int) -> Any:
    curve = {"type": "CurveHook", "file": str(root / f"{name}.json")}
    changes = {"work_dir": str(root / name), "default_hooks__curve": curve, "default_hooks__checkpoint__interval": 1}
    return with_validation(config(root, "supervised", iterations, **changes), interval=2)


def points(root: Path, name: str) -> list[dict[str, float]]:
    return json.loads((root / f"{name}.json").read_text())


def test_every_evaluation_with_the_time_that_training_took(root: Path) -> None:
    start = time.perf_counter()
    train(cfg_of(root, "whole", 4))
    first, last = points(root, "whole")
    assert (first["iteration"], last["iteration"]) == (2, 4)
    assert 0 < first["minutes"] < last["minutes"] < (time.perf_counter() - start) / 60
    assert {"mIoU", "aAcc"} <= last.keys()


def test_a_resumed_curve_is_whole_and_counts_the_time_in_which_it_ran(root: Path) -> None:
    train(cfg_of(root, "whole", 4))
    before = points(root, "whole")
    cfg = cfg_of(root, "resumed", 6)
    cfg.resume, cfg.load_from = True, str(root / "whole" / "iter_3.pth")
    time.sleep(0.5)
    start = time.perf_counter()
    train(cfg)
    after = points(root, "resumed")
    assert [point["iteration"] for point in after] == [2, 4, 6]
    assert after[0] == before[0]
    assert after[-1]["minutes"] < before[-1]["minutes"] + (time.perf_counter() - start) / 60


def test_on_a_gpu_its_memory_is_in_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = cfg_of(root, "gpu", 2)
    monkeypatch.setattr(curve.torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(curve.torch.cuda, "max_memory_reserved", lambda: 3 * 2**29)
    train(cfg)
    assert points(root, "gpu")[-1]["gpu_gib"] == 1.5
