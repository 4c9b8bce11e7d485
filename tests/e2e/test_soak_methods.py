"""Baselines, killed once: they end as without, bit by bit. (`make soak` kills every method, and more often.)

One that draws channels, one with a teacher besides, and one with two students.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.configs.groups import METHODS
from tests.models.methods import helpers


@pytest.mark.parametrize("method", ["unimatch", "unimatch_v2", "cps_cutmix"])
def test_killed_once_it_ends_as_without(
    import_benchmark: Callable[[str], ModuleType], tmp_path: Path, method: str
) -> None:
    soak = import_benchmark("soak")
    found = soak.soak(method, workers=0, kills=1, folder=tmp_path, seed=0, iterations=12)
    assert found["differing"] == []
    assert found["values"] > 12 * 4  # losses and shares of every iteration, and the metrics
    logged = {name for _, name in soak.logged(tmp_path / f"{method}-0-killed")}
    assert {"mIoU", "skipped_steps"} <= logged
    assert any(name.startswith("unsup.loss_") for name in logged)


def test_every_method_is_tested_in_the_small() -> None:
    assert METHODS.keys() <= helpers.METHODS.keys()
