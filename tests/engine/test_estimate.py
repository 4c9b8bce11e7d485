"""How long a training will take: from steps that are really taken."""

import weakref
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmseg_css.engine import estimate
from mmseg_css.engine.estimate import made_up_batch, print_estimates, seconds_a_step
from mmseg_css.evaluation.comparison import machine
from tests.configs.helpers import load


@pytest.mark.parametrize("name", ["css/supervised_lite0_demo", "css/css_lite0_demo", "cps/cps_lite0_demo"])
def test_takes_steps_of_the_config(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "PATIENCE", 60.0)  # however busy the machine is
    cfg = small(load(name))
    stepped = []
    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *a, **k: (stepped.append(1), step(self, *a, **k))[1])
    assert 0 < seconds_a_step(cfg) < 60
    assert len(stepped) == 1 + estimate.STEPS


def test_slow_steps_are_not_measured_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = small(load("css/supervised_lite0_demo"))
    monkeypatch.setattr(estimate, "PATIENCE", 0.0)
    taken = []
    optimise = estimate.build_optim_wrapper

    def watched(model: torch.nn.Module, settings: dict) -> object:
        model.register_forward_pre_hook(lambda *_: taken.append(1))
        return optimise(model, settings)

    monkeypatch.setattr(estimate, "build_optim_wrapper", watched)
    seconds_a_step(cfg)
    assert len(taken) == 2  # one to warm up, one that counts


def test_gpu_memory_is_freed_when_the_model_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainings run in other processes, while ours goes on."""
    models: list[weakref.ref] = []
    there: list[bool] = []
    optimise = estimate.build_optim_wrapper

    def watched(model: torch.nn.Module, settings: dict) -> object:
        models.append(weakref.ref(model))
        return optimise(model, settings)

    monkeypatch.setattr(estimate, "build_optim_wrapper", watched)
    monkeypatch.setattr(estimate, "PATIENCE", 0.0)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: there.append(models[0]() is not None))
    seconds_a_step(small(load("css/css_lite0_demo")))
    assert there == []  # no GPU was used
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    models.clear()
    seconds_a_step(small(load("css/css_lite0_demo")))
    assert there == [False]


def test_batch_is_what_the_loader_gives() -> None:
    cfg = load("css/css_lite0_demo")
    batch = made_up_batch(cfg, 5)
    assert set(batch) == {"labeled", "unlabeled"}
    for half in batch.values():
        assert [tuple(image.shape) for image in half["inputs"]] == [(3, 96, 96)] * 4
        assert {image.dtype for image in half["inputs"]} == {torch.uint8}
        masks = torch.stack([sample.gt_sem_seg.data for sample in half["data_samples"]])
        assert masks.shape == (4, 1, 96, 96)
        assert set(masks.unique().tolist()) <= set(range(5))
    assert set(made_up_batch(load("css/supervised_lite0_demo"), 5)) == {"inputs", "data_samples"}


def test_says_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(estimate, "seconds_a_step", lambda cfg: 1.234)
    path = tmp_path / "config.py"
    Config({"train_cfg": {"max_iters": 12500}}).dump(path)
    for told in ("", "other work uses the cores"):
        monkeypatch.setattr(estimate, "busy", lambda told=told: told)
        print_estimates([path])
        said = capsys.readouterr().out
        assert f"  4 h 17 min (12500 steps of 1.2 s) for {path}\n" in said
        assert ("  (other work uses the cores)\n" in said) == bool(told)


def small(cfg: Config) -> Config:
    """With crops of 32 pixels, one image of each half."""
    cfg.model.data_preprocessor.size = (32, 32)
    cfg.train_dataloader.batch_size = 4
    return cfg


def test_duration_is_of_all_trainings_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    """Each file is timed once, and its seconds count for each of its trainings."""
    files = [tmp_path / "slow.py", tmp_path / "fast.py"]
    for path, seconds in zip(files, (2.0, 1.0), strict=True):
        path.write_text(f"seconds = {seconds}\n")
    timed = []
    monkeypatch.setattr(estimate, "seconds_a_step", lambda cfg: timed.append(cfg.seconds) or cfg.seconds)
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    trainings = [(files[0], 60), (files[1], 120), (files[0], 120)]
    estimate.print_duration(trainings, jobs=2)
    assert "3 trainings, about 4 min on this machine" in capsys.readouterr().out  # (120 + 120 + 240) / 2 seconds
    assert timed == [2.0, 1.0]
    estimate.print_duration(trainings, jobs=8)  # on two cores
    assert "3 trainings, about 4 min on this machine" in capsys.readouterr().out
    monkeypatch.setattr(machine, "cores", lambda: 8)
    estimate.print_duration([(files[1], 60), (files[0], 300)], jobs=8)
    assert "2 trainings, about 10 min on this machine" in capsys.readouterr().out  # as long as the longest
    estimate.print_duration([], jobs=2)
    assert capsys.readouterr().out == ""
