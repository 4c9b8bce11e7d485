"""Going on: exactly where nothing differs, by the config where something does, and not quietly."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import Runner, ValLoop

from tests.configs.groups import METHODS
from tests.datasets.helpers import write_list
from tests.e2e.test_training import assert_same
from tests.engine.tiny import config, log_of, train, with_validation, write_data

POLY = {"type": "PolyLR", "eta_min": 1e-6, "power": 0.9, "begin": 0, "by_epoch": False}


def write(folder: Path) -> Path:
    write_list(folder / "some.txt", [f"{number:02d}" for number in range(5, 10)])
    return write_data(folder, images=14)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where others go on from: four iterations of CSS, and of labels alone."""
    root = write(tmp_path_factory.mktemp("trained"))
    for method in ("css", "supervised"):
        train(cfg_of(root, method, 4, method))
    return root


def cfg_of(root: Path, method: str, iterations: int, name: str, **changes: Any) -> Any:
    base = {"param_scheduler": [{**POLY, "end": iterations}], "default_hooks__checkpoint__interval": 2}
    return config(root, method, iterations, **{**base, "work_dir": str(root / name), **changes})


def checkpoint(root: Path, name: str, iteration: int) -> dict[str, Any]:
    return torch.load(root / name / f"iter_{iteration}.pth", weights_only=True)


def resume(root: Path, name: str, iteration: int, cfg: Any) -> Runner:
    cfg.resume, cfg.load_from = True, str(root / name / f"iter_{iteration}.pth")
    return train(cfg)


def notes(root: Path, name: str) -> list[str]:
    return [line.split("Resumed: ")[1] for line in log_of(root / name).splitlines() if "Resumed: " in line]


def rate(runner: Runner) -> float:
    return runner.optim_wrapper.get_lr()["lr"][0]


# Without accumulation, `make soak` kills and resumes the others.
@pytest.mark.parametrize(
    ("method", "accumulate"),
    [
        *((method, 1) for method in ("css", "pc2seg", "supervised")),
        *((method, 2) for method in (*METHODS, "supervised")),
    ],
)
def test_where_nothing_differs_it_is_exact_and_silent(root: Path, method: str, accumulate: int) -> None:
    """With dropout, augmentation, momentum and a schedule; 4 of 6 iterations, or with accumulated gradients."""
    changes = {"optim_wrapper__accumulative_counts": accumulate}
    train(cfg_of(root, method, 6, "whole", **changes))
    resume(root, "whole", 4, cfg_of(root, method, 6, "resumed", **changes))
    whole, resumed = checkpoint(root, "whole", 6), checkpoint(root, "resumed", 6)
    for part in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(resumed[part], whole[part], part)
    assert notes(root, "resumed") == []


