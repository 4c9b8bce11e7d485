"""mmseg-css compare, with trainings of four iterations."""

import json
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison import Question, compare
from tests.trained import MakeConfig


def test_trains_side_by_side_and_goes_on_inside_a_run(make_config: MakeConfig, tmp_path: Path) -> None:
    question = Question(
        configs={
            "base": make_config("compared-base"),
            "css": make_config("compared-css"),
        },
        evaluations=2,
    )
    results = compare(question, tmp_path, jobs=2)
    assert [point["iteration"] for point in results["methods"]["css"]["curves"][0]] == [2, 4]
    assert results["methods"]["css"]["memory_gib"] > 0.1
    assert (tmp_path / "results.md").exists()

    # As if it had been stopped after the second iteration: it goes on from there, and its curve is whole.
    [run] = question.runs(tmp_path)["css"]
    (run.folder / "iter_4.pth").unlink()
    (run.folder / "last_checkpoint").write_text(str(run.folder / "iter_2.pth"))
    run.begin({})
    before = json.loads((run.folder / "curve.json").read_text())
    output = len((run.folder / "output.txt").read_text())
    again = compare(question, tmp_path, jobs=2)
    assert "training goes on from" in (run.folder / "output.txt").read_text()[output:]
    after = json.loads((run.folder / "curve.json").read_text())
    assert [point["iteration"] for point in after] == [2, 4]
    assert after[0]["minutes"] < after[1]["minutes"]
    assert [point["mIoU"] for point in after] == [point["mIoU"] for point in before]  # resuming is exact
    assert again["methods"]["css"]["mIoU"] == results["methods"]["css"]["mIoU"]

    found = compare(question, tmp_path, jobs=2, balance=True)
    unbalanced = {name: method["mIoU"] for name, method in found["balanced"]["0"].items()}
    assert unbalanced == {name: pytest.approx(method["mIoU"]) for name, method in found["methods"].items()}
    assert [*found["balanced"]] == ["0", "0.25", "0.5", "0.75", "1", "best"]
