"""What finished trainings gave: whole and legible, or refused by name before anything is trained."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.cfg_options import parse_options
from mmseg_css.cli.main import run
from mmseg_css.evaluation.areas import load_labels
from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.results import machines_of
from mmseg_css.evaluation.comparison.runs import GIVEN, Run
from tests.configs.helpers import ROOT
from tests.evaluation.finished import finish, finish_all

MEASURED = ROOT / "docs" / "measured"


@pytest.mark.parametrize("missing", GIVEN)
def test_a_record_that_lacks_a_part_is_refused_before_the_first_start(
    missing: str, configs: dict[str, Path], tmp_path: Path
) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish(question.runs(tmp_path / "work")["new"][0], 50.0)
    (tmp_path / "work" / "new_seed0" / missing).unlink()
    with pytest.raises(
        ValueError, match=rf"new_seed0 lacks {missing}, though .*: put back a copy, or delete .*new_seed0, and it"
    ):
        compare(question, tmp_path / "work")
    assert not (tmp_path / "work" / "base_seed0").exists()


@pytest.mark.parametrize(
    ("damaged", "remedy"),
    [
        ("new_seed0/run.json", "put back a copy, or delete {work}/new_seed0, and it is trained again"),
        ("new_seed0/curve.json", "put back a copy, or delete {work}/new_seed0, and it is trained again"),
        ("results.json", "delete it or move it away, and give the command again"),
    ],
)
def test_what_is_damaged_is_named(
    damaged: str, remedy: str, configs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, work)
    compare(question, work)
    (work / damaged).write_text((work / damaged).read_text()[:40])
    named = [f"{name}={path}" for name, path in configs.items()]
    assert run(["compare", *named, "--work-dir", str(work)]) == 1
    said = capsys.readouterr().err
    assert f"error: {work / damaged} is damaged (" in said and remedy.format(work=work) in said


def test_checkpoints_that_nobody_knows_are_not_gone_on_from(configs: dict[str, Path], tmp_path: Path) -> None:
    """They may be of a config as it was before, and would be noted as those of this one."""
    question = Question(configs=configs, seeds=(0,))
    folder = question.runs(tmp_path / "work")["new"][0].folder
    folder.mkdir(parents=True)
    (folder / "iter_400.pth").touch()
    with pytest.raises(ValueError, match=r"new_seed0 holds checkpoints, and no run.json that says of which training"):
        compare(question, tmp_path / "work")


def test_a_folder_with_spaces_reaches_the_training_as_it_is(configs: dict[str, Path], tmp_path: Path) -> None:
    asked = Question(configs={"labels alone": configs["base"]}, seeds=(0,))
    [run] = asked.runs(tmp_path / "my runs")["labels alone"]
    command = run.command()
    given = parse_options(command[command.index("--cfg-options") + 1 :])
    assert given["default_hooks.curve.file"] == str(run.folder / "curve.json")
    assert given["val_evaluator.areas_file"] == str(run.folder / "areas.npz")
    with pytest.raises(ValueError, match="a, b/labels alone_seed0: a comma would part it in two"):
        compare(asked, tmp_path / "a, b")


def test_areas_that_do_not_say_the_truth_are_named(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, tmp_path / "work")
    file = tmp_path / "work" / "new_seed0" / "areas.npz"
    np.savez(file, **{name: array for name, array in np.load(file).items() if name != "label"})
    with pytest.raises(ValueError, match=r"new_seed0/areas.npz lacks the array label, .* delete the folder"):
        compare(question, tmp_path / "work")


def test_the_records_of_the_repository_say_the_truth() -> None:
    """All of one data set the same."""
    for folder in ("demo", "demo_methods"):
        first, *others = (load_labels(str(file)) for file in sorted(MEASURED.glob(f"{folder}/*/areas.npz")))
        assert others and all(np.array_equal(first, other) for other in others)


def test_what_goes_on_elsewhere_notes_where_it_was_before(configs: dict[str, Path], tmp_path: Path) -> None:
    [one] = Question(configs=configs).runs(tmp_path / "work")["new"]
    here, there, third = ({"processor": name, "threads": 1} for name in ("EPYC", "Xeon", "i9"))
    assert one.begin(here) == here
    assert one.begin(there) == there  # nothing had been learned
    (one.folder / "iter_100.pth").touch()
    assert one.begin(third) == {"processor": ["Xeon", "i9"], "threads": 1}
    assert one.begin(here) == {"processor": ["Xeon", "EPYC"], "threads": 1}  # on the third nothing was
    (one.folder / "iter_200.pth").touch()
    assert one.begin(there) == {"processor": ["Xeon", "EPYC"], "threads": 1}


def test_what_was_begun_before_parts_were_noted_is_of_an_unknown_machine(
    configs: dict[str, Path], tmp_path: Path
) -> None:
    [one] = Question(configs=configs).runs(tmp_path / "work")["new"]
    one.begin({})
    noted = json.loads((one.folder / "run.json").read_text())
    del noted["parts"]
    (one.folder / "run.json").write_text(json.dumps(noted))
    (one.folder / "iter_100.pth").touch()
    assert one.begin({"processor": "EPYC"}) == {"processor": ["unknown", "EPYC"]}


def test_trainings_of_two_machines_each_are_no_more_alike(configs: dict[str, Path], tmp_path: Path) -> None:
    runs = Question(configs=configs).runs(tmp_path / "work")
    pair = [runs[name][0] for name in ("base", "new")]
    for one in pair:
        finish(one, 50.0)
        one.finish({"minutes": 2.0, "memory_gib": 1.5, "made_with": {"processor": ["EPYC", "Xeon"]}})
    assert machines_of(*pair)
    for one in pair:
        one.finish({"minutes": 2.0, "memory_gib": 1.5, "made_with": {"processor": "EPYC"}})
    assert not machines_of(*pair)


def test_the_last_checkpoint_is_of_the_last_iteration_and_of_the_same_settings(
    configs: dict[str, Path], tmp_path: Path
) -> None:
    def asked(*options: str) -> Run:
        return Question(configs=configs, options=options).runs(tmp_path / "work", tmp_path / "records")["new"][0]

    one = asked()
    assert one.last_checkpoint() is None
    one.begin({})
    (one.folder / "iter_400.pth").write_text("weights")  # where it was stopped
    assert asked().last_checkpoint() is None
    (one.folder / "iter_800.pth").touch()  # and killed while it wrote
    assert asked().last_checkpoint() is None
    (one.folder / "iter_800.pth").write_text("weights")
    assert asked().last_checkpoint() == one.folder / "iter_800.pth"
    assert asked("val_dataloader.dataset.type=FolderDataset").last_checkpoint() is None
