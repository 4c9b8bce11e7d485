"""mmseg-css init: the lists and configs that it writes, and how the images are then read."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmseg_css.cli.main import call
from mmseg_css.datasets import FolderDataset, StretchTo8Bit
from mmseg_css.preparation.own_data import initialise
from mmseg_css.preparation.own_data.budget import steps_for
from mmseg_css.preparation.own_data.images import ImageFacts, choose_sizes
from mmseg_css.preparation.own_data.report import training_commands
from mmseg_css.registry import DATASETS
from tests.configs.helpers import walk
from tests.preparation.own_data.conftest import (
    SIDE,
    assert_labels,
    lines,
    names,
    run,
    write,
    write_images,
    write_masks,
    write_palette,
)


def test_lists_commands_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(10) + names(6, ".jpg", first=10))
    write_masks(names(10))
    cfg = run("--classes", "ground, tree,sky")
    assert cfg.classes == ["ground", "tree", "sky"]
    train, val = lines("configs/own/train.txt"), lines("configs/own/val.txt")
    assert sorted(train + val) == names(10)
    assert len(val) == 2
    assert len(DATASETS.build(cfg.train_dataloader.dataset).unlabeled) == 6
    assert not Path("data").exists()  # the masks are in order, and so used where they are
    assert_labels(cfg)
    printed = capsys.readouterr().out
    assert "8 for training, 2 for validation, 6 unlabelled" in printed
    assert "Only 2 images for validation" in printed
    for command in (
        "mmseg-css data weights",
        "mmseg-css train configs/own/supervised_lite0_own.py",
        "mmseg-css train configs/own/css_lite0_own.py",
        "mmseg-css train configs/own/aided_css_lite0_own.py",
        "mmseg-css test configs/own/aided_css_lite0_own.py work_dirs/aided_css_lite0_own/iter_3500.pth",
    ):
        assert f"  {command}\n" in printed
    assert "26 min (3500 steps of 0.45 s) for configs/own/css_lite0_own.py" in printed


@pytest.mark.parametrize(
    ("images", "steps"),
    [(1, 3500), (1400, 3500), (1401, 3600), (5000, 12500), (16_000, 40_000), (10**6, 40_000)],
)
def test_ten_passes_over_the_images_within_bounds(images: int, steps: int) -> None:
    assert steps_for(images) == steps


def test_length_follows_the_larger_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all methods alike: one that trains longer would be compared with less."""
    monkeypatch.setattr(initialise, "steps_for", lambda images: 1000 * images)
    write_images(names(9))
    write_masks(names(3))
    cfg = run()
    assert cfg.train_cfg.max_iters == 6000
    supervised = Config.fromfile("configs/own/supervised_lite0_own.py")
    assert supervised.train_cfg.max_iters == 6000


def test_configs_anywhere_and_data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's own files are found from --out, wherever it lies; data outside of the folder are absolute."""
    write_images(names(3))
    write_masks(names(2))
    (tmp_path / "start" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "start")
    call(["init", "../images", "../masks", "--out", "here/own configs"])
    cfg = Config.fromfile("here/own configs/css_lite0_own configs.py")
    assert cfg.images == str(tmp_path / "images")
    assert cfg.lists == "here/own configs"
    assert all("Config" not in str(node.get("type")) for node in walk(cfg.model))
    assert len(DATASETS.build(cfg.train_dataloader.dataset).unlabeled) == 1


def test_earlier_files_stay_unless_told_otherwise() -> None:
    write_images(names(4))
    write_masks(names(3))
    run()
    with pytest.raises((OSError, ValueError), match="is there already; choose another --out, or say --overwrite"):
        run("--classes", "a,b,c")
    assert run("--classes", "a,b,c", "--overwrite").classes == ["a", "b", "c"]
    call(["init", "images", "masks", "--methods", "cps", "--overwrite"])
    assert len([*Path("configs/own").glob("*.py")]) == 4  # one more
    for name in names(1, first=3):
        (Path("images") / name).unlink()
    call(["init", "images", "masks", "--overwrite"])
    assert [path.name for path in Path("configs/own").glob("*.py")] == ["supervised_lite0_own.py"]


def test_resizing_of_large_images() -> None:
    write_images(names(4))
    write_masks(names(3))
    cfg = run("--crop", "32")
    assert (cfg.crop_size, cfg.scale) == ((32, 32), (128, 32))
    assert {"type": "Resize", "scale": (128, 32), "keep_ratio": True} in cfg.unlabeled.pipeline
    assert cfg.test_pipeline[1].type == "Resize"
    sample = DATASETS.build(cfg.train_dataloader.dataset)[0].sample
    assert sample["inputs"].shape == (3, 32, 32) or max(sample["inputs"].shape[1:]) < 32


def test_images_of_16_bits_are_stretched() -> None:
    cfg = run(*write_palette())
    load, stretch = cfg.loading
    assert load.color_type == cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    assert 0 <= stretch.low < 20
    assert 4076 < stretch.high <= 4096
    image = DATASETS.build(cfg.val_dataloader.dataset)[0]["inputs"]
    assert (image.dtype, image.shape[0]) == (torch.uint8, 3)
    assert 120 < image.float().mean() < 135


def test_images_labelled_and_unlabelled_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    write_masks(names(3))
    write_images(names(2, ".jpg", first=20), folder="more")
    Path("more/00.png").write_bytes(Path("images/00.png").read_bytes())
    write("more/01.png", np.zeros((SIDE, SIDE, 3), np.uint8))  # another image of the same name
    cfg = run("more")
    dataset = DATASETS.build(cfg.unlabeled)
    unlabeled = [Path(dataset.get_data_info(index)["img_path"]).name for index in range(len(dataset))]
    assert unlabeled == ["01.png", "20.jpg", "21.jpg"]
    assert lines("configs/own/repeated.txt") == ["00.png"]
    assert "1 image in IMAGES without a mask, not used because UNLABELED is given (03.png)" in capsys.readouterr().out


def test_folder_dataset_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(FileNotFoundError, match="no list of images"):
        FolderDataset(ann_file=str(tmp_path / "no.txt"), data_prefix={"img_path": str(tmp_path / "images")})


def test_stretching() -> None:
    stretch = StretchTo8Bit(low=[0, 100], high=[255, 200])
    image = np.array([[[10, 90], [300, 150]]], np.uint16)
    assert stretch({"img": image})["img"].tolist() == [[[10, 0], [255, 128]]]
    with pytest.raises(ValueError, match="low must be below high"):
        StretchTo8Bit(low=3, high=3)


@pytest.mark.parametrize(
    ("sizes", "crop", "shorter_side"),
    [
        ([(480, 640)] * 2 + [(3000, 2000)], 480, None),
        ([(100, 90)], 80, None),
        ([(20, 30)], 32, None),
        ([(1080, 1920)], 512, 512),
    ],
)
def test_sizes(sizes: list[tuple[int, int]], crop: int, shorter_side: int | None) -> None:
    images = [ImageFacts(size, 3, 8, "none", False, (0,), (255,)) for size in sizes]
    assert choose_sizes(images, 512) == (crop, shorter_side)


@pytest.mark.parametrize(("methods", "tested"), [(("css", "supervised"), "css"), (("supervised",), "supervised")])
def test_the_checkpoint_of_the_last_method_is_evaluated(methods: tuple[str, ...], tested: str) -> None:
    written = {method: Path(f"{method}.py") for method in methods}
    *_, last = training_commands(written, Path("weights.pth"), 5)
    assert last == f"mmseg-css test {tested}.py work_dirs/{tested}/iter_5.pth"
