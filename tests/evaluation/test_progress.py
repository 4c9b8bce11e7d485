"""How long a comparison still takes, by what its trainings print."""

from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison.progress import Board
from mmseg_css.evaluation.comparison.runs import Run

CONFIG = "train_cfg = dict(max_iters=800)\n"


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    (tmp_path / "config.py").write_text(CONFIG)
    named = [("base", 0), ("css", 0), ("base", 1), ("css", 1)]
    return [
        Run(name=name, config=tmp_path / "config.py", seed=seed, folder=folder, record=folder)
        for name, seed in named
        for folder in [tmp_path / f"{name}_seed{seed}"]
    ]


def say(run: Run, iteration: int, eta: str) -> None:
    run.begin()
    with (run.folder / "output.txt").open("a") as output:
        output.write(f"11/25 - mmengine - INFO - Iter(train) [{iteration}/800]  lr: 1.0e-03  eta: {eta}  time: 0.6\n")


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
        runs[1].finish({"minutes": 6.0, "memory_gib": 1.0})
        board.done(runs[1])
    said = capsys.readouterr().out.splitlines()[1:]
    assert said == ["base, seed 0: failed; 1 to go, about 4 min", "css, seed 0: finished after 6.0 min; 1 failed"]


def test_what_is_finished_tells_of_its_like(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    runs[0].finish({"minutes": 6.0, "memory_gib": 1.0})
    say(runs[1], 400, "1 day, 0:30:00")
    with Board(runs[:3], jobs=2) as board:
        board.done(runs[0])
    # The longest of them: a day and a half hour, while the others take six minutes.
    assert capsys.readouterr().out.splitlines()[-1] == ("base, seed 0: finished after 6.0 min; 2 to go, about 1470 min")
