"""Small files and functions that fit on a screen, as CONTRIBUTING.md asks for."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.conftest import LONG

ROOT: Final = Path(__file__).resolve().parents[1]
LONGEST_FILE: Final = 300
LONGEST_FUNCTION: Final = 40  # the docstring included, decorators not


def long_files(*folders: str) -> Iterator[str]:
    for path in python_files(*folders):
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE:
            yield f"{path.relative_to(ROOT)}:1: {lines} lines"


def long_functions(*folders: str) -> Iterator[str]:
    for path in python_files(*folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines"


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        found = sorted((ROOT / folder).rglob("*.py"))
        assert found, f"{folder}/ holds no Python files: correct its name"
        yield from found


def test_no_file_is_long() -> None:
    found = list(long_files("mmseg_css", "tools", "benchmarks", "tests"))
    assert not found, f"more than {LONGEST_FILE} lines; part the subjects:\n" + "\n".join(found)


def test_no_function_is_long() -> None:
    found = list(long_functions("mmseg_css", "tools", "benchmarks"))
    assert not found, f"more than {LONGEST_FUNCTION} lines; give a step a name of its own:\n" + "\n".join(found)


def test_files_that_take_long_are_there() -> None:
    assert [name for name in LONG if not (ROOT / "tests" / name).is_file()] == []