def test_intervals_that_change_on_the_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validations of a resumed run come where those of the whole one would: every 4, from 4 on every 2."""
    validated: list[int] = []
    monkeypatch.setattr(ValLoop, "run", lambda self: validated.append(self.runner.iter))
    changes = {"train_cfg__dynamic_intervals": [(4, 2)], "default_hooks__checkpoint__interval": 1}

    def cfg(name: str) -> Any:
        return with_validation(cfg_of(root, "supervised", 8, name, **changes), interval=4)

    train(cfg("whole"))
    assert validated == [4, 6, 8]
    for begin in (5, 6):  # that of 6 may have been cut off
        validated.clear()
        resume(root, "whole", begin, cfg(f"from {begin}"))
        assert validated == [6, 8]


# -- the schedule -----------------------------------------------------------------------------------------------------


def rates_of(root: Path, name: str, iterations: range) -> list[float]:
    return [checkpoint(root, name, n)["optimizer"]["param_groups"][0]["lr"] for n in iterations]


def test_a_longer_training_goes_on_with_the_longer_schedule(trained: Path) -> None:
    """At the end of the first one the rate was 1e-6; from there on it is what 8 iterations have."""
    every = {"default_hooks__checkpoint__interval": 1, "default_hooks__checkpoint__max_keep_ckpts": 9}
    train(cfg_of(trained, "supervised", 8, "whole", **every))
    assert rates_of(trained, "supervised", range(4, 5)) == pytest.approx([1e-6])
    resume(trained, "supervised", 4, cfg_of(trained, "supervised", 8, "long", **every))
    assert rates_of(trained, "long", range(5, 9)) == rates_of(trained, "whole", range(5, 9))
    said = "\n".join(notes(trained, "long"))
    assert "param_scheduler[0].end: 8, the config's; the checkpoint has 4" in said
    assert re.search(r"as if the config's had been followed from the start, lr = 0\.0466\d* \(was 1e-06\)", said)
    assert "train_cfg.max_iters: 8, the config's; the checkpoint has 4, so what rises or falls" in said


def test_a_schedule_without_an_end_is_as_long_as_the_training(trained: Path) -> None:
    """So that a longer training asks for one number."""
    endless = {"param_scheduler": [{key: POLY[key] for key in ("type", "eta_min", "power", "by_epoch")}]}
    train(cfg_of(trained, "supervised", 4, "brief", **endless))
    runner = resume(trained, "brief", 4, cfg_of(trained, "supervised", 8, "longer", **endless))
    assert runner.param_schedulers[0].end == 8
    assert "param_scheduler[0].end: 8, the config's; the checkpoint has 4" in "\n".join(notes(trained, "longer"))


def test_the_rate_that_is_logged_goes_on_with_the_longer_schedule_too(root: Path) -> None:
    """With rates of parts of the network, MMEngine keeps one beside theirs, which the log has as base_lr."""
    parts = {"optim_wrapper__paramwise_cfg": {"custom_keys": {"backbone": {"lr_mult": 0.1}}}}
    whole = train(cfg_of(root, "supervised", 8, "whole", **parts))
    train(cfg_of(root, "supervised", 4, "short", **parts))
    long = resume(root, "short", 4, cfg_of(root, "supervised", 8, "long", **parts))
    logged = [runner.message_hub.get_scalar("train/base_lr").data[0][-4:].tolist() for runner in (long, whole)]
    assert logged[0] == logged[1]
    assert long.optim_wrapper.get_lr() == whole.optim_wrapper.get_lr()


def test_the_end_raised_on_the_way_counts(trained: Path) -> None:
    runner = resume(trained, "supervised", 2, cfg_of(trained, "supervised", 8, "raised"))
    assert rate(runner) == pytest.approx(1e-6)


def test_a_schedule_that_is_over_is_refused(trained: Path) -> None:
    cfg = cfg_of(trained, "supervised", 8, "over", param_scheduler=[{**POLY, "end": 4}])
    with pytest.raises(
        ValueError, match=r"ended at iteration 4.*go on to 8 with a learning rate of 1e-06.*raise the end"
    ):
        resume(trained, "supervised", 4, cfg)


def test_a_schedule_that_was_to_end_before_the_training_is_not(root: Path) -> None:
    early = {"param_scheduler": [{**POLY, "end": 3}]}
    whole = train(cfg_of(root, "supervised", 6, "whole", **early))
    resumed = resume(root, "whole", 4, cfg_of(root, "supervised", 6, "resumed", **early))
    assert rate(resumed) == rate(whole) == pytest.approx(1e-6)
    assert notes(root, "resumed") == []


def test_a_warm_up_that_is_over_is_not(root: Path) -> None:
    warm_up = {"param_scheduler": [{"type": "LinearLR", "start_factor": 0.1, "end": 2, "by_epoch": False}]}
    train(cfg_of(root, "supervised", 4, "short", **warm_up))
    assert rate(resume(root, "short", 4, cfg_of(root, "supervised", 6, "long", **warm_up))) == pytest.approx(0.1)


def test_a_second_scheduler_counts_from_the_start(root: Path) -> None:
    train(cfg_of(root, "supervised", 4, "short", param_scheduler=[{**POLY, "end": 8}]))
    steps = {"type": "MultiStepLR", "milestones": [2], "gamma": 0.5, "by_epoch": False}
    both = {"param_scheduler": [{**POLY, "end": 8, "power": 0.0}, steps]}
    runner = resume(root, "short", 4, cfg_of(root, "supervised", 6, "long", **both))
    assert rate(runner) == pytest.approx(0.05)
    assert "param_scheduler: the config's; the checkpoint has PolyLR." in notes(root, "long")


def test_a_schedule_by_metrics_cannot_be_changed(root: Path) -> None:
    plateau = {"type": "ReduceOnPlateauLR", "monitor": "mIoU", "rule": "greater"}

    def cfg_for(name: str, **changes: Any) -> Any:
        return with_validation(cfg_of(root, "supervised", 4, name, param_scheduler=[plateau], **changes))

    train(cfg_for("short"))
    assert resume(root, "short", 2, cfg_for("same")).iter == 4
    cfg = cfg_for("other", optim_wrapper__optimizer__lr=0.2)
    with pytest.raises(ValueError, match="goes by metrics cannot be computed anew"):
        resume(root, "short", 2, cfg)


def test_a_schedule_by_metrics_counts_each_validation_once(root: Path) -> None:
    """The first is the best, and its checkpoint written again afterwards; the others' are older than theirs."""
    plateau = {"type": "ReduceOnPlateauLR", "monitor": "mIoU", "rule": "greater", "patience": 1}
    never_better = {"threshold": 1000, "threshold_rule": "abs"}
    hook = {"type": "DurableCheckpointHook", "by_epoch": False, "interval": 1, "save_best": "mIoU", "rule": "greater"}
    changes = {"param_scheduler": [{**plateau, **never_better}], "default_hooks__checkpoint": hook}

    def cfg_for(name: str) -> Any:
        return with_validation(cfg_of(root, "supervised", 3, name, **changes))

    whole = train(cfg_for("whole"))
    [expected] = [scheduler.state_dict() for scheduler in whole.param_schedulers]
    assert expected["last_step"] == 2
    for begin in (1, 2):
        resumed = resume(root, "whole", begin, cfg_for(f"from {begin}"))
        assert resumed.param_schedulers[0].state_dict() == expected
        assert rate(resumed) == rate(whole)


