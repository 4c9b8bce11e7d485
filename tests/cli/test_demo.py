"""mmseg-css demo, without a training."""

import shutil
from pathlib import Path

import pytest

from mmseg_css.cli.demo import TRAINED
from mmseg_css.cli.main import run
from tests.configs.helpers import ROOT

MEASURED = ROOT / "docs" / "measured" / "demo_methods"


def test_records_in_the_repository_give_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without data, weights or a training; the picture of predictions needs the networks."""
    for name in TRAINED:
        shutil.copytree(MEASURED / f"{name}_seed0", tmp_path / "records" / f"{name}_seed0")
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "--records", "records"]) == 0
    said = capsys.readouterr().out
    assert (
        "4 trainings, 4 of them finished" in said
        and "but no demo.png: work_dirs/demo lacks weights of supervised, css" in said
    )
    assert "| css " in (tmp_path / "records" / "results.md").read_text()
    assert sorted(path.name for path in (tmp_path).iterdir()) == ["records", "work_dirs"]
