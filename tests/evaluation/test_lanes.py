"""Trainings side by side: what fails, what is stopped, and what goes on."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.lanes import Lanes, TrainingFailedError, ended_in_order
from mmseg_css.evaluation.comparison.runs import Run
from tests.evaluation.finished import CONFIG, FAILS, GIVES


def test_no_training_is_started_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as windows, pytest.raises(RuntimeError, match="this is Windows.*WSL"):
        windows.setattr("os.name", "nt")
        with ended_in_order():
            pytest.fail("a training would start")


def test_a_failing_training_is_not_taken_for_finished(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text(CONFIG)
    with pytest.raises(RuntimeError, match=r"config.py with seed 0 failed: .*error: .*output.txt"):
        compare(Question(configs={"base": config}), tmp_path / "work")
    assert Question(configs={"base": config}).runs(tmp_path / "work")["base"][0].finished() is None


def test_what_was_not_evaluated_at_its_end_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop of MMEngine's own that was killed in its last evaluation ends at once when it goes on."""
    config = tmp_path / "a.py"
    config.write_text(CONFIG)
    [one] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
    one.folder.mkdir(parents=True)
    (one.folder / "curve.json").write_text(json.dumps([{"iteration": 400, "minutes": 1.0, "mIoU": 30.0}]))
    monkeypatch.setattr(Run, "command", lambda _: [sys.executable, "-c", ""])
    with pytest.raises(RuntimeError, match="evaluated after 400 of 800 iterations last"):
        Lanes(1).train([one], lambda _: None, lambda: None)
    assert one.finished() is None


def test_a_config_that_changes_while_its_training_waits(tmp_path: Path) -> None:
    config = tmp_path / "a.py"
    config.write_text(CONFIG)
    [one] = Question(configs={"a": config}).runs(tmp_path / "work")["a"]
    assert one.settings  # as when the trainings were queued
    config.write_text(CONFIG + "load_from = 'x'\n")
    with pytest.raises(RuntimeError, match="was changed while this training waited"):
        Lanes().train([one], lambda run: None, lambda: None)
    assert one.finished() is None
    assert Question(configs={"a": config}).runs(tmp_path / "work")["a"][0].finished() is None  # and not refused


ENDED = """
import sys
from pathlib import Path
from mmseg_css.evaluation.comparison import machine
from mmseg_css.evaluation.comparison.lanes import Lanes
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source

class Fake(Run):
    iterations = 8
    def command(self):
        wait = "import signal, sys, time; signal.signal(15, lambda *_: (print('saved', flush=True), sys.exit(143)))"
        return [sys.executable, "-c", wait + "; print('at work', flush=True); time.sleep(60)"]

folder = Path(sys.argv[1])
source = Source(folder / "a.py")
runs = [Fake(name="a", source=source, seed=seed, folder=folder / str(seed), record=folder) for seed in (0, 1)]
Lanes(jobs=2).train(runs, print, lambda: None)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_ends_a_comparison_ends_its_trainings(number: int, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CONFIG)
    outputs = [tmp_path / str(seed) / "output.txt" for seed in (0, 1)]
    process = subprocess.Popen(
        [sys.executable, "-c", ENDED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Also where the tests run under nohup, or in the background of a shell.
        preexec_fn=lambda: signal.signal(
            number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        ),
    )
    deadline = time.monotonic() + 120
    while not all(output.exists() and "at work" in output.read_text() for output in outputs):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=30) == (-number if number == signal.SIGINT else 128 + number)
    assert all("saved" in output.read_text() for output in outputs)
    assert process.stdout is not None and b"the same command goes on" in process.stdout.read()


def test_what_is_killed_is_told_so(configs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not what it, or an earlier attempt, printed last."""
    kills = "import os, signal; print('Iter 5', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    run = Question(configs=configs, seeds=(0,)).runs(tmp_path / "work")["new"][0]
    for code, said in (
        (kills, r"failed: it was ended by SIGKILL \(.*fewer --jobs\)"),
        ("raise SystemExit(1)", "failed: it printed nothing"),
    ):
        monkeypatch.setattr(Run, "command", lambda _, code=code: [sys.executable, "-c", code])
        with pytest.raises(TrainingFailedError, match=said):
            Lanes().train([run], print, lambda: None)


