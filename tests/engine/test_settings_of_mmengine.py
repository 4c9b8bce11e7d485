"""Settings of MMEngine's that trackers ask about: what they do here."""

from pathlib import Path
from typing import Any

import pytest

from mmseg_css.engine import ineffective, training
from mmseg_css.engine.hooks import DiagnosticsHook
from tests.datasets.checks.before_the_start import helpers
from tests.datasets.helpers import write_pairs
from tests.engine.tiny import config, log_of, train, write_data

METHODS = ("css", "supervised")
LOGGER = {"default_hooks__logger": {"type": "LoggerHook", "log_metric_by_epoch": False}}
VALIDATED = ("val_dataloader", "val_cfg", "val_evaluator")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "val", "abc")
    return write_data(tmp_path)


def validating(root: Path, method: str, iterations: int, **changes: Any) -> Any:
    cfg, other = config(root, method, iterations, **LOGGER, **changes), helpers.config(root, method)
    for key in VALIDATED:
        cfg[key] = other[key]
    return cfg


def labelled(cfg: Any, method: str, wrap: Any) -> Any:
    """Wrap the labelled data set."""
    holder, key = (
        (cfg.train_dataloader, "dataset") if method == "supervised" else (cfg.train_dataloader.dataset, "labeled")
    )
    holder[key] = wrap(holder[key])
    return cfg


# -- the runner -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [{"runner_type": "OwnRunner"}, {"strategy": {"type": "DeepSpeedStrategy"}}])
def test_another_runner_is_not_left_out_without_a_word(root: Path, setting: dict[str, Any]) -> None:
    cfg = config(root, "supervised", 1, launcher="none")
    cfg.merge_from_dict(setting)
    [key] = setting
    with pytest.raises(ValueError, match=f"the config has {key}=.*MMEngine's Runner alone: take {key} out"):
        training.train(cfg)


def test_a_variable_called_strategy_is_none_of_a_runner(root: Path) -> None:
    cfg = config(root, "supervised", 1, launcher="none", strategy="mix", runner_type="Runner")
    training.train(cfg)
    assert (root / "work_dir" / "iter_1.pth").exists()


# -- data -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_wrapped_labelled_data(root: Path, method: str) -> None:
    """Four labelled images, twice, and once more: the way to see some more often."""
    runner = train(
        labelled(
            config(root, method, 2),
            method,
            lambda own: dict(type="ConcatDataset", datasets=[own, dict(type="RepeatDataset", times=2, dataset=own)]),
        )
    )
    data = runner.train_dataloader.dataset
    assert len(data) == 12 + (4 if method == "css" else 0)


@pytest.mark.parametrize("method", METHODS)
def test_classes_of_an_image_are_not_known_to_a_wrapper(root: Path, method: str) -> None:
    cfg = labelled(
        config(root, method, 1), method, lambda own: dict(type="ClassBalancedDataset", oversample_thr=0.1, dataset=own)
    )
    with pytest.raises(TypeError, match=r"ClassBalancedDataset asks which classes .*RepeatDataset"):
        train(cfg)


@pytest.mark.parametrize("method", METHODS)
def test_workers_that_are_spawned(root: Path, method: str) -> None:
    """As on Windows and macOS: whatever a worker needs is pickled."""
    spawn = {"mp_start_method": "spawn", "opencv_num_threads": 0}
    cfg = config(root, method, 1, env_cfg__mp_cfg=spawn, train_dataloader__num_workers=1)
    assert train(cfg).iter == 1


def test_the_rate_is_scaled_by_all_images_of_a_step(root: Path) -> None:
    """Labelled and unlabelled: 6 of a base of 12 halve 0.1."""
    runner = train(config(root, "css", 1, auto_scale_lr=dict(enable=True, base_batch_size=12)))
    assert runner.optim_wrapper.get_lr()["lr"] == [pytest.approx(0.05)]


# -- validation and checkpoints ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_intervals_beyond_the_end(root: Path, method: str) -> None:
    """What is due after the end is done at the end."""
    best = {"default_hooks__checkpoint__save_best": "mIoU"}
    train(validating(root, method, 2, train_cfg__val_interval=99, **best))
    assert {path.name for path in (root / "work_dir").glob("*.pth")} == {"iter_2.pth", "best_mIoU_iter_2.pth"}


def test_a_validation_that_never_begins(root: Path) -> None:
    train(validating(root, "css", 2, train_cfg__val_begin=9))
    assert "train_cfg.val_begin=9 is later than the end, 2: nothing will be evaluated" in log_of(root)


def test_the_best_of_a_metric_that_there_is_not(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen at the first validation where the evaluator does not say before what it measures."""
    monkeypatch.setattr(ineffective, "_measured", lambda runner: set())
    best = {"default_hooks__checkpoint__save_best": "mIou"}
    with pytest.raises(KeyError, match=r"save_best='mIou' is no metric of the validation, which gave aAcc, mIoU, mAcc"):
        train(validating(root, "supervised", 2, train_cfg__val_interval=1, **best))


def test_weights_to_start_from_and_a_resume(root: Path) -> None:
    """`load_from` is where a training begins; --resume goes on from the work dir, if there is something."""
    train(config(root, "supervised", 1))
    file = root / "again.py"
    file.write_text(f"load_from = 'begin.pth'\nwork_dir = {str(root / 'elsewhere')!r}\n")
    cfg, (note, *_) = training.load_cfg(file, resume="auto")
    assert (cfg.resume, cfg.load_from) == (False, "begin.pth")
    assert "there is no checkpoint in" in note
    cfg, _ = training.load_cfg(file, resume="auto", work_dir=str(root / "work_dir"))
    assert (cfg.resume, Path(cfg.load_from).name) == (True, "iter_1.pth")


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_no_numbers_end_a_training_that_lists_no_hook(root: Path, method: str) -> None:
    """A rate as high as this makes weights of which no loss is a number."""
    cfg = config(root, method, 60, optim_wrapper__optimizer__lr=1e38)
    with pytest.raises(FloatingPointError, match=r"20 steps in a row had gradients that are not finite"):
        train(cfg)


@pytest.mark.parametrize("threshold", [1.0, 0.0])
def test_unlabelled_images_that_teach_nothing(root: Path, threshold: float) -> None:
    hook = {"type": DiagnosticsHook.__name__, "log_interval": 2, "patience": 4}
    train(config(root, "css", 12, model__pseudo_label_loss__threshold=threshold, custom_hooks=[hook]))
    said = log_of(root).count(
        "unsup.loss_pseudo_label has been 0 for 4 iterations, so that the unlabelled images teach"
    )
    assert said == (threshold == 1.0)
