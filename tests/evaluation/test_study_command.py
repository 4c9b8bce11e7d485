"""mmseg-css study, without a training."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmseg_css.cli.main import run
from mmseg_css.engine import study as calls_of_study
from mmseg_css.engine.study import check_inputs, planned
from mmseg_css.evaluation.comparison.lanes import TrainingFailedError, locked
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.evaluation.comparison.study import Study
from mmseg_css.preparation.study import read_plan

STUDY = """
seeds = [0]
baseline, ceiling = "supervised", "all_labels"
parts = {"a": dict(fraction="1-30", data=["cars"], methods=["css", "sharp"])}
variants = dict(all_labels=dict(method="supervised", labeled=""),
                sharp=dict(method="fixmatch", settings=dict(labeller="student")))
blocks = {}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = [0]\n", "", "lacks seeds: see configs/evidence/study.py"),
        ("settings=dict", "setings=dict", "variants['sharp'] has method, setings: it needs method"),
        ('dict(method="fixmatch"', 'dict(method="fixmach"', "'fixmach' is no method"),
        ('data=["cars"]', 'data=["cars"]', "the labelled list configs/splits/cars/1-30.txt is missing"),
        ('methods=["css", "sharp"]', 'methods=["cssx"]', "'cssx' is no method; there are aided_css, all_labels"),
        ('data=["cars"], ', "", "parts['a'] has or lacks data"),
        (
            'data=["cars"]',
            'data=["cars"], step=9',
            "has or lacks step; it has fraction, data, methods, seeds, steps, of",
        ),
        ('data=["cars"]', 'data=["boats"]', "names the data set 'boats', but"),
        ("blocks = {}", "blocks, lists = {}, dict(cars='a.txt')", "lists['cars'] is 'a.txt', where {fraction} has to"),
        ("blocks = {}", "blocks, lists = {}, dict(cars='x/{fraction}')", "the labelled list x/1-30 is missing"),
    ],
)
def test_a_study_file_is_checked_in_words(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cars.py").write_text("")
    (tmp_path / "study.py").write_text(STUDY.replace(old, new))
    assert run(["study", str(tmp_path / "study.py"), "--work-dir", str(tmp_path / "work"), "--report-only"]) == 1
    assert said in capsys.readouterr().err


def test_an_unknown_part_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cars.py").write_text("")
    (tmp_path / "study.py").write_text(STUDY)
    assert run(["study", str(tmp_path / "study.py"), "--parts", "b", "--work-dir", str(tmp_path / "work")]) == 1
    assert "--parts b: " in capsys.readouterr().err


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The study's file, and the list that it names, in the folder that we are in."""
    (tmp_path / "study.py").write_text(STUDY)
    (tmp_path / "cars.py").touch()
    labelled = tmp_path / "configs" / "splits" / "cars" / "1-30.txt"
    labelled.parent.mkdir(parents=True)
    labelled.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("root", ["", "photographs", "absolute"])
def test_images_are_looked_for_below_the_root_of_their_data_set(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calls_of_study, "check_pretrained", lambda model: None)
    folder = tmp_path / "val" if root == "absolute" else Path(root) / "val"
    prefix = folder if root == "absolute" else "val"
    dataset = {"data_root": "elsewhere" if root == "absolute" else root, "data_prefix": {"img_path": str(prefix)}}
    (tmp_path / "css.py").write_text(f"model = dict()\nval_dataloader = dict(dataset={dataset})\n")
    run_of_it: Any = SimpleNamespace(source=Source(tmp_path / "css.py"))
    with pytest.raises(FileNotFoundError, match=f"{folder} is missing: put the data set there"):
        check_inputs([run_of_it])
    folder.mkdir(parents=True)
    check_inputs([run_of_it])


def test_a_study_is_reported_while_it_trains(at_home: Path) -> None:
    """It only reads; what a training is about to read is not changed meanwhile."""
    plan, folders = read_plan(Path("study.py")), (Path("work"), Path("work/records"))
    study = planned(plan, (), *folders)
    with locked(Path("work")):
        assert planned(plan, (), *folders) == study
        (at_home / "study.py").write_text(STUDY.replace("student", "teacher"))
        with pytest.raises(RuntimeError, match="another comparison is at work in work"):
            planned(read_plan(Path("study.py")), (), *folders)


@pytest.mark.usefixtures("at_home")
def test_a_training_that_fails_costs_no_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TrainingFailedError("one of them failed")

    def say(study: Study, runs: object, records: Path) -> None:
        records.mkdir(parents=True)
        (records / "study.md").write_text("what is finished")

    for name, stands_in in (
        ("check_records", lambda _: None),
        ("in_order", lambda _: []),
        ("train", fail),
        ("report", say),
    ):
        monkeypatch.setattr(calls_of_study, name, stands_in)
    assert run(["study", "study.py", "--work-dir", "work"]) == 1
    said = capsys.readouterr()
    assert "what is finished" in said.out and "error: one of them failed" in said.err
