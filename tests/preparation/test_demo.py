from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmseg_css.cli.main import run
from mmseg_css.config_files import read_config
from mmseg_css.datasets.demo import CLASSES, PALETTE
from mmseg_css.preparation.demo import draw_scene, generate

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SMALL = {"size": 32, "train": 12, "val": 4, "labeled": (2, 4)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    generate(out, **SMALL)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_seed_same_files(demo: Path, tmp_path: Path) -> None:
    generate(tmp_path / "again", **SMALL)
    generate(tmp_path / "other", seed=1, **SMALL)
    assert contents(tmp_path / "again") == contents(demo)
    assert contents(tmp_path / "other") != contents(demo)


def test_scenes_hold_all_classes_and_nothing_else() -> None:
    masks = [draw_scene(np.random.default_rng(seed), 48)[1] for seed in range(60)]
    pixels = np.bincount(np.stack(masks).ravel(), minlength=len(CLASSES))
    assert len(pixels) == len(CLASSES) == len(PALETTE)
    assert (pixels > 0).all()
    assert 0.5 < pixels[0] / pixels.sum() < 0.9  # background


def test_classes_share_their_colours() -> None:
    """Per pixel, the nearest class by mean colour is no match for the mask: colour alone does not solve it."""
    images, masks = zip(*(draw_scene(np.random.default_rng(seed), 48) for seed in range(80)), strict=True)
    colours = np.stack(images).reshape(-1, 3).astype(float)
    labels = np.stack(masks).ravel()
    colours, labels = colours[labels > 0], labels[labels > 0]
    half = len(labels) // 2
    means = np.stack([colours[:half][labels[:half] == label].mean(0) for label in range(1, len(CLASSES))])
    nearest = 1 + np.argmin(np.linalg.norm(colours[half:, None] - means, axis=-1), axis=1)
    assert np.mean(nearest == labels[half:]) < 0.55


def test_lists_are_nested_and_name_training_images(demo: Path) -> None:
    lists = {path.stem: set(path.read_text().split()) for path in (demo / "splits").iterdir()}
    assert {name: len(ids) for name, ids in lists.items()} == {"train": 12, "labeled_2": 2, "labeled_4": 4}
    assert lists["labeled_2"] < lists["labeled_4"] < lists["train"]
    assert lists["train"] == {path.stem for path in (demo / "images" / "train").iterdir()}


def test_default_lists_show_every_class() -> None:
    order = np.random.default_rng((0, 2)).permutation(400)  # as generate does
    masks = [draw_scene(np.random.default_rng((0, 0, index)), 96)[1] for index in order[:8]]
    assert set(np.unique(masks)) == set(range(len(CLASSES)))


def test_mmseg_reads_it(demo: Path) -> None:
    common = [{"type": "PackSegInputs"}]
    dataset = DATASETS.build(
        {
            "type": "PairedDataset",
            "labeled": {
                "type": "DemoDataset",
                "data_root": str(demo),
                "ann_file": "splits/labeled_4.txt",
                "data_prefix": {"img_path": "images/train", "seg_map_path": "labels/train"},
                "pipeline": [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, *common],
            },
            "unlabeled": {
                "type": "UnlabeledDataset",
                "data_root": str(demo),
                "data_prefix": {"img_path": "images/train"},
                "exclude": "splits/labeled_4.txt",
                "pipeline": [{"type": "LoadImageFromFile"}, *common],
            },
        }
    )
    assert (dataset.num_labeled, dataset.num_unlabeled) == (4, 8)
    assert dataset.metainfo["classes"] == CLASSES
    sample = dataset[0].sample
    mask = cv2.imread(sample["data_samples"].seg_map_path, cv2.IMREAD_UNCHANGED)
    assert np.array_equal(sample["data_samples"].gt_sem_seg.data[0], mask)
    assert sample["inputs"].shape == (3, 32, 32)


def test_generating_twice_is_no_work_and_nothing_foreign_is_touched(demo: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    generate(demo, **SMALL)
    assert before == {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    with pytest.raises(FileExistsError, match="holds something else.*remove it"):
        generate(demo, seed=9, **SMALL)
    with pytest.raises(ValueError, match=r"lists of \[20\] images do not fit 12"):
        generate(tmp_path / "new", train=12, labeled=(20,))


def test_missing_data_name_the_command(tmp_path: Path) -> None:
    config = {"type": "DemoDataset", "data_root": str(tmp_path / "demo"), "data_prefix": {"img_path": "images/train"}}
    with pytest.raises(FileNotFoundError, match=r"mmseg-css data demo"):
        DATASETS.build(config)
    with pytest.raises(FileNotFoundError, match=r"mmseg-css data demo"):
        DATASETS.build({"type": "PairedDataset", "labeled": config, "unlabeled": config})


def test_command_writes_the_list_that_the_demo_configs_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = read_config(CONFIGS / "css" / "css_lite0_demo.py").train_dataloader.dataset.labeled.ann_file
    monkeypatch.chdir(tmp_path)
    assert run(["data", "demo", "data/demo", "--size", "32", "--train", "40", "--val", "1"]) == 0
    assert Path(wanted).is_file()
