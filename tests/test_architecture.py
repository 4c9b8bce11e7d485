"""The floors of the package, which pyproject.toml lays down for import-linter."""

from pathlib import Path

import pytest

importlinter = pytest.importorskip("importlinter.cli", reason="import-linter is missing (requirements/tests.txt)")
ROOT = Path(__file__).resolve().parents[1]


def test_floors_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    status = importlinter.lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert status == importlinter.EXIT_STATUS_SUCCESS, capsys.readouterr().out