# -- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optim_wrapper__optimizer__lr": 0.2}, "optimiser, initial_lr: 0.2, the config's; the checkpoint has 0.1"),
        ({"optim_wrapper__optimizer__momentum": 0.5}, "optimiser, momentum: 0.5, the config's; the checkpoint has 0.9"),
        (
            {"train_dataloader__batch_size": 12},
            "train_dataloader.batch_size: 12, the config's; the checkpoint has 6, so",
        ),
        (
            {"train_dataloader__sampler__ratio": (2, 1)},
            "sampler.ratio: [2, 1], the config's; the checkpoint has [1, 2]",
        ),
        ({"optim_wrapper__accumulative_counts": 2}, "optim_wrapper.accumulative_counts: 2, the config's; the checkp"),
        ({"randomness__seed": 8}, "randomness.seed: 7, the checkpoint's, so that its draws go on; the config has 8"),
        ({"model__data_preprocessor__mean": [0.0]}, "model.data_preprocessor: {'mean': [0.0],"),
        ({"train_dataloader__dataset__unlabeled__ann_file": "some.txt"}, "unlabelled images: 5, fingerprint "),
        ({"model__temperature": 0.3}, "model: the config's settings; the checkpoint was trained with others: model.te"),
        ({"optim_wrapper__clip_grad": {"max_norm": 1.0}}, "others: optim_wrapper.clip_grad.max_norm absent (here 1.0)"),
        (
            {"train_dataloader__dataset__labeled__pipeline__3__crop_size": (16, 8)},
            "others: train_dataloader.dataset.labeled.pipeline.3.crop_size.1 16 (here 8)",
        ),
    ],
)
def test_what_differs_is_named(trained: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    cfg = cfg_of(trained, "css", 4, "after", work_dir=str(tmp_path / "after"), **changes)
    runner = resume(trained, "css", 2, cfg)
    assert any(said in note for note in notes(tmp_path, "after")), notes(tmp_path, "after")
    group = runner.optim_wrapper.optimizer.param_groups[0]
    expected = {"initial_lr": 0.1, "momentum": 0.9} | {name.split("__")[-1]: value for name, value in changes.items()}
    assert group["momentum"] == expected["momentum"]
    assert group["initial_lr"] == expected.get("lr", expected["initial_lr"])
    assert runner.seed == 7


def test_another_type_of_optimiser_is_refused(trained: Path) -> None:
    other = {"optim_wrapper__optimizer": {"_delete_": True, "type": "AdamW", "lr": 0.1}}
    with pytest.raises(ValueError, match=r"written with SGD, and the config has AdamW.*load_from"):
        resume(trained, "css", 2, cfg_of(trained, "css", 4, "other", **other))


def test_a_checkpoint_without_an_optimiser_is_refused(root: Path) -> None:
    train(cfg_of(root, "supervised", 2, "before", default_hooks__checkpoint__save_optimizer=False))
    with pytest.raises(ValueError, match="holds no optimiser, as those of the best metric"):
        resume(root, "before", 2, cfg_of(root, "supervised", 4, "after"))
