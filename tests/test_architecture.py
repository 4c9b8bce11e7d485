"""The floors of the package, which pyproject.toml lays down for import-linter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename="pyproject.toml", no_cache=True))
"""


def test_floors_hold() -> None:
    """In a process of its own, since its console keeps the output stream that it finds first."""
    pytest.importorskip("importlinter", reason="import-linter is missing (requirements/tests.txt)")
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
