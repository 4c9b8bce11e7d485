"""Trainings as jobs, with submitit's executor of this machine."""

import json
import sys
from pathlib import Path

import pytest

from mmseg_css.engine.study import launcher
from mmseg_css.evaluation.comparison.cluster import Cluster, Where
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source
from tests.evaluation.finished import CONFIG

pytest.importorskip("submitit", reason="submitit is an extra: pip install 'mmseg-css[cluster]'")

TRAINS = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "curve.json").write_text(json.dumps([{"iteration": 1, "minutes": 2.0, "gpu_gib": 7.5}]))
(folder / "areas.npz").touch()
"""


class Quick(Run):
    """A training that takes no time; that of seed 1 fails."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", TRAINS if self.seed != 1 else "raise SystemExit('out of luck')", str(self.folder)]


def quick(tmp_path: Path, *seeds: int) -> list[Run]:
    config = tmp_path / "config.py"
    config.write_text(CONFIG.replace("800", "1"))
    source = Source(config)
    return [
        Quick(
            name="quick", source=source, seed=seed, folder=tmp_path / f"{seed}", record=tmp_path / "records" / f"{seed}"
        )
        for seed in seeds
    ]


def test_jobs_finish_their_runs_and_say_which_failed(tmp_path: Path) -> None:
    cluster = Cluster(where="local", folder=tmp_path / "jobs", jobs=2)
    runs = quick(tmp_path, 0, 1)
    ended: list[int] = []
    with pytest.raises(RuntimeError, match=r"quick, seed 1:[\s\S]*out of luck"):
        cluster.train(runs, lambda run: ended.append(run.seed), lambda: None)
    assert sorted(ended) == [0, 1]
    assert [run.finished() is not None for run in runs] == [True, False]
    finished = json.loads((tmp_path / "records" / "0" / "run.json").read_text())["finished"]
    assert (finished["minutes"], finished["memory_gib"]) == (2.0, 7.5)  # the GPU's, where there is one
    # What is finished is not started again.
    cluster.train(runs[:1], lambda run: ended.append(run.seed), lambda: None)
    assert len(ended) == 2


class Job:
    """One that is at work until it was looked at so often."""

    job_id = "0"

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def done(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def exception(self) -> None:
        return None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("local", ["begin 0 1", "end 0", "begin 2", "end 1", "end 2"]),
        ("slurm", ["begin 0 1 2", "end 0", "end 1", "end 2"]),  # which limits an array itself
    ],
)
def test_a_job_begins_where_one_has_ended(
    where: Where, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Executor:
        def map_array(self, _: object, started: list[Run]) -> list[Job]:
            said.append(" ".join(["begin", *(str(run.seed) for run in started)]))
            return [Job(looks=2 * run.seed) for run in started]

    monkeypatch.setattr(Cluster, "_executor", lambda _: Executor())
    monkeypatch.setattr("mmseg_css.evaluation.comparison.cluster.PATIENCE", 0)
    cluster = Cluster(where=where, folder=tmp_path / "jobs", jobs=2)
    cluster.train(quick(tmp_path, 0, 1, 2), lambda run: said.append(f"end {run.seed}"), lambda: None)
    assert said == expected


def test_a_clone_in_the_current_folder_is_not_what_trains_in_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But modules of one's own there are found."""
    (tmp_path / "mmseg_css").mkdir()
    (tmp_path / "mmseg_css" / "__init__.py").write_text("raise SystemExit('another clone')")
    (tmp_path / "mine_in_a_job.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    [own] = quick(tmp_path, 0)
    own.source.path.write_text(f"{own.source.path.read_text()}custom_imports = dict(imports=['mine_in_a_job'])\n")
    Cluster(where="local", folder=tmp_path / "jobs").train([own], lambda _: None, lambda: None)
    assert own.finished() is not None


def test_options_without_a_cluster_are_refused() -> None:
    with pytest.raises(ValueError, match="needs --cluster"):
        launcher(None, ["timeout_min=1"], Path("jobs"), 1)
