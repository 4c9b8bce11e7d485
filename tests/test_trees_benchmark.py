"""What `benchmarks/trees.py` reads in the log of a training."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType


def test_first_steps_and_evaluations_do_not_count(
    import_benchmark: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    trees = import_benchmark("trees")
    slow, steps = [9.0] * trees.WARM_UP, [0.1, 0.3, 0.2]
    rows = [{"time": seconds, "loss": 1.0} for seconds in slow + steps] + [{"mIoU": 50.0, "time": 7.0}]
    log = tmp_path / "scalars.json"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert trees.step_of(log) == 0.2
