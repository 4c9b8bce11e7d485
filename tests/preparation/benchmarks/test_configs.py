"""The data sets of the configs read what was prepared."""

import re

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmseg_css.preparation.benchmarks import RECIPES
from mmseg_css.registry import DATASETS
from tests.preparation.benchmarks.conftest import LENGTHS, REPOSITORY, Miniature


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("voc", "voc"),
        ("voc", "voc_fine"),
        ("cityscapes", "cityscapes"),
        ("cityscapes", "cityscapes_weak"),
        ("coco", "coco"),
        ("camvid", "camvid"),
        ("ade20k", "ade20k"),
    ],
)
def test_data_sets_of_the_configs_read_it(prepared: Miniature, base: str) -> None:
    cfg = Config.fromfile(REPOSITORY / "configs/_base_/datasets" / f"{base}.py")
    place = {"data_root": str(prepared.base)}
    pair = {"type": "PairedDataset", "labeled": {**cfg.labeled, **place}, "unlabeled": {**cfg.unlabeled, **place}}
    dataset = DATASETS.build(pair)  # which checks every labelled mask
    train, val = LENGTHS[prepared.name]
    assert (dataset.num_labeled, dataset.num_unlabeled) == (1, train - 1)
    validation = DATASETS.build({**cfg.val_dataloader.dataset, **place})
    assert len(validation) == val
    sample = validation[0]["data_samples"]
    with Image.open(sample.seg_map_path) as image:
        labels = np.array(image)
    if prepared.name == "camvid":
        labels[labels == 11] = 255
    if prepared.name == "ade20k":
        labels = np.where(labels == 0, 255, labels - 1)
    assert np.array_equal(sample.gt_sem_seg.data[0], labels)


def test_lists_of_the_configs_are_known() -> None:
    known = {str(recipe.splits / entry.file) for recipe in RECIPES.values() for entry in recipe.lists}
    texts = [path.read_text() for path in (REPOSITORY / "configs").rglob("*.py")]
    # But those of a study, which stand for several: `tests/configs/test_evidence.py`.
    named = {name for text in texts for name in re.findall(r'"((?:data|configs)/splits/[^"{]+)"', text)}
    assert named >= known
    # Those of data sets that no command prepares lie here.
    assert all((REPOSITORY / name).is_file() for name in named - known)
