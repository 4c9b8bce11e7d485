"""Configs that a comparison can name, and trainings that take no time."""

import sys
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.study import Study
from tests.evaluation import studies
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


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two parts on two data sets, whose ceilings do not depend on the part."""
    parts = {
        part: {
            data: {
                "base": studies.write(tmp_path / "configs" / f"{data}_{part}" / "base.py"),
                "all": studies.write(tmp_path / "configs" / data / "all.py"),
                "new": studies.write(tmp_path / "configs" / f"{data}_{part}" / "new.py"),
            }
            for data in studies.MIOU
        }
        for part in ("few", "many")
    }
    return Study(parts=parts, ceiling="all", seeds=dict.fromkeys(parts, (0, 1)), blocks={"x": 2})
