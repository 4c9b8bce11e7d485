"""What a comparison says beside its tables."""

import sys
from pathlib import Path

import pytest

from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.lanes import Lanes
from tests.evaluation.finished import finish_all


@pytest.mark.parametrize(("jobs", "left"), [(1, True), (2, True), (1, False)])
def test_busy_cores_and_what_was_written_are_told(
    jobs: int,
    left: bool,
    configs: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Trainings side by side have one thread each, which waits for no other; what is finished waits for none."""
    module = sys.modules["mmseg_css.evaluation.comparison.compare"]  # the package has a function of this name
    monkeypatch.setattr(module, "busy", lambda: "other work uses the cores")
    question = Question(configs=configs)
    finish_all(question, tmp_path / "work")
    if left:  # one is to be trained
        run = question.runs(tmp_path / "work")["new"][0]
        (run.folder / "run.json").unlink()
        monkeypatch.setattr(Lanes, "train", lambda *_: run.finish({"minutes": 2.0, "memory_gib": 1.5}))
    compare(question, tmp_path / "work", jobs=jobs)
    said = capsys.readouterr().out
    assert ("other work uses the cores" in said) == (jobs == 1 and left)
    assert f"written to {tmp_path / 'work'}: results.json, results.md, curves.png\n" in said
