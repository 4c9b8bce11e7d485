"""Where trainings side by side run: threads, memory and GPUs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmseg_css import locations
from mmseg_css.evaluation.comparison import Question, machine
from mmseg_css.evaluation.comparison.lanes import KEEP_MEMORY, Lanes
from mmseg_css.evaluation.comparison.runs import COMMAND, Run
from mmseg_css.locations import PACKAGE
from tests.evaluation.finished import GIVES


@pytest.mark.parametrize(("named", "used"), [("GPU-a,GPU-b", {"GPU-a", "GPU-b"}), (None, {"0", "1"})])
def test_trainings_side_by_side_take_turns_on_the_gpus(
    named: str | None, used: set[str], configs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that the environment names, or all."""
    monkeypatch.setattr(machine.torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    says = GIVES + "import os, time; print(os.environ['CUDA_VISIBLE_DEVICES']); time.sleep(1)"
    monkeypatch.setattr(Run, "command", lambda run: [sys.executable, "-c", says, str(run.folder)])
    runs = Question(configs=configs, seeds=(0,)).runs(tmp_path / "work")
    Lanes(2).train([runs["base"][0], runs["new"][0]], print, lambda: None)
    assert {runs[name][0].folder.joinpath("output.txt").read_text().strip() for name in ("base", "new")} == used


TELLS = """
import json, os, pathlib, sys
pathlib.Path(sys.argv[1], "environment.json").write_text(json.dumps(dict(os.environ)))
"""


@pytest.mark.parametrize(("jobs", "threads"), [(1, {}), (2, {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})])
def test_what_a_training_finds_in_its_environment(
    jobs: int, threads: dict, configs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread each where several trainings share the cores, memory that is kept, and what the user set himself."""
    monkeypatch.setattr(Run, "command", lambda run: [sys.executable, "-c", TELLS + GIVES, str(run.folder)])
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", *KEEP_MEMORY)
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MALLOC_TOP_PAD_", "4096")
    [one] = Question(configs={"new": configs["new"]}).runs(tmp_path / "work")["new"]
    Lanes(jobs).train([one], lambda _: None, lambda: None)
    found = json.loads((one.folder / "environment.json").read_text())
    expected = {**KEEP_MEMORY, "MALLOC_TOP_PAD_": "4096", **threads}
    assert {name: found[name] for name in names if name in found} == expected
    assert found["PYTHONPATH"].split(os.pathsep)[0] == str(PACKAGE.parent)


def test_what_is_installed_does_not_come_before_what_was_put_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patched MMSegmentation on PYTHONPATH, say: the package lies beside the other one."""
    monkeypatch.setenv("PYTHONPATH", "patched")
    assert locations.python_path() == {"PYTHONPATH": f"{PACKAGE.parent}{os.pathsep}patched"}
    monkeypatch.setattr(locations, "CLONE", None)
    assert locations.python_path() == {}


def test_a_clone_in_the_current_folder_is_not_what_trains(tmp_path: Path) -> None:
    """But modules of one's own there are found."""
    (tmp_path / "mmseg_css").mkdir()
    (tmp_path / "mmseg_css" / "__init__.py").write_text("raise SystemExit('another clone')")
    (tmp_path / "mine.py").write_text("print('mine')")
    config = tmp_path / "config.py"
    config.write_text("custom_imports = dict(imports=['mine'])")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [*COMMAND, "train", str(config)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[0] == "mine"
    assert "another clone" not in done.stderr


@pytest.mark.usefixtures("quick")
def test_more_lanes_than_cores_are_told(
    configs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    runs = Question(configs=configs).runs(tmp_path / "work")["base"]
    Lanes(3).train(runs, lambda _: None, lambda: None)
    assert capsys.readouterr().out == "3 trainings side by side are slower than 2, the cores of this machine\n"
