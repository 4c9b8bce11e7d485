"""Configs that a comparison can name, and trainings that take no time."""

import sys
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison.runs import Run
from tests.evaluation.finished import CONFIG, FAILS, GIVES, MIOU


@pytest.fixture
def configs(tmp_path: Path) -> dict[str, Path]:
    for name in MIOU:
        (tmp_path / f"{name}.py").write_text(CONFIG)
    return {name: tmp_path / f"{name}.py" for name in MIOU}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings take no time, and those of "new" with seed 1 fail."""
    monkeypatch.setattr(
        Run,
        "command",
        lambda run: [sys.executable, "-c", FAILS if (run.name, run.seed) == ("new", 1) else GIVES, str(run.folder)],
    )
