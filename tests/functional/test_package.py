"""What holds for every module of ``functional``: its imports, examples that run, shapes that are checked."""

import ast
import doctest
import importlib
import sys
from pathlib import Path

import jaxtyping
import pytest
import torch

import mmseg_css.functional

MODULES = sorted(p for p in Path(mmseg_css.functional.__file__).parent.glob("*.py") if p.stem != "__init__")
ALLOWED = {"torch", "einops", "jaxtyping", "kornia"}
ALLOWED_OF_OURS = ("mmseg_css.functional", "mmseg_css.types")


def imported(path: Path) -> list[str]:
    """Dotted names of everything a file imports, at any depth."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("mmseg_css.functional" if node.level == 1 else node.module or ".." * node.level)
    return names


def documented(path: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    """The public functions and classes of a file."""
    nodes = ast.parse(path.read_text()).body
    return [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]


DEFINITIONS = [pytest.param(p, n, id=f"{p.stem}.{n.name}") for p in MODULES for n in documented(p)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_functional_imports_torch_and_einops_and_no_openmmlab(path: Path) -> None:
    for name in imported(path):
        root = name.split(".")[0]
        ours = any(name == allowed or name.startswith(allowed + ".") for allowed in ALLOWED_OF_OURS)
        standard = root in sys.stdlib_module_names and root != "random"
        assert ours or standard or root in ALLOWED, f"{path.name} imports {name}; functional/ is pure torch"


@pytest.mark.parametrize(("path", "node"), DEFINITIONS)
def test_docstring_examples_run(path: Path, node: ast.FunctionDef | ast.ClassDef) -> None:
    docstring = ast.get_docstring(node)
    assert docstring, f"{path.stem}.{node.name} has no docstring"
    module = importlib.import_module(f"mmseg_css.functional.{path.stem}")
    test = doctest.DocTestParser().get_doctest(docstring, dict(vars(module)), node.name, str(path), node.lineno)
    if isinstance(node, ast.FunctionDef):
        assert test.examples, f"{path.stem}.{node.name} shows no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test).failed == 0


def test_shapes_are_checked_under_test() -> None:
    from mmseg_css.functional.prototypes import prototype_similarity

    with pytest.raises(jaxtyping.TypeCheckError):
        prototype_similarity(torch.zeros(1, 4, 2, 2), torch.zeros(3, 5))
