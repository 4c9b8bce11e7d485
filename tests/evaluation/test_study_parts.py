"""mmseg-css study with some of its parts and other seeds than its own, without a training."""

import json
from pathlib import Path

import pytest

from mmseg_css.cli.main import run
from mmseg_css.engine import study as calls_of_study
from mmseg_css.evaluation.comparison.lanes import TrainingFailedError
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.evaluation.comparison.study import in_order
from mmseg_css.locations import CONFIGS
from tests.evaluation.finished import finish

STUDY = """
seeds = [0]
baseline, ceiling = "supervised", "all_labels"
parts = {name: dict(fraction=name, data=["cars"], methods=["fixmatch"]) for name in ("1-30", "1-8")}
variants = dict(all_labels=dict(method="supervised", labeled=""))
blocks = {}
"""
CALL = ["study", "study.py", "--work-dir", "work", "--records", "records"]


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The study's file and a data set, of which only the shorter list is there."""
    (tmp_path / "study.py").write_text(STUDY)
    shared = (CONFIGS / "evidence" / "camvid.py").read_text()
    (tmp_path / "cars.py").write_text(shared.replace("../_base_", (CONFIGS / "_base_").as_posix()))
    lists = tmp_path / "configs" / "splits" / "cars"
    lists.mkdir(parents=True)
    (lists / "1-30.txt").touch()
    monkeypatch.chdir(tmp_path)


def finish_seed(seed: int, part: str = "1-30") -> None:
    for name, folder in (("supervised", f"cars_{part}"), ("fixmatch", f"cars_{part}"), ("all_labels", "cars")):
        place = Path(folder) / f"{name}_seed{seed}"
        source = Source(Path("work/configs", folder, f"{name}.py"))
        finish(Run(name=name, source=source, seed=seed, folder="work" / place, record="records" / place), 50.0, 11)


def reported(part: str = "1-30") -> list[int]:
    return json.loads(Path("records/study.json").read_text())["parts"][part]["methods"]["fixmatch"]["seeds"]["cars"]


def test_a_part_needs_no_lists_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*CALL, "--report-only", "--parts", "1-30"]) == 0
    assert run([*CALL, "--report-only"]) == 1
    assert "the labelled list configs/splits/cars/1-8.txt is missing" in capsys.readouterr().err


def test_seeds_that_were_asked_for_once_stay_in_the_report() -> None:
    """Those of the study file, and those beside it."""
    call = [*CALL, "--report-only", "--parts", "1-30"]
    assert run(call) == 0
    for seed in (0, 3, 5):
        finish_seed(seed)
    assert run([*call, "--seeds", "3"]) == 0
    assert reported() == [0, 3]
    assert run(call) == 0
    assert reported() == [0, 3]  # nobody asked for 5, which another part may have


def test_a_stale_record_of_another_part_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*CALL, "--report-only", "--parts", "1-30"]) == 0  # writes the configs
    finish_seed(0, "1-8")
    monkeypatch.setattr(calls_of_study, "train", lambda *_, **__: pytest.fail("trained"))
    file = Path("records/cars_1-8/fixmatch_seed0/run.json")
    noted = json.loads(file.read_text())
    noted["settings"]["config_sha256"] = "that of another config"
    file.write_text(json.dumps(noted))
    assert run([*CALL, "--parts", "1-30"]) == 1
    assert "records/cars_1-8/fixmatch_seed0 holds a run of another config" in capsys.readouterr().err


def test_what_is_asked_for_is_trained_and_configs_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    trained: list[Run] = []
    settings_of = Source.read_settings
    monkeypatch.setattr(Source, "read_settings", lambda source: read.append(source.path) or settings_of(source))
    monkeypatch.setattr(calls_of_study, "look_ahead", lambda *_, **__: None)
    monkeypatch.setattr(calls_of_study, "train", lambda runs, *_, **__: trained.extend(in_order(runs)))
    assert run([*CALL, "--parts", "1-30", "--seeds", "3", "1"]) == 0
    assert [one.seed for one in trained] == [3, 3, 3, 1, 1, 1]
    assert {one.folder.parent.name for one in trained} == {"cars", "cars_1-30"}
    assert len(read) == len({*read}) == 5  # two methods on each list, and the ceiling


def test_a_failed_training_is_told_where_the_rest_cannot_be_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TrainingFailedError("one of them failed")

    def refuse(*_: object) -> None:
        raise ValueError("other masks")

    monkeypatch.setattr(calls_of_study, "look_ahead", lambda *_, **__: None)
    monkeypatch.setattr(calls_of_study, "train", fail)
    monkeypatch.setattr(calls_of_study, "report", refuse)
    assert run([*CALL, "--parts", "1-30"]) == 1
    said = capsys.readouterr().err
    assert "error: one of them failed\n" in said and "error: other masks\n" in said
