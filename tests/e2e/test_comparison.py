"""mmseg-css compare and study, with trainings of four iterations."""

import json
from pathlib import Path

from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.study import Study, report, train
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


def test_a_study_trains_and_reports_and_is_not_trained_again(make_config: MakeConfig, tmp_path: Path) -> None:
    configs = {name: make_config(f"study-{name}") for name in ("base", "all", "css")}
    study = Study(parts={"few": {"shapes": configs}}, ceiling="all", seeds={"few": (0,)}, blocks={})
    runs = study.runs(tmp_path / "work", tmp_path / "records")
    train(runs, tmp_path / "work", tmp_path / "records", jobs=2)
    found = report(study, runs, tmp_path / "records")["parts"]["few"]
    assert (found["baseline"], found["methods"]["css"]["pairs"]) == ("base", 1)
    elsewhere = study.runs(tmp_path / "another machine", tmp_path / "records")
    assert all(run.finished() for own in elsewhere["few"]["shapes"].values() for run in own)
    assert report(study, elsewhere, tmp_path / "records")["parts"]["few"] == found
