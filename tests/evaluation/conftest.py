"""Configs that a comparison can name."""

from pathlib import Path

import pytest

from tests.evaluation.finished import CONFIG, MIOU


@pytest.fixture
def configs(tmp_path: Path) -> dict[str, Path]:
    for name in MIOU:
        (tmp_path / f"{name}.py").write_text(CONFIG)
    return {name: tmp_path / f"{name}.py" for name in MIOU}
