"""Shapes are types: under test every call into ``mmseg_css.functional`` is checked against its annotations."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
import torch
from jaxtyping import install_import_hook

import tests.typechecker  # noqa: F401  (the hook finds it by name)

# Before anything imports the package, or the modules would be loaded unchecked.
install_import_hook("mmseg_css.functional", "tests.typechecker.checked")

torch.set_num_threads(1)

hypothesis.settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
hypothesis.settings.load_profile("quick")


@pytest.fixture
def import_benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """The scripts of ``benchmarks/``, which import each other from their own folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    return importlib.import_module
