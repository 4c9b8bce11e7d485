"""How long a comparison still takes, by what its trainings print."""

from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mmseg_css.evaluation.comparison import progress
from mmseg_css.evaluation.comparison.progress import Board, _tail, in_words
from mmseg_css.evaluation.comparison.runs import GIVEN, Run
from mmseg_css.evaluation.comparison.source import Source

CONFIG = "train_cfg = dict(max_iters=800)\n"


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    (tmp_path / "config.py").write_text(CONFIG)
    named = [("base", 0), ("css", 0), ("base", 1), ("css", 1)]
    return [
        Run(name=name, source=Source(tmp_path / "config.py"), seed=seed, folder=folder, record=folder)
        for name, seed in named
        for folder in [tmp_path / f"{name}_seed{seed}"]
    ]


def say(run: Run, iteration: int, eta: str) -> None:
    run.begin({})
    with (run.folder / "output.txt").open("a") as output:
        output.write(f"11/25 - mmengine - INFO - Iter(train) [{iteration}/800]  lr: 1.0e-03  eta: {eta}  time: 0.6\n")


def end(run: Run) -> None:
    """After six minutes."""
    run.folder.mkdir(parents=True, exist_ok=True)
    for name in GIVEN:
        (run.folder / name).touch()
    run.finish({"minutes": 6.0, "memory_gib": 1.0})


def test_nothing_is_promised_before_it_is_known(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    with Board(runs, jobs=2) as board:
        board.waiting()
    assert capsys.readouterr().out == "4 trainings, 0 of them finished, 2 at a time\n"


def test_the_time_is_said_once(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    """At a quarter base has 3 minutes left of 4, css 9 of 12: (3 + 9 + 4 + 12) / 2 minutes."""
    say(runs[0], 50, "0:05:00")
    say(runs[0], 200, "0:03:00")
    say(runs[1], 200, "0:09:00")
    with Board(runs, jobs=2) as board:
        board.waiting()
        board.waiting()
    assert capsys.readouterr().out.splitlines()[1:] == ["4 to go, about 14 min"]


def test_a_training_that_failed_is_not_waited_for(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    say(runs[0], 200, "0:03:00")
    with Board(runs[:2], jobs=1) as board:
        board.done(runs[0])
        end(runs[1])
        board.done(runs[1])
    said = capsys.readouterr().out.splitlines()[1:]
    assert said == ["base, seed 0: failed; 1 to go, about 4 min", "css, seed 0: finished after 6.0 min; 1 failed"]


def test_what_is_finished_tells_of_its_like(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    end(runs[0])
    say(runs[1], 400, "1 day, 0:30:00")
    with Board(runs[:3], jobs=2) as board:
        board.done(runs[0])
    # The longest of them: a day and a half hour, while the others take six minutes.
    assert capsys.readouterr().out.splitlines()[-1] == ("base, seed 0: finished after 6.0 min; 2 to go, about 24 h")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "1 min"), (0.98, "1 min"), (1.6, "2 min"), (59.9, "1 h"), (200, "3 h 20 min"), (49 * 60 + 15, "49 h")],
)
def test_durations(minutes: float, words: str) -> None:
    assert in_words(minutes) == words


def test_a_training_about_to_end_has_a_minute_left(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    say(runs[0], 400, "0:00:02")
    with Board(runs[:1], jobs=1) as board:
        board.waiting()
    assert capsys.readouterr().out.splitlines()[-1] == "1 to go, about 1 min"


def test_a_low_terminal_shows_what_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty runs in ten lines: what failed and what has begun, and above how many there are of each."""
    drawn = StringIO()
    terminal = partial(Console, force_terminal=True, width=100, height=10, file=drawn)
    monkeypatch.setattr(progress, "Console", terminal)
    (tmp_path / "config.py").write_text(CONFIG)
    many = [
        Run(name=f"run {number}", source=Source(tmp_path / "config.py"), seed=0, folder=folder, record=folder)
        for number in range(20)
        for folder in [tmp_path / f"{number}"]
    ]
    looked = []
    monkeypatch.setattr(progress, "_tail", lambda file: looked.append(file) or _tail(file))
    with Board(many, jobs=2) as board:
        for one in many[:10]:
            end(one)
        say(many[17], 200, "0:03:00")
        say(many[19], 10, "0:04:00")
        board.done(many[19])
        drawn.truncate(0)
        looked.clear()
        board._live.refresh()
        shown = drawn.getvalue()
        assert len(looked) == len(many)  # each once
    assert "9 to go" in shown and "1 failed, 1 begun, 10 finished, 8 waiting" in shown
    rows = [line for line in shown.splitlines() if "run 1" in line]
    assert "run 19" in rows[0] and "failed" in rows[0]
    assert "run 17" in rows[1] and "200 of 800" in rows[1] and "3 min" in rows[1]
    assert "run 18" not in shown
