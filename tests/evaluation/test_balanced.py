"""Comparisons and studies whose networks are also evaluated with their classes balanced."""

import json
import re
import shutil
import sys
from itertools import product
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison import Question, balanced, compare
from mmseg_css.evaluation.comparison.lanes import Lanes, TrainingFailedError
from mmseg_css.evaluation.comparison.results import summarise
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.study import Study, report
from mmseg_css.evaluation.comparison.tables import tables
from tests.evaluation import studies
from tests.evaluation.finished import FAILS, MIOU, finish_all

WRITES = """
import json, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(json.dumps({"strengths": {"0": {"mIoU": float(sys.argv[2])}}}))
"""
#: What half of the strength adds to the mIoU of each method, by seed.
ADDED = {"base": (3.0, 4.0, 5.0), "new": (1.0, 1.5, 2.0)}


def note(run: Run, miou: dict[str, float]) -> None:
    strengths = {strength: {"mIoU": value, "mAcc": 60.0, "aAcc": 80.0} for strength, value in miou.items()}
    (run.record / balanced.NAME).write_text(json.dumps({"strengths": strengths}))


@pytest.fixture
def question(configs: dict[str, Path], tmp_path: Path) -> Question:
    for config in configs.values():
        config.write_text(config.read_text() + "test_dataloader = val_dataloader\n")
    asked = Question(configs=configs, seeds=(0, 1, 2), ceiling="all")
    finish_all(asked, tmp_path)
    return asked


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that were balanced, of which "all" has no checkpoints here; "new" with seed 1 is seen on other images, and
    with seed 2 refused."""
    found: list[str] = []

    def command(run: Run, checkpoint: Path) -> list[str]:
        found.append(f"{run.name}{run.seed}")
        assert checkpoint == run.folder / "iter_800.pth"
        miou = 0.0 if found[-1] == "new1" else MIOU[run.name][run.seed]
        return [
            sys.executable,
            "-c",
            FAILS if found[-1] == "new2" else WRITES,
            str(run.record / balanced.NAME),
            str(miou),
        ]

    monkeypatch.setattr(balanced, "command", command)
    monkeypatch.setattr(Run, "last_checkpoint", lambda run: None if run.name == "all" else run.folder / "iter_800.pth")
    return found


def test_methods_are_compared_at_equal_strength(question: Question, tmp_path: Path) -> None:
    runs = question.runs(tmp_path)
    for name, own in ADDED.items():
        for run, miou, added in zip(runs[name], MIOU[name], own, strict=True):
            note(run, {"0": miou, "0.5": miou + added})
    results = summarise(runs, ceiling="all")
    assert [*results["balanced"]] == ["0", "0.5"]
    base, new = (results["balanced"]["0.5"][name] for name in ("base", "new"))
    assert base == {"mIoU": pytest.approx(45), "mIoU_per_seed": pytest.approx([43, 45, 47])}
    # 8, 8.5 and 6 points above the baseline: their variance is 1.75, Student's quantile of two degrees 4.3027.
    assert new["gain"]["mean"] == pytest.approx(7.5)
    half = 4.3027 * (1.75 / 3) ** 0.5
    assert new["gain"]["interval"] == pytest.approx([7.5 - half, 7.5 + half], abs=1e-3)
    assert new["gain"]["p_seeds_holm"] == pytest.approx(new["gain"]["p_seeds"])  # one method
    assert results["balanced"]["0"]["new"]["gain"]["mean"] == pytest.approx(results["methods"]["new"]["gain"]["mean"])
    assert "all" not in results["balanced"]["0"]
    p_0, p_half = (results["balanced"][strength]["new"]["gain"]["p_seeds_holm"] for strength in ("0", "0.5"))
    [row] = [line for line in tables(results, markdown=True).splitlines() if f"52.5, +7.5 ({p_half:.4f})" in line]
    assert f"51.0, +10.0 ({p_0:.4f})" in row and row.startswith("| new")
    of_table = tables(results, markdown=True).partition("| strength")[2].partition("\n\n")[0]
    assert "| all" not in of_table and "| base" in of_table  # no row without a figure


def test_a_method_counts_where_all_of_its_seeds_are_known(question: Question, tmp_path: Path) -> None:
    runs = question.runs(tmp_path)
    assert summarise(runs)["balanced"] == {}
    assert "strength" not in tables(summarise(runs))
    for run, miou in zip(runs["new"], MIOU["new"], strict=True):
        note(run, {"0": miou, "1": miou + 1})
    note(runs["base"][0], {"0": MIOU["base"][0], "1": 50.0})
    found = summarise(runs)["balanced"]["1"]
    assert found == {"new": {"mIoU": pytest.approx(52), "mIoU_per_seed": pytest.approx([51, 53, 52])}}


def test_what_is_of_other_images_is_refused(question: Question, tmp_path: Path) -> None:
    run = question.runs(tmp_path)["base"][0]
    note(run, {"0": MIOU["base"][0] + 0.2, "0.5": 44.0})
    with pytest.raises(ValueError, match=r"balance.json: at strength 0 it has an mIoU of 40.2, .* ended with 40.00"):
        balanced.worth(run, MIOU["base"][0])
    note(run, {"0.5": 44.0})
    with pytest.raises(ValueError, match=r"balance.json: at strength 0 it has an mIoU of None"):
        balanced.worth(run, MIOU["base"][0])
    note(run, {"0": MIOU["base"][0] + 0.05, "0.5": 44.0})  # another processor
    assert balanced.worth(run, MIOU["base"][0])["0.5"] == 44


def test_over_data_sets(study: Study, tmp_path: Path) -> None:
    studies.finish_part(study, tmp_path, "few")
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    added = {"x": {"base": (2.0, 4.0), "new": (1.0, 1.0)}, "y": {"base": (1.0, 1.0), "new": (2.0, 0.0)}}
    for data, name, seed in product(added, ADDED, (0, 1)):
        miou = studies.MIOU[data][name][seed]
        note(runs["few"][data][name][seed], {"0": miou, "0.5": miou + added[data][name][seed]})
    found = report(study, runs, records)["parts"]["few"]["balanced"]
    new, base = found["0.5"]["new"], found["0.5"]["base"]
    assert new["gains"] == {"x": pytest.approx([9, 9]), "y": pytest.approx([3, 3])}
    assert new["gain"]["mean"] == pytest.approx(6)
    assert new["gain"]["p"] == new["gain"]["p_holm"] == pytest.approx(2 / 16)  # all four are positive
    assert base["gains"] == {"x": pytest.approx([2, 4]), "y": pytest.approx([1, 1])}
    assert base["gain"]["mean"] == pytest.approx((3 + 1) / 2)
    assert [*found["0"]] == ["new"] and found["0"]["new"]["gain"]["mean"] == pytest.approx(7)
    lines = (records / "study.md").read_text().splitlines()
    [row] = [line for line in lines if line.startswith("| new") and "+6.0 (0.1250)" in line]
    assert [cell.strip() for cell in row.strip("|").split("|")][:4] == ["new", "4", "+7.0 (0.1250)", "+6.0 (0.1250)"]


def test_each_training_at_its_best_strength(question: Question, tmp_path: Path) -> None:
    runs = question.runs(tmp_path)
    for run, miou in zip(runs["base"], MIOU["base"], strict=True):
        note(run, {"0": miou, "0.25": miou + 1, "0.5": miou + 5, "0.75": miou + 2, "1": miou + 1, "2": miou + 9})
    for run, miou in zip(runs["new"], MIOU["new"], strict=True):
        note(run, {"0": miou, "0.25": miou - 1, "0.5": miou - 1, "0.75": miou - 2, "1": miou - 2})
    found = summarise(runs, ceiling="all")["balanced"]
    assert [*found] == [*balanced.TRIED, "2", "best"] == ["0", "0.25", "0.5", "0.75", "1", "2", "best"]
    # Of the strengths that are tried on all.
    assert found["best"]["base"] == found["0.5"]["base"] and found["best"]["new"]["mIoU"] == found["0"]["new"]["mIoU"]
    assert found["best"]["new"]["gain"]["mean"] == pytest.approx(5)
    assert found["0"]["new"]["gain"]["mean"] == pytest.approx(10)


def test_each_once_and_one_that_fails_costs_no_other(
    question: Question, begun: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingFailedError) as failed:
        compare(question, tmp_path, records=tmp_path / "kept", jobs=2, balance=True)
    [other, refused] = sorted(str(failed.value).splitlines())
    assert re.search(
        r"new.py with seed 1 could not be balanced: ValueError: .* mIoU of 0.0, .* ended with 52.00", other
    )
    assert re.search(r"new.py with seed 2 could not be balanced: out of luck \(all of it in ", refused)
    assert begun == [f"{name}{seed}" for seed in (0, 1, 2) for name in ("base", "new")]
    said = capsys.readouterr().out
    assert "last checkpoints are not here: all with seed 0, all with seed 1, all with seed 2" in said
    assert [*json.loads((tmp_path / "kept" / "results.json").read_text())["balanced"]["0"]] == ["base"]

    begun.clear()
    with pytest.raises(TrainingFailedError):
        Lanes(1).balance(question.runs(tmp_path, tmp_path / "kept")["new"])
    assert begun == ["new1", "new2"]


def test_a_training_that_fails_leaves_the_others_to_be_balanced(
    question: Question, begun: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "command", lambda _: [sys.executable, "-c", FAILS])
    lost = question.runs(tmp_path)["new"][1]
    shutil.rmtree(lost.folder)
    with pytest.raises(TrainingFailedError, match=r"new.py with seed 1 failed: out of luck.*\n.*seed 2 could not be"):
        compare(question, tmp_path, balance=True)
    assert begun == ["base0", "new0", "base1", "base2", "new2"]


def test_other_test_images_are_refused_before_the_first_start(question: Question, tmp_path: Path) -> None:
    config = question.configs["new"]
    config.write_text(
        config.read_text() + "test_dataloader = dict(dataset=dict(type='DemoDataset', ann_file='a.txt'))\n"
    )
    runs = [run for own in question.runs(tmp_path / "elsewhere").values() for run in own]
    with pytest.raises(
        ValueError, match=r"new.py: --balance evaluates on test_dataloader, .* another dataset.ann_file"
    ):
        balanced.check_images(runs)


def test_where_baseline_or_method_is_not_known_there_is_no_gain(study: Study, tmp_path: Path) -> None:
    studies.finish_part(study, tmp_path, "few")
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    note(runs["few"]["x"]["new"][0], {"0": studies.MIOU["x"]["new"][0], "0.5": 55.0})
    found = report(study, runs, records)["parts"]["few"]
    assert found["balanced"] == {} and "strength" not in (records / "study.md").read_text()
