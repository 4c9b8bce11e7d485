"""What the endurance benchmark lets pass."""

import importlib.util
import sys
from types import ModuleType

import pytest

from tests.configs.helpers import ROOT

FLAT = {"bytes_a_step": 100.0, "files": [79, 79], "threads": [11, 10], "step_ms": [28.0, 30.0]}


@pytest.fixture
def endurance(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("endurance", ROOT / "benchmarks" / "endurance.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "endurance", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bytes_a_step": 2000.0}, "memory by 2000 bytes a step"),
        ({"files": [79, 80]}, "files from 79 to 80"),
        ({"threads": [11, 12]}, "threads from 11 to 12"),
        ({"step_ms": [20.0, 30.0]}, "the time of a step from 20.0 to 30.0 ms"),
    ],
)
def test_what_grows_is_named(endurance: ModuleType, change: dict, said: str) -> None:
    assert endurance.faults(FLAT) == []
    assert endurance.faults(FLAT | change) == [said]
