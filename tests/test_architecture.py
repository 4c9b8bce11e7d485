"""The floors of the package, which pyproject.toml lays down for import-linter."""

from pathlib import Path

import pytest

importlinter = pytest.importorskip("importlinter.cli", reason="import-linter is missing (requirements/tests.txt)")
ROOT = Path(__file__).resolve().parents[1]


def floors_hold(root: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    status = importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    return status == importlinter.EXIT_STATUS_SUCCESS


def test_floors_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    held = floors_hold(ROOT, monkeypatch)
    assert held, capsys.readouterr().out
