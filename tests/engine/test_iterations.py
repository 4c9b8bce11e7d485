"""Epochs in a training without any: refused where they are left over, iterations where they are asked for."""

from pathlib import Path
from typing import Any

import pytest
from mmengine.runner import Runner

from tests.engine.tiny import config, log_of, train, write_data

POLY = {"type": "PolyLR", "eta_min": 1e-3, "begin": 0, "end": 3, "by_epoch": False}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path, images=14)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_cfg": {"_delete_": True, "by_epoch": True, "max_epochs": 1}}, "EpochBased.*is endless.*max_epochs"),
        ({"train_cfg": {"_delete_": True, "type": "EpochBasedTrainLoop", "max_epochs": 1}}, "is endless"),
        ({"param_scheduler": [POLY, {"type": "PolyLR", "end": 3}]}, r"param_scheduler\[1\] \(PolyLR\) counts epochs"),
        ({"default_hooks__checkpoint": {"_delete_": True, "type": "CheckpointHook", "interval": 1}}, "none before"),
        (
            {"default_hooks__checkpoint": {"_delete_": True, "type": "DurableCheckpointHook", "interval": 2}},
            "none before",
        ),
        ({"default_hooks": {"_delete_": True}}, r"default_hooks.checkpoint \(CheckpointHook\) counts epochs"),
    ],
)
@pytest.mark.parametrize("method", ["css", "supervised"])
def test_what_counts_epochs_is_refused(root: Path, changes: dict[str, Any], said: str, method: str) -> None:
    listed = [{"type": "ProgressHook"}, {"type": "TeacherUpdateHook"}, {"type": "PrototypeCommitHook"}]
    if method == "supervised":
        listed = listed[:1]
    with pytest.raises(ValueError, match=said):
        train(config(root, method, 3, custom_hooks=listed, **changes))


def test_a_loop_without_our_hooks_is_refused_by_the_one_that_saves(root: Path) -> None:
    """In a supervised training nothing else would look."""
    epochs = {"_delete_": True, "by_epoch": True, "max_epochs": 1}
    with pytest.raises(ValueError, match="EpochBased.*is endless"):
        train(config(root, "supervised", 3, train_cfg=epochs))


def test_metrics_that_would_all_be_logged_at_step_0_are_refused(root: Path) -> None:
    cfg = config(root, "css", 2)
    dataset = {**cfg.train_dataloader.dataset.labeled, "ann_file": "labeled.txt"}
    cfg.val_dataloader = {"batch_size": 1, "num_workers": 0, "dataset": dataset, "sampler": {"type": "DefaultSampler"}}
    cfg.val_cfg, cfg.val_evaluator = {"type": "ValLoop"}, {"type": "IoUMetric"}
    with pytest.raises(ValueError, match="at step 0: set log_metric_by_epoch=False"):
        train(cfg)


# -- how long ---------------------------------------------------------------------------------------------------------


def rates(runner: Runner) -> tuple[int, float]:
    return runner.max_iters, runner.optim_wrapper.get_lr()["lr"][0]


def test_epochs_over_the_unlabelled_images_become_iterations(root: Path) -> None:
    """10 unlabelled, 4 in a batch: 3 iterations an epoch. The schedule that ended with the training still does."""
    cfg = config(root, "css", 3, train_cfg__max_epochs=2, param_scheduler=[POLY])
    assert rates(train(cfg)) == (6, pytest.approx(1e-3))
    log = log_of(root)
    assert "max_epochs=2 are 6 iterations, in place of max_iters=3" in log
    assert "param_scheduler[0].end follows" in log
    assert "The schedule ends" not in log


def test_epochs_alone_and_mmengines_way_of_a_schedule_in_epochs(root: Path) -> None:
    poly = {**POLY, "end": 2, "by_epoch": True, "convert_to_iter_based": True}
    length = {"_delete_": True, "type": "PairedTrainLoop", "max_epochs": 2}
    assert rates(train(config(root, "css", 3, train_cfg=length, param_scheduler=[poly]))) == (6, pytest.approx(1e-3))
    assert "No schedule follows" in log_of(root)


def test_epochs_of_the_supervised_baseline_are_over_the_labelled_images(root: Path) -> None:
    assert train(config(root, "supervised", 3, train_cfg__max_epochs=2)).max_iters == 4  # 4 images, 2 in a batch


def test_a_schedule_without_an_end_ends_with_the_epochs(root: Path) -> None:
    poly = {"type": "PolyLR", "eta_min": 1e-3, "by_epoch": False}
    assert rates(train(config(root, "css", 3, train_cfg__max_epochs=2, param_scheduler=[poly]))) == (
        6,
        pytest.approx(1e-3),
    )
    assert "param_scheduler[0].end follows" in log_of(root)


def test_no_length_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match=r"set train_cfg.max_iters, or train_cfg.max_epochs"):
        train(config(root, "css", 3, train_cfg={"_delete_": True, "type": "PairedTrainLoop"}))


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        ({**POLY, "end": 80}, "The schedule ends at iteration 80, and the training at 2, which will not see the end"),
        ({**POLY, "end": 1}, "ends at iteration 1, and the training at 2, which goes on with its last rate"),
        ({"type": "PolyLR", "by_epoch": False}, None),  # MMEngine lets it end with the training
        ({"type": "MultiStepLR", "milestones": [1], "by_epoch": False}, None),
        ({**POLY, "end": 2}, None),
    ],
)
def test_a_schedule_of_another_length_is_named(root: Path, scheduler: dict, said: str | None) -> None:
    train(config(root, "css", 2, param_scheduler=[scheduler]))
    log = log_of(root)
    assert said in log if said else "param_scheduler to" not in log
