"""What `benchmarks/negative_sampling.py` writes, and that its cases run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.mark.parametrize("form", ["naive", "drawn", "all"])
def test_every_form_runs(import_benchmark: Callable[[str], ModuleType], form: str) -> None:
    import_benchmark("negative_sampling").case(form, pixels=128, anchors_per_image=4, num_negatives=5)()


def test_the_file_has_what_was_asked_for(
    import_benchmark: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    benchmark = import_benchmark("negative_sampling")

    def quadratic(case: object, form: str, pixels: int, *_: int, repeats: int) -> tuple[float, float]:
        return pixels**2 * 1e-6, 7.0 * repeats

    monkeypatch.setattr(benchmark, "measure_alone", quadratic)
    file = tmp_path / "new" / "results.json"
    arguments = ["--pixels", "100", "1000", "100000", "--repeats", "2", "--json", str(file)]
    monkeypatch.setattr(sys, "argv", ["negative_sampling.py", *arguments])
    benchmark.main()
    results = json.loads(file.read_text())
    assert results["slope"] == pytest.approx(2)
    first, _, last = results["rows"]
    assert {key: first[key] for key in ("pixels", "naive_s", "ours_s", "naive_mib", "ours_mib")} == {
        "pixels": 100,
        "naive_s": pytest.approx(0.01),
        "ours_s": pytest.approx(0.01),
        "naive_mib": 14.0,
        "ours_mib": 14.0,
    }
    # The matrix is not tried where it cannot fit.
    assert last["naive_s"] is None and last["ours_s"] > 0
