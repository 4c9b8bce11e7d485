"""Missing, damaged and ill-fitting files of every set are named before the first step, or the first image of a test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from mmseg_css.datasets import checks
from mmseg_css.engine.hooks import DataCheckHook, SplitHook, use_data_checks
from mmseg_css.registry import DATASETS
from tests.datasets.checks.before_the_start.helpers import IMAGE, MASK, METHODS, RUNS, config, run
from tests.datasets.helpers import LOAD, labeled_config, write_list, write_mask


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("method", METHODS)
def test_sound_data_pass(root: Path, method: str, stage: str) -> None:
    run(config(root, method), stage)


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def small(path: Path) -> None:
    write_mask(path, np.zeros((8, 16), np.uint8))


def outside(path: Path) -> None:
    write_mask(path, np.full((16, 16), 7, np.uint8))


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        (MASK, missing, r"b\.png' is missing"),
        (IMAGE, missing, r"b\.png' is missing"),
        (MASK, small, r"b\.png' is 16x8, its image .* is 16x16"),
        (IMAGE, truncated, r"b\.png' cannot be read"),
        (MASK, truncated, r"b\.png' cannot be read"),
        (MASK, outside, r"b\.png' holds \[7\], neither one of the 2 classes"),
    ],
)
def test_files(root: Path, method: str, stage: str, name: str, harm: Callable[[Path], None], message: str) -> None:
    cfg = config(root, method)
    if name == IMAGE and harm is missing:  # a folder has no image that is missing, and a list has
        (root / "list.txt").write_text("a\nb\nc\n")
        for part in ("val", "test"):
            cfg[f"{part}_dataloader"]["dataset"]["ann_file"] = str(root / "list.txt")
    harm(root / name)
    with pytest.raises((ValueError, FileNotFoundError), match=rf"(?s)1 of the 3 labelled images .*{message}"):
        run(cfg, stage)


@pytest.mark.parametrize(("harm", "message"), [(missing, "is missing"), (small, "is 16x8"), (outside, r"holds \[7\]")])
def test_files_of_a_supervised_training(root: Path, harm: Callable[[Path], None], message: str) -> None:
    harm(root / "train/masks/b.png")
    with pytest.raises((ValueError, FileNotFoundError), match=rf"(?s)1 of the 4 .* trained on.*b\.png' {message}"):
        run(config(root, "supervised"), "train")


@pytest.mark.parametrize("stage", ["train", "test"])
@pytest.mark.parametrize("change", [{"ann_file": "no list.txt"}, {"data_prefix": {"img_path": "nowhere"}}])
def test_lists_and_folders(root: Path, stage: str, change: dict) -> None:
    cfg = config(root, "supervised")
    for part in ("val", "test"):
        cfg[f"{part}_dataloader"]["dataset"].update(change)
    with pytest.raises(FileNotFoundError, match="no list of images .*no list|there is no folder .*nowhere"):
        run(cfg, stage)


def test_images_of_a_format_that_pillow_may_not_know(root: Path) -> None:
    """Whether they can be decoded is not asked, but whether they are there is."""
    names = write_list(root / "names.txt", ["a", "b", "missing"])
    own = labeled_config(
        root / "train", ann_file=names, pipeline=[{"type": "LoadImageFromFile", "imdecode_backend": "tifffile"}]
    )
    with pytest.raises(FileNotFoundError, match=r"the image '.*missing\.png' is missing"):
        checks.check_set(DATASETS.build(own), checks.TRAINING)
    write_list(root / "names.txt", ["a", "b"])
    checks.check_set(DATASETS.build(own), checks.TRAINING)


def test_a_folder_without_images(root: Path) -> None:
    cfg = config(root, "css")
    cfg["val_dataloader"]["dataset"]["img_suffix"] = ".jpg"
    with pytest.raises(
        ValueError, match=r"the dataloader's data set .* has no image: nothing in '.*val/images' ends in '\.jpg'"
    ):
        run(cfg, "train")


@pytest.mark.parametrize("wrapper", [None, "ConcatDataset"])
def test_large_sets(root: Path, monkeypatch: pytest.MonkeyPatch, wrapper: str | None) -> None:
    """Of more masks than can be read within seconds, some are read, and of all the file is looked at."""
    monkeypatch.setattr(checks.sets, "MOST_READ", 2)  # the first and the third of three
    cfg = config(root, "supervised")
    if wrapper:
        cfg["val_dataloader"]["dataset"] = {"type": wrapper, "datasets": [cfg["val_dataloader"]["dataset"]]}
    write_mask(root / "val/masks/b.png", np.full((16, 16), 7, np.uint8))
    with pytest.raises(ValueError, match=r"made the labels \[7\] of the mask '.*b\.png'"):  # when it is read
        Runner.from_cfg(Config(cfg)).train()
    for harm in (small, truncated, missing):
        write_mask(root / "val/masks/b.png")
        harm(root / "val/masks/b.png")
        with pytest.raises((ValueError, FileNotFoundError), match=r"(?s)1 of the 3 labelled .*val/masks/b\.png' "):
            run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")
    Image.new("RGB", (16, 16)).save(root / "val/masks/b.png")
    with pytest.raises(ValueError, match=r"b\.png' is of shape \(16, 16, 3\)"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")
    outside(root / "val/masks/c.png")
    write_mask(root / "val/masks/b.png")
    with pytest.raises(ValueError, match=r"val/masks/c\.png' holds \[7\]"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "train")


def test_test_time_augmentation(root: Path) -> None:
    cfg = config(root, "css")
    branches = [[{"type": "RandomFlip", "prob": 0.0}], [{"type": "LoadAnnotations"}], [{"type": "PackSegInputs"}]]
    cfg["test_dataloader"]["dataset"]["pipeline"] = [*LOAD, {"type": "TestTimeAug", "transforms": branches}]
    cfg["model"] = {"type": "SegTTAModel", "module": cfg["model"]}
    outside(root / MASK)
    with pytest.raises(ValueError, match=r"val/masks/b\.png' holds \[7\]"):
        run(cfg, "test")
    write_mask(root / MASK)
    cfg["test_evaluator"]["ignore_index"] = 254
    with pytest.raises(ValueError, match="ignore_index of IoUMetric on the test set=254"):
        run({**cfg, "experiment_name": f"data-check-{next(RUNS)}"}, "test")


def test_a_test_without_masks(root: Path) -> None:
    cfg = config(root, "css")
    for path in (root / "val/masks").iterdir():
        path.unlink()
    cfg["test_evaluator"] = {"type": "IoUMetric", "format_only": True, "output_dir": str(root / "out")}
    cfg["test_dataloader"]["dataset"]["pipeline"] = [*LOAD, {"type": "PackSegInputs"}]
    run(cfg, "test")


def test_files_can_be_left_out(root: Path) -> None:
    outside(root / MASK)
    cfg = Config(config(root, "supervised"))
    cfg.default_hooks = {"data_check": {"files": False}}
    use_data_checks(cfg)
    with pytest.raises(ValueError, match=r"made the labels \[7\]"):  # when it is read
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize("kind", [DataCheckHook, SplitHook])
def test_a_config_without_the_checks_gets_them(root: Path, kind: type) -> None:
    plain = config(root, "supervised")
    del plain["default_hooks"]
    cfg = Config(plain)
    use_data_checks(cfg)
    assert any(isinstance(hook, kind) for hook in Runner.from_cfg(cfg).hooks)


def test_a_preprocessor_that_knows_no_halves(root: Path) -> None:
    cfg = config(root, "css")
    cfg["model"]["data_preprocessor"]["type"] = "SegDataPreProcessor"
    with pytest.raises(ValueError, match="knows no labelled and unlabelled halves .* SemiDataPreprocessor"):
        run(cfg, "train")


def test_a_list_of_another_encoding(root: Path) -> None:
    """As PowerShell writes it."""
    cfg = config(root, "supervised")
    text = "\n".join(path.stem for path in sorted((root / "train/images").iterdir()))
    (root / "train.txt").write_text(text, encoding="utf-16")
    cfg["train_dataloader"]["dataset"]["ann_file"] = str(root / "train.txt")
    with pytest.raises(ValueError, match=r"the list of images '.*train\.txt' is no UTF-8 text: save it as such"):
        run(cfg, "train")
