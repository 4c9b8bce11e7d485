from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample

from mmseg_css.datasets import CamVidDataset
from mmseg_css.preparation.splits.imbalance import choose_by_share
from mmseg_css.preparation.splits.statistics import pixels_of_classes
from tests.datasets.helpers import write_image, write_mask

SPLITS = Path(__file__).resolve().parents[2] / "configs" / "splits" / "camvid"
LOAD = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}]


def build(root: Path, split: str = "train", **changes: object) -> CamVidDataset:
    prefix = {"img_path": f"images/{split}", "seg_map_path": f"labels/{split}"}
    config = {"type": "CamVidDataset", "data_root": str(root), "data_prefix": prefix, "pipeline": LOAD}
    return DATASETS.build({**config, **changes})


def lists(*, by_share: bool = False) -> dict[str, list[str]]:
    """Every so many frames, or chosen by the shares of the classes."""
    paths = (path for path in SPLITS.glob("*.txt") if ("_rho-" in path.stem) is by_share)
    return {path.stem: path.read_text().split() for path in paths}


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    write_image(tmp_path / "images" / "train" / "a.jpg", (2, 8))
    write_mask(tmp_path / "labels" / "train" / "a.png", np.arange(16, dtype=np.uint8).reshape(2, 8) % 12)
    return tmp_path


def test_unlabelled_becomes_ignored(scene: Path) -> None:
    labels = build(scene)[0]["gt_seg_map"].ravel().tolist()
    assert labels == [*range(11), 255, 0, 1, 2, 3]


def test_choice_of_classes(scene: Path) -> None:
    dataset = build(scene, metainfo={"classes": ("road", "car")})
    assert dataset[0]["gt_seg_map"].ravel().tolist() == [255] * 3 + [0] + [255] * 4 + [1] + [255] * 6 + [0]
    assert dataset.metainfo["palette"] == [[128, 64, 128], [64, 0, 128]]


def test_lists_are_nested() -> None:
    chosen = lists()
    assert {name: len(ids) for name, ids in chosen.items()} == {"1-30": 13, "1-16": 23, "1-8": 46, "1-4": 92}
    assert all(ids == sorted(set(ids)) for ids in chosen.values())
    assert chosen["1-8"] == chosen["1-4"][::2]
    assert chosen["1-16"] == chosen["1-8"][::2]


def test_lists_follow_their_rule(camvid: Path) -> None:
    frames = sorted(path.stem for path in (camvid / "images" / "train").iterdir())
    assert lists() == {f"1-{step}": frames[::step] for step in (30, 16, 8, 4)}


def test_lists_by_share_follow_their_rule(camvid: Path) -> None:
    pixels = pixels_of_classes(build(camvid))
    expected = {f"1-30_rho-{rho}": choose_by_share(pixels, [13], rho=rho, seed=0)[0] for rho in (0, 1, 2)}
    assert lists(by_share=True) == expected


def test_real_masks_pass_the_check_and_lose_their_unlabelled_pixels(camvid: Path) -> None:
    labeled = {
        "type": "CamVidDataset",
        "data_root": str(camvid),
        "ann_file": str(SPLITS / "1-16.txt"),
        "data_prefix": {"img_path": "images/train", "seg_map_path": "labels/train"},
        "pipeline": LOAD,
    }
    unlabeled = {
        "type": "UnlabeledDataset",
        "data_root": str(camvid),
        "data_prefix": {"img_path": "images/train"},
        "exclude": str(SPLITS / "1-16.txt"),
    }
    dataset = DATASETS.build({"type": "PairedDataset", "labeled": labeled, "unlabeled": unlabeled})
    assert (dataset.num_labeled, dataset.num_unlabeled) == (23, 344)
    values = set(np.unique(dataset[0].sample["gt_seg_map"]))
    assert values <= {*range(11), 255}
    assert 255 in values


def test_metric_ignores_the_unlabelled_pixels(camvid: Path) -> None:
    """A prediction that is right wherever there is a label scores 100, with no twelfth class."""
    dataset = build(camvid, "val")
    metric = IoUMetric()
    metric.dataset_meta = dataset.metainfo
    for index in range(3):
        label = torch.from_numpy(dataset[index]["gt_seg_map"].astype(np.int64))[None]
        guess = torch.where(label == 255, 3, label)
        sample = SegDataSample(gt_sem_seg=PixelData(data=label), pred_sem_seg=PixelData(data=guess))
        metric.process({}, [sample.to_dict()])
    assert metric.evaluate(3)["mIoU"] == 100
