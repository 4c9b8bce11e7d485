"""A demo data set and a config in the small, and one training with them that several tests look at."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mmseg_css.cli.main import call
from mmseg_css.preparation.demo import generate
from tests.configs.helpers import ROOT, datasets_of, shrink

SIDE = 64
RUNS = count()
ROWS: list[str] = []

MakeConfig = Callable[..., Path]


@pytest.fixture(scope="session")
def make_config(tmp_path_factory: pytest.TempPathFactory) -> MakeConfig:
    """Write a method's demo config, small, with changes (``{"key.key": value}``); returns its path."""
    root = tmp_path_factory.mktemp("demo")
    generate(root / "data" / "demo", size=SIDE, train=48, val=4, labeled=(8, 40))

    def make(name: str, changes: dict | None = None, method: str = "css") -> Path:
        cfg = Config.fromfile(ROOT / "configs" / method / f"{method}_lite0_demo.py")
        shrink(cfg, SIDE)
        for dataset in datasets_of(cfg):
            dataset["data_root"] = str(root)
        cfg.train_cfg.update(max_iters=4, val_interval=4)
        cfg.default_hooks.checkpoint = {
            "type": "DurableCheckpointHook",
            "by_epoch": False,
            "interval": 2,
            "save_best": "mIoU",
        }
        cfg.log_level = "INFO"
        # MMEngine keeps loggers and visualisers by these, and two files may choose the same name.
        run = f"{name}-{next(RUNS)}"
        cfg.experiment_name = cfg.visualizer.name = run
        cfg.merge_from_dict(changes or {})
        path = root / run / f"{name}.py"
        path.parent.mkdir()
        cfg.dump(str(path))
        return path

    return make


def train(config: Path, work_dir: Path, *arguments: str) -> Path:
    """mmseg-css train in this process."""
    call(["train", str(config), "--work-dir", str(work_dir), *arguments])
    return work_dir


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def row(*titles: str) -> Callable:
    """The rows of the table in docs/bad-input.md that a test shows."""
    ROWS.extend(titles)
    return lambda test: test


@pytest.fixture(scope="session")
def config(make_config: MakeConfig) -> Path:
    return make_config("whole")


@pytest.fixture(scope="session")
def trained(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work dir of four iterations, with checkpoints after the second and the fourth."""
    return train(config, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def report(trained: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diagnosis of two checkpoints of that training, named as a shell would name the 800th and the 4000th."""
    out = tmp_path_factory.mktemp("diagnosis")
    call(["diagnose", str(config), str(trained / "iter_4.pth"), str(trained / "iter_2.pth"), "--out", str(out)])
    return out
