"""What the endurance benchmark lets pass."""

from collections.abc import Callable
from types import ModuleType

import pytest

FLAT = {"bytes_a_step": 100.0, "files": [79, 79], "threads": [11, 10], "step_ms": [28.0, 30.0]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bytes_a_step": 2000.0}, "memory by 2000 bytes a step"),
        ({"files": [79, 80]}, "files from 79 to 80"),
        ({"threads": [11, 12]}, "threads from 11 to 12"),
        ({"step_ms": [20.0, 30.0]}, "the time of a step from 20.0 to 30.0 ms"),
    ],
)
def test_what_grows_is_named(import_benchmark: Callable[[str], ModuleType], change: dict, said: str) -> None:
    endurance = import_benchmark("endurance")
    assert endurance.faults(FLAT) == []
    assert endurance.faults(FLAT | change) == [said]
