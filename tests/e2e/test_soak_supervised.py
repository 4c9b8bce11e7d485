"""The reference resumes as exactly as the methods that are compared with it, and so do accumulated gradients."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.mark.parametrize("method", ["supervised", "css"])
def test_accumulated_gradients_ended_twice_end_as_without(
    import_benchmark: Callable[[str], ModuleType], tmp_path: Path, method: str
) -> None:
    """With augmentation, dropout, bfloat16 and two workers."""
    soak = import_benchmark("soak")
    found = soak.soak(method, workers=2, kills=2, folder=tmp_path, seed=1, iterations=16, accumulate=2)
    assert found["differing"] == []
    assert len(found["kills"]) == 2
    assert found["values"] > 16 * 3
    [first] = (tmp_path / f"{method}-2-accumulated-whole").glob("iter_16.pth")
    other = next(path for path in first.parent.glob("iter_*.pth") if path != first)
    assert all(found[part] != value for part, value in soak.hashes(other).items())
