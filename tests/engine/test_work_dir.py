"""A work dir belongs to one training at a time, and says what it held before."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmseg_css.engine import training
from mmseg_css.engine.work_dir import NAME, RANK, claimed, of_before
from tests.engine.tiny import config, log_of, write_data

#: What another process does, in the small.
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "a+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("process 7 on elsewhere", file=file, flush=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def another(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A process that trains in the work dir."""
    (tmp_path / "work_dir").mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "work_dir" / NAME)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_two_trainings_at_once_are_refused(another: subprocess.Popen, tmp_path: Path) -> None:
    cfg = config(write_data(tmp_path), "supervised", 1, launcher="none")
    with pytest.raises(FileExistsError, match=r"another training is writing .*\(process 7 on elsewhere\).*--work-dir"):
        training.train(cfg)
    another.kill()
    another.wait()
    training.train(cfg)  # what is left by a process that was killed is no obstacle
    assert (tmp_path / "work_dir" / "iter_1.pth").is_file()


@pytest.mark.parametrize("launcher", RANK)
def test_processes_of_a_launcher_share_it(
    another: subprocess.Popen, tmp_path: Path, launcher: str, monkeypatch
) -> None:
    """Also on GPUs, where nothing else tells them apart yet."""
    folder = tmp_path / "work_dir"
    monkeypatch.setenv(RANK[launcher], "1")
    with claimed(folder, launcher):
        pass
    with pytest.raises(FileExistsError), claimed(folder):  # in a shell that a launcher gave, but without it
        pass
    monkeypatch.setenv(RANK[launcher], "0")
    with pytest.raises(FileExistsError), claimed(folder, launcher):
        pass


def test_it_is_let_go_at_the_end(tmp_path: Path) -> None:
    with claimed(tmp_path):
        pass
    subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / NAME)], input="", text=True, timeout=20, check=True)


def test_checkpoints_of_before_are_named(tmp_path: Path) -> None:
    """As when two configs of one name, in two folders, share work_dirs/NAME."""
    assert of_before(tmp_path / "work_dir") == []
    write_data(tmp_path)
    training.train(config(tmp_path, "supervised", 1, launcher="none"))
    assert "earlier training" not in log_of(tmp_path)
    cfg = config(
        tmp_path, "supervised", 2, launcher="none", resume=True, load_from=str(tmp_path / "work_dir" / "iter_1.pth")
    )
    training.train(cfg)
    assert "earlier training" not in log_of(tmp_path)
    training.train(config(tmp_path, "supervised", 1, launcher="none"))
    assert "holds an earlier training's checkpoints: 2, the last iter_2.pth; those of the same" in log_of(tmp_path)
