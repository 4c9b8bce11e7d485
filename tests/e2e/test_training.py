"""mmseg-css train on a tiny demo data set, from the command line to the checkpoint and back."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from mmseg_css.cli.main import call
from tests.configs.helpers import ROOT
from tests.models import helpers  # noqa: F401  (registers TinyBackbone)
from tests.trained import MakeConfig, load, train


def log_of(work_dir: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(work_dir.rglob("*.log")))


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Bit for bit, through dicts and lists."""
    assert type(one) is type(other), where
    if isinstance(one, Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    else:
        assert one == other, where


def test_training_leaves_checkpoints_logs_and_the_config(trained: Path) -> None:
    assert sorted(path.name for path in trained.glob("*.pth")) == ["best_mIoU_iter_4.pth", "iter_2.pth", "iter_4.pth"]
    [dumped] = trained.glob("*.py")
    assert Config.fromfile(dumped).model.type == "CSS"
    log = log_of(trained)
    for name in ("sup.loss_ohem", "unsup.loss_pseudo_label", "unsup.loss_contrast", "unsup.kept", "eta"):
        assert f"{name}: " in log, name
    assert "mIoU: " in log
    [scalars] = trained.rglob("scalars.json")
    losses = [entry["loss"] for entry in map(json.loads, scalars.read_text().splitlines()) if "loss" in entry]
    assert len(losses) == 4
    assert np.isfinite(losses).all()
    assert list(trained.rglob("events.out.tfevents*"))  # TensorBoard


def test_what_is_said_before_the_first_step_can_be_read(
    make_config: MakeConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is in the log file: config, environment, hooks, and a line for each parameter with a rate of its own."""
    rates = {"decode_head": {"lr_mult": 10}}
    config = make_config("said", {"optim_wrapper.paramwise_cfg": {"custom_keys": rates}, "train_cfg.max_iters": 1})
    train(config, tmp_path, "--cfg-options", "default_hooks.logger.interval=1")
    said = capsys.readouterr().out
    lines = said[: said.index("Iter(train)")].splitlines()
    assert len(lines) < 30, said
    [file] = (line.rsplit(": ", 1)[1] for line in lines if "order of the hooks" in line)
    kept = Path(file).read_text()
    for long in (
        "System environment:",
        "Hooks will be executed",
        "paramwise_options -- student.decode_head",
        "max_iters",
    ):
        assert long in kept
        assert long not in "\n".join(lines)


def test_checkpoint_holds_all_the_state(trained: Path) -> None:
    state = load(trained / "iter_4.pth")["state_dict"]
    assert state["teacher._extra_state"] == 4
    assert state["bank.seen"].any()
    assert not any("pending" in name for name in state)
    students = {name.removeprefix("student.") for name in state if name.startswith("student.")}
    teachers = {name.removeprefix("teacher.model.") for name in state if name.startswith("teacher.model.")}
    assert students == teachers


@pytest.mark.parametrize("num_workers", [0, 1])
def test_resumed_training_ends_where_the_uninterrupted_one_does(
    make_config: MakeConfig, trained: Path, tmp_path: Path, num_workers: int
) -> None:
    """Bit for bit: student, teacher, prototypes, optimiser; whichever process loads the images.

    The latest checkpoint is truncated, so that the one before is taken.
    """
    shutil.copy(trained / "iter_2.pth", tmp_path)
    (tmp_path / "iter_3.pth").write_bytes((trained / "iter_2.pth").read_bytes()[:-1000])
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_3.pth"))
    resumed = make_config(f"resumed-{num_workers}", {"train_dataloader.num_workers": num_workers})
    train(resumed, tmp_path, "--resume")
    assert "iter_3.pth is truncated or corrupt" in log_of(tmp_path)
    assert not (tmp_path / "iter_1.pth").exists()
    whole, rest = (load(work_dir / "iter_4.pth") for work_dir in (trained, tmp_path))
    for key in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(whole[key], rest[key], key)
    assert rest["meta"]["iter"] == 4
    before = load(trained / "iter_2.pth")["state_dict"]
    assert not torch.equal(before["bank.prototypes"], rest["state_dict"]["bank.prototypes"])


def test_pc2seg_trains_resumes_and_is_tested(make_config: MakeConfig, tmp_path: Path) -> None:
    whole, rest = tmp_path / "whole", tmp_path / "rest"
    train(make_config("pc2seg", method="pc2seg"), whole)
    for name in ("sup.loss_ohem", "unsup.loss_consistency", "unsup.loss_contrast", "unsup.agreement", "mIoU"):
        assert f"{name}: " in log_of(whole), name
    rest.mkdir()
    shutil.copy(whole / "iter_2.pth", rest)
    (rest / "last_checkpoint").write_text(str(rest / "iter_2.pth"))
    config = make_config("pc2seg-resumed", method="pc2seg")
    train(config, rest, "--resume")
    first, second = (load(work_dir / "iter_4.pth") for work_dir in (whole, rest))
    for key in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(first[key], second[key], key)
    assert not any("teacher" in name for name in first["state_dict"])
    call(["test", str(config), str(rest / "iter_4.pth"), "--work-dir", str(tmp_path / "tested")])
    assert "mIoU: " in log_of(tmp_path / "tested")
    with pytest.raises(ValueError, match="predict_on='teacher' needs a teacher"):
        call(["test", str(config), str(rest / "iter_4.pth"), "--predict-on", "teacher"])


def test_mixed_precision_and_gradient_accumulation(make_config: MakeConfig, tmp_path: Path) -> None:
    changes = {"optim_wrapper.accumulative_counts": 2, "train_cfg.val_begin": 100}
    train(make_config("amp", changes), tmp_path, "--amp")
    assert "bfloat16" in log_of(tmp_path)
    state = load(tmp_path / "iter_4.pth")["state_dict"]
    assert state["teacher._extra_state"] == 2
    for name, value in state.items():
        if isinstance(value, Tensor) and value.is_floating_point():
            assert value.dtype == torch.float32, name
            assert torch.isfinite(value).all(), name


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile on the CPU needs g++")
def test_compiled_backbone(make_config: MakeConfig, trained: Path, tmp_path: Path) -> None:
    """The step is the same up to rounding, and so are the names in the checkpoint."""
    changes = {
        "model.segmentor.backbone": {"type": "TinyBackbone", "_delete_": True},
        "model.segmentor.decode_head": {"in_channels": 8, "low_in_channels": 8},
        "train_cfg": {"max_iters": 1, "val_begin": 100},
    }
    losses, names = [], []
    for compiled in (False, True):
        name = f"compiled-{compiled}"
        config = make_config(name, changes | {"model.compile_backbone": compiled})
        train(config, tmp_path / name)
        [scalars] = (tmp_path / name).rglob("scalars.json")
        losses.append(json.loads(scalars.read_text().splitlines()[0])["loss"])
        names.append(list(load(tmp_path / name / "iter_1.pth")["state_dict"]))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert names[0] == names[1]


def test_two_processes_end_with_one_teacher_and_one_set_of_prototypes(
    make_config: MakeConfig, trained: Path, tmp_path: Path
) -> None:
    """They go on where one process stopped, and one goes on where they stopped."""
    changes = {
        "custom_imports": {"imports": ["mmseg_css", "tests.e2e.rank_dump"]},
        "model.segmentor.decode_head.norm_cfg.type": "SyncBN",  # reverted where there is no GPU
        "train_cfg.max_iters": 5,
        "train_cfg.val_begin": 100,
        "env_cfg.dist_cfg.backend": "gloo",
    }
    config = make_config("two-processes", changes)
    dump = Config.fromfile(config)
    dump.custom_hooks = [{"type": "RankDump"}]
    dump.dump(str(config))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command += [str(ROOT / "tools" / "train.py"), str(config), "--work-dir", str(tmp_path), "--launcher", "pytorch"]
    command += ["--resume", str(trained / "iter_2.pth")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, timeout=400, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    first, second = (load(tmp_path / f"rank{rank}.pth") for rank in (0, 1))
    assert first["step"] == second["step"] == 5
    assert "written by 1 processes, and now there are 2" in log_of(tmp_path)
    assert first["bank"]["seen"].any()
    for part in ("student", "teacher", "bank"):
        assert_same(first[part], second[part], part)
    assert not torch.equal(first["image"], second["image"])  # each has seen images of its own
    assert not any("Sync" in norm for norm in first["norms"])
    assert "SyncBN became BN in model.segmentor.decode_head" in log_of(tmp_path)

    back = make_config("one-process", {"train_cfg.max_iters": 6, "train_cfg.val_begin": 100})
    train(back, tmp_path, "--resume")
    assert "written by 2 processes, and now there are 1" in log_of(tmp_path)
    assert load(tmp_path / "iter_6.pth")["state_dict"]["teacher._extra_state"] == 6
