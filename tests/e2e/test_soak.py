"""Trainings that are killed: the small version of `make soak`."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType


def test_ended_three_times_it_ends_as_without(import_benchmark: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """By SIGKILL, SIGTERM and a full disk, with augmentation, dropout, bfloat16 and two workers."""
    soak = import_benchmark("soak")
    found = soak.soak("css", workers=2, kills=3, folder=tmp_path, seed=0, iterations=24)
    assert found["differing"] == []
    assert len(found["kills"]) == 3
    assert found["values"] > 24 * 5  # losses and shares of every iteration, and the metrics
    logged = {name for _, name in soak.logged(tmp_path / "css-2-killed")}
    assert {"mIoU", "unsup.loss_contrast", "skipped_steps", "anchors/dotted"} <= logged
    [first] = (tmp_path / "css-2-whole").glob("iter_24.pth")
    # Hashes that can tell: another iteration has others.
    other = next(path for path in (tmp_path / "css-2-whole").glob("iter_*.pth") if path != first)
    assert all(found[part] != value for part, value in soak.hashes(other).items())
