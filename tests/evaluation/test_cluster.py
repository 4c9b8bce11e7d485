"""Trainings as jobs, with submitit's executor of this machine."""

import json
import sys
from pathlib import Path

import pytest

from mmseg_css.engine.study import launcher
from mmseg_css.evaluation.comparison.cluster import Cluster
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
    runs = quick(tmp_path, 0, 1, 2)
    ended: list[int] = []
    with pytest.raises(RuntimeError, match=r"quick, seed 1:[\s\S]*out of luck"):
        cluster.train(runs, lambda run: ended.append(run.seed), lambda: None)
    assert sorted(ended) == [0, 1, 2]
    assert [run.finished() is not None for run in runs] == [True, False, True]
    finished = json.loads((tmp_path / "records" / "2" / "run.json").read_text())["finished"]
    assert (finished["minutes"], finished["memory_gib"]) == (2.0, 7.5)  # the GPU's, where there is one
    # What is finished is not started again.
    cluster.train([runs[0], runs[2]], lambda run: ended.append(run.seed), lambda: None)
    assert len(ended) == 3


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
