from pathlib import Path

import pytest

from mmseg_css.datasets import FolderDataset, PairedDataset
from tests.datasets.helpers import LOAD, METAINFO, unlabeled_config, write_image, write_list, write_mask


def folder_config(root: Path, **prefix: str) -> dict:
    pipeline = [*LOAD, {"type": "LoadAnnotations"}]
    own = {"type": "FolderDataset", "data_root": str(root), "data_prefix": prefix, "ann_file": "train.txt"}
    return {**own, "metainfo": METAINFO, "pipeline": pipeline}


def build(root: Path, **prefix: str) -> FolderDataset:
    config = folder_config(root, **prefix)
    return FolderDataset(**{key: value for key, value in config.items() if key != "type"})


def test_two_images_never_share_a_mask(tmp_path: Path) -> None:
    """One that is listed twice is no two images."""
    for name in ("1.jpg", "1.png", "site/1.png"):
        write_image(tmp_path / "images" / name)
    (tmp_path / "masks").mkdir()
    write_list(tmp_path / "train.txt", ["1.jpg", "site/1.png", "1.jpg"])
    assert len(build(tmp_path, img_path="images", seg_map_path="masks")) == 3
    write_list(tmp_path / "train.txt", ["1.jpg", "site/1.png", "1.png"])
    with pytest.raises(ValueError, match=r"train.txt' lists '1.jpg' and '1.png', .* one mask, '.*masks/1.png': rename"):
        build(tmp_path, img_path="images", seg_map_path="masks")


def test_without_a_folder_of_masks(tmp_path: Path) -> None:
    """Images are read; who needs masks is told what to set."""
    for name in ("1.png", "2.png", "3.png"):
        write_image(tmp_path / "images" / name)
        write_mask(tmp_path / "masks" / name)
    write_list(tmp_path / "train.txt", ["1.png"])
    write_list(tmp_path / "val.txt", ["2.png"])  # beside train.txt, as init writes it
    assert "seg_map_path" not in build(tmp_path, img_path="images").get_data_info(0)
    unlabeled = unlabeled_config(tmp_path)
    with pytest.raises(ValueError, match=r"1.png' has no mask; set data_prefix=dict\(img_path=..., seg_map_path=...\)"):
        PairedDataset(labeled=folder_config(tmp_path, img_path="images"), unlabeled=unlabeled)
    labeled = folder_config(tmp_path, img_path="images", seg_map_path="masks")
    unlabeled = {**folder_config(tmp_path, img_path="images"), "pipeline": unlabeled["pipeline"]}
    assert PairedDataset(labeled=labeled, unlabeled=unlabeled).num_unlabeled == 1
