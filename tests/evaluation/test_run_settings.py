"""Which trainings of a comparison are the same one, and which may be compared."""

import json
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison.compare import Question, compare
from tests.evaluation.finished import CONFIG, finish, finish_all

LISTED = CONFIG + "train_dataloader = dict(dataset=dict(labeled=dict(data_root={root!r}, ann_file='list.txt')))\n"


def test_a_run_of_other_settings_is_not_taken_for_this_one(configs: dict[str, Path], tmp_path: Path) -> None:
    finish_all(Question(configs=configs), tmp_path / "work")
    with pytest.raises(ValueError, match="another config, seed or image list"):
        compare(Question(configs=configs, options=("train_cfg.max_iters=100",)), tmp_path / "work")
    configs["new"].write_text(CONFIG + "load_from = 'x'\n")
    with pytest.raises(ValueError, match=r"new_seed0 holds a run of another config"):
        compare(Question(configs=configs), tmp_path / "work")


def test_an_end_that_the_schedule_has_anyway_is_no_other_setting(tmp_path: Path) -> None:
    """MMEngine lets one without an end end with the training."""
    found = []
    for number, said in enumerate(("", ", begin=0, end=100", ", end=50")):
        config = tmp_path / f"{number}.py"
        config.write_text(
            f"{CONFIG}train_cfg = dict(max_iters=100)\nparam_scheduler = [dict(type='PolyLR', by_epoch=False{said})]\n"
        )
        [run] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
        found.append(run.settings["config_sha256"])
    assert found[0] == found[1] != found[2]


def test_other_labelled_images_are_another_run(tmp_path: Path) -> None:
    """Whoever labels more images, under the same name of the list, has other trainings."""
    config, listed = tmp_path / "a.py", tmp_path / "list.txt"
    config.write_text(LISTED.format(root=str(tmp_path)))
    listed.write_text("first\n")
    finish(Question(configs={"a": config}).runs(tmp_path / "work")["a"][0], 50.0)
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()
    listed.write_text("first\nsecond\n")
    with pytest.raises(ValueError, match=r"a_seed0 holds a run of another config.*\(.*list\.txt\)"):
        Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()


def test_other_images_in_a_list_that_an_option_names_are_another_run(tmp_path: Path) -> None:
    """It counts in the place of the config's; the config is the same, so that records of before stay valid."""
    config, listed, own = tmp_path / "a.py", tmp_path / "list.txt", tmp_path / "own.txt"
    config.write_text(LISTED.format(root=str(tmp_path)))
    listed.write_text("first\n")
    own.write_text("second\n")
    question = Question(configs={"a": config}, options=(f"train_dataloader.dataset.labeled.ann_file={own}",))
    [one] = question.runs(tmp_path / "work")["a"]
    [plain] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
    assert one.settings["config_sha256"] == plain.settings["config_sha256"]
    finish(one, 50.0)
    listed.write_text("other\n")  # which this training does not read
    assert question.runs(tmp_path / "work")["a"][0].finished()
    own.write_text("second\nthird\n")
    with pytest.raises(ValueError, match=r"a_seed0 holds a run of another config.*\(.*own\.txt\)"):
        question.runs(tmp_path / "work")["a"][0].finished()


def test_more_images_in_a_folder_without_a_list_are_another_run(tmp_path: Path) -> None:
    config, images = tmp_path / "a.py", tmp_path / "images"
    config.write_text(
        CONFIG + f"train_dataloader = dict(dataset=dict(unlabeled=dict(data_prefix=dict(img_path={str(images)!r}))))\n"
    )
    (images / "drive").mkdir(parents=True)
    (images / "drive" / "first.jpg").touch()
    [one] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
    finish(one, 50.0)
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()
    (images / "drive" / "second.jpg").touch()
    with pytest.raises(ValueError, match=r"a_seed0 holds a run of another config.*\(.*images\)"):
        Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()
    noted = json.loads((one.folder / "run.json").read_text())
    noted["settings"]["lists_sha256"] = {}  # as of records of before
    (one.folder / "run.json").write_text(json.dumps(noted))
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()


@pytest.mark.parametrize(("name", "place"), [("own_module", "own_module.py"), ("own_package", "own_package/losses.py")])
def test_code_of_ones_own_that_was_edited_makes_another_run(
    name: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module, or a file of a package, that the config imports."""
    monkeypatch.syspath_prepend(tmp_path)
    code = tmp_path / place
    code.parent.mkdir(exist_ok=True)
    if code.parent != tmp_path:
        (code.parent / "__init__.py").touch()
    code.write_text("weight = 1\n")
    config = tmp_path / "a.py"
    config.write_text(CONFIG + f"custom_imports = dict(imports=[{name!r}])\n")
    finish(Question(configs={"a": config}).runs(tmp_path / "work")["a"][0], 50.0)
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()
    code.write_text("weight = 2\n")
    with pytest.raises(ValueError, match=rf"a_seed0 holds a run of another config.*\({name}\)"):
        Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()


def test_records_count_where_the_data_are_not(tmp_path: Path) -> None:
    config, listed = tmp_path / "a.py", tmp_path / "list.txt"
    config.write_text(LISTED.format(root=str(tmp_path)))
    listed.write_text("first\n")
    finish(Question(configs={"a": config}).runs(tmp_path / "work")["a"][0], 50.0)
    listed.unlink()
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished()


def test_records_that_knew_no_lists_still_count(tmp_path: Path) -> None:
    config = tmp_path / "a.py"
    config.write_text(CONFIG)
    [one] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
    finish(one, 50.0)
    noted = json.loads((one.folder / "run.json").read_text())
    del noted["settings"]["lists_sha256"]
    (one.folder / "run.json").write_text(json.dumps(noted))
    assert one.finished()


def test_trainings_of_other_lengths_are_told(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, tmp_path / "work")
    path = question.runs(tmp_path / "work")["new"][0].folder / "curve.json"
    path.write_text(path.read_text().replace("800", "900"))
    results = compare(question, tmp_path / "work")
    assert results["methods"]["new"]["iterations"] == 900
    assert "Lengths differ: base 800 iterations, new 900 iterations" in (tmp_path / "work" / "results.md").read_text()