@pytest.mark.usefixtures("quick")
def test_one_that_fails_costs_no_other_its_result(
    configs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are trained, and the seed that all have is reported."""
    question = Question(configs=configs, seeds=(0, 1), ceiling="all")
    with pytest.raises(TrainingFailedError, match=r"new.py with seed 1 failed: out of luck"):
        compare(question, tmp_path / "work", jobs=2)
    done = {name: [run.finished() is not None for run in own] for name, own in question.runs(tmp_path / "work").items()}
    assert done == {"base": [True, True], "new": [True, False], "all": [True, True]}
    results = json.loads((tmp_path / "work" / "results.json").read_text())
    assert (results["seeds"], [*results["methods"]]) == ([0], ["base", "new", "all"])
    assert "by seed" in capsys.readouterr().out


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Names and seeds of trainings that fail; none takes time."""
    failing: set[tuple[str, int]] = set()
    monkeypatch.setattr(
        Run,
        "command",
        lambda run: [sys.executable, "-c", FAILS if (run.name, run.seed) in failing else GIVES, str(run.folder)],
    )
    return failing


@pytest.mark.parametrize(
    ("lacks", "seeds", "methods"),
    [
        ({("new", 2)}, [0, 1], ["base", "all", "new"]),  # the seeds in common
        ({("new", 0), ("new", 1), ("new", 2)}, [0, 1, 2], ["base", "all"]),  # and not what has none
        ({("base", 0), ("new", 1), ("new", 2)}, [1, 2], ["base", "all"]),
    ],
)
def test_the_seeds_in_common_are_reported(
    failing: set,
    lacks: set,
    seeds: list[int],
    methods: list[str],
    configs: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing |= lacks
    named = {name: configs[name] for name in ("base", "all", "new")}
    with pytest.raises(TrainingFailedError):
        compare(Question(configs=named, seeds=(0, 1, 2)), tmp_path / "work")
    results = json.loads((tmp_path / "work" / "results.json").read_text())
    assert (results["seeds"], [*results["methods"]]) == (seeds, methods)
    absent = "Not in the results, for want of a finished seed in common with the others: new\n"
    assert (absent in capsys.readouterr().out) == ("new" not in methods)


def test_a_failed_training_is_told_where_the_others_cannot_be_compared(
    failing: set, configs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.add(("new", 1))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "results.json").write_text("{")
    with pytest.raises(ValueError, match=r"results.json is damaged"):
        compare(Question(configs=configs, seeds=(0, 1)), tmp_path / "work")
    assert "new.py with seed 1 failed: out of luck" in capsys.readouterr().err


def config_is_gone(run: Run) -> None:
    run.source.path.unlink()


def record_is_no_folder(run: Run) -> None:
    run.record.parent.mkdir()
    run.record.touch()


def curve_is_missing(run: Run) -> None:
    object.__setattr__(run, "command", lambda: [sys.executable, "-c", ""])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (config_is_gone, "FileNotFoundError: there is no config"),
        (record_is_no_folder, "FileExistsError:"),
        (curve_is_missing, "FileNotFoundError: .*curve.json"),
    ],
)
def test_whatever_went_wrong_the_other_lanes_go_on(
    fault: Callable[[Run], None], said: str, configs: dict[str, Path], tmp_path: Path
) -> None:
    runs = Question(configs=configs, seeds=(0,)).runs(tmp_path / "work", tmp_path / "records")
    [faulty], [good] = runs["base"], runs["new"]
    assert faulty.settings and faulty.iterations == 800  # read before the fault
    fault(faulty)
    with pytest.raises(TrainingFailedError, match=rf"base.py with seed 0 failed: {said}"):
        Lanes(2).train([faulty, good], lambda _: None, lambda: None)
    assert good.finished() is not None


@pytest.mark.usefixtures("quick")
def test_a_config_that_was_wrong_can_be_corrected(configs: dict[str, Path], tmp_path: Path) -> None:
    """What failed before its first checkpoint has learned nothing that another config could be mixed with."""

    def again() -> Run:
        return Question(configs=configs, seeds=(1,)).runs(tmp_path / "work")["new"][0]

    for line in ("", "load_from = 'x'\n"):
        configs["new"].write_text(CONFIG + line)
        with pytest.raises(TrainingFailedError, match="out of luck"):
            Lanes().train([again()], lambda _: None, lambda: None)
    configs["new"].write_text(CONFIG)
    (again().folder / "iter_100.pth").touch()
    with pytest.raises(ValueError, match="holds a run of another config"):
        again().finished()


def test_what_was_trained_before_is_not_to_be_made(configs: dict[str, Path], tmp_path: Path) -> None:
    [one] = Question(configs=configs).runs(tmp_path / "work")["new"]
    assert one.steps_left == 800
    one.begin({})
    for name in ("iter_100.pth", "iter_300.pth"):
        (one.folder / name).touch()
    assert one.steps_left == 500


@pytest.mark.usefixtures("quick")
def test_what_goes_on_here_notes_where_it_was_before(configs: dict[str, Path], tmp_path: Path) -> None:
    [one] = Question(configs=configs).runs(tmp_path / "work", tmp_path / "records")["new"]
    one.begin({"processor": "another", "threads": 1})
    (one.folder / "iter_400.pth").touch()
    Lanes().train([one], lambda _: None, lambda: None)
    processors = one.made_with()["processor"]
    assert isinstance(processors, list) and processors[0] == "another" and len(processors) == 2


@pytest.mark.usefixtures("quick")
def test_results_of_other_methods_are_kept(configs: dict[str, Path], tmp_path: Path) -> None:
    def ask(*names: str, seeds: tuple[int, ...]) -> dict:
        return compare(Question(configs={name: configs[name] for name in names}, seeds=seeds), tmp_path / "work")

    first = ask("base", "new", seeds=(0,))
    ask("base", "new", "all", seeds=(0,))  # which holds the first
    assert not list((tmp_path / "work").glob("*.~*"))
    last = ask("base", "all", seeds=(0, 1))
    assert json.loads((tmp_path / "work" / "results.json").read_text()) == last
    kept = json.loads((tmp_path / "work" / "results.json.~1~").read_text())
    assert [*kept["methods"]] == ["base", "new", "all"] and first["methods"]["new"] == kept["methods"]["new"]
    assert (tmp_path / "work" / "results.md.~1~").exists()
