"""mmseg-css demo, without a training."""

import shutil
from pathlib import Path

import pytest

from mmseg_css.cli.main import run
from mmseg_css.engine import demo, estimate
from mmseg_css.engine.demo import TRAINED
from tests.configs.helpers import ROOT

MEASURED = ROOT / "docs" / "measured" / "demo_methods"


def test_records_in_the_repository_give_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without data, weights or a training; the picture of predictions needs the networks."""
    for name in TRAINED:
        shutil.copytree(MEASURED / f"{name}_seed0", tmp_path / "records" / f"{name}_seed0")
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "--records", "records"]) == 0
    said = capsys.readouterr().out
    assert (
        "4 trainings, 4 of them finished" in said
        and "but no demo.png: work_dirs/demo lacks weights of supervised, css" in said
    )
    assert "| css " in (tmp_path / "records" / "results.md").read_text()
    assert sorted(path.name for path in (tmp_path).iterdir()) == ["records", "work_dirs"]


@pytest.mark.parametrize(("iteration", "drawn"), [(100, False), (800, True)])
def test_networks_are_drawn_when_their_training_is_over(
    iteration: int,
    drawn: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And not those of a training that was stopped here, while the table is of one elsewhere."""
    for name in TRAINED:
        shutil.copytree(MEASURED / f"{name}_seed0", tmp_path / "records" / f"{name}_seed0")
        folder = tmp_path / "work" / f"{name}_seed0"
        folder.mkdir(parents=True)
        shutil.copyfile(MEASURED / f"{name}_seed0" / "run.json", folder / "run.json")
        (folder / f"iter_{iteration}.pth").write_text("weights")
    monkeypatch.chdir(tmp_path)
    shown: list[str] = []
    monkeypatch.setattr(demo, "draw", lambda results, networks, picture: shown.extend(networks))
    assert run(["demo", "--records", "records", "--work-dir", "work"]) == 0
    assert shown == ([*TRAINED] if drawn else [])
    lacks = "but no demo.png: work lacks weights of supervised, css, aided_css, all_labels after the last iteration"
    assert (lacks in capsys.readouterr().out) == (not drawn)


def test_the_time_that_is_said_is_of_the_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise ValueError("before the first start")

    timed: list[int] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "prepare", lambda: None)
    monkeypatch.setattr(demo, "compare", stop)
    monkeypatch.setattr(estimate, "seconds_a_step", lambda cfg: timed.append(cfg.train_dataloader.batch_size) or 1.0)
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    assert run(["demo", "--cfg-options", "train_dataloader.batch_size=2"]) == 1
    assert timed == [2] * len(TRAINED)
