"""Checkpoints of before: tests/data holds one of each format and method, packed, to be added to and never replaced.

Each is of two iterations of `benchmarks/tiny.py`, with a narrower network, and knows its config.
"""

import gzip
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmseg_css.engine.checkpoints import FORMAT, META_KEY
from mmseg_css.preparation.demo import generate
from tests.configs.helpers import ROOT, datasets_of
from tests.trained import train

DATA = ROOT / "tests" / "data"
FILES = sorted(DATA.glob("*_format_*.pth.gz"))


@pytest.mark.parametrize("method", ["css", "pc2seg"])
@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_there_is_a_checkpoint_of_every_format(method: str, number: int) -> None:
    assert DATA / f"{method}_format_{number}.pth.gz" in FILES


@pytest.mark.parametrize("packed", FILES, ids=lambda path: path.name)
def test_training_goes_on_from_an_old_checkpoint(packed: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "iter_2.pth"
    checkpoint.write_bytes(gzip.decompress(packed.read_bytes()))
    meta = torch.load(checkpoint, weights_only=True)["meta"]
    assert f"_format_{meta[META_KEY]['format']}." in packed.name
    generate(tmp_path / "data" / "demo", size=32, train=24, val=4, labeled=(8, 20))
    cfg = Config.fromstring(meta["cfg"], ".py")
    for dataset in datasets_of(cfg):
        dataset["data_root"] = str(tmp_path)
        if dataset["type"] == "DemoDataset":  # which had other classes then
            metainfo = {key: meta["dataset_meta"][key] for key in ("classes", "palette")}
            dataset.update(type="BaseSegDataset", metainfo=metainfo, img_suffix=".png", seg_map_suffix=".png")
    cfg.train_cfg.max_iters = 3
    cfg.experiment_name = cfg.visualizer.name = packed.name
    cfg.dump(str(tmp_path / "old.py"))
    train(tmp_path / "old.py", tmp_path / "work", "--resume", str(checkpoint))
    state = torch.load(tmp_path / "work" / "iter_3.pth", weights_only=True)
    assert state["meta"]["iter"] == 3
    assert state["state_dict"].get("teacher._extra_state", 3) == 3
