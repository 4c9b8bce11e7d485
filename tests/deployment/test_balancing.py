"""Balanced networks: the same logits but for their shares, in a checkpoint like any other."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.apis import inference_model, init_model

from mmseg_css.cli.main import call
from mmseg_css.config_files import read_config
from mmseg_css.deployment.balancing import balance_checkpoint, labelled_pixels, shifted
from mmseg_css.functional.balance import balancing_shift
from tests.e2e.conftest import SIDE, config, make_config, trained  # noqa: F401  (fixtures)
from tests.models import helpers  # noqa: F401  (registers TinyBackbone)


def masks_of(config: Path) -> np.ndarray:  # noqa: F811
    """Pixels of each class, counted file by file."""
    labeled = read_config(config).train_dataloader.dataset.labeled
    root = Path(labeled.data_root)
    names = (root / labeled.ann_file).read_text().split()
    folder = root / labeled.data_prefix.seg_map_path
    masks = [cv2.imread(str(folder / f"{Path(name).stem}.png"), cv2.IMREAD_UNCHANGED) for name in names]
    return sum(np.bincount(mask.ravel(), minlength=256) for mask in masks)[:5]


@pytest.mark.parametrize("network", ["teacher", "student"])
def test_every_network_says_the_same_but_for_the_shares(
    config: Path,  # noqa: F811
    trained: Path,  # noqa: F811
    tmp_path: Path,
    network: str,
) -> None:
    balanced = tmp_path / "balanced.pth"
    call(["balance", str(config), str(trained / "iter_4.pth"), "--strength", "0.5", "--out", str(balanced)])
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    before, after = (
        inference_model(
            init_model(str(config), str(file), device="cpu", cfg_options={"model.predict_on": network}), picture
        )
        for file in (trained / "iter_4.pth", balanced)
    )
    pixels = masks_of(config)
    expected = torch.tensor(-0.5 * np.log(pixels / pixels.sum())).float()[:, None, None]
    found = after.seg_logits.data - before.seg_logits.data
    torch.testing.assert_close(found, expected.expand_as(found), rtol=1e-4, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["balanced.pth"]


def test_pixels_are_those_of_the_masks(config: Path) -> None:  # noqa: F811
    assert labelled_pixels(read_config(config)).tolist() == masks_of(config).tolist()


def test_the_table_says_what_test_says_of_each_checkpoint(
    config: Path,  # noqa: F811
    trained: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = str(trained / "iter_4.pth")
    call(["balance", str(config), checkpoint, "--strengths", "0", "0.7", "--work-dir", str(tmp_path / "tried")])
    rows = {
        row[0]: row[1:]
        for line in capsys.readouterr().out.splitlines()
        if len(row := line.strip("| ").split(" | ")) == 4
    }
    balanced = tmp_path / "balanced.pth"
    balance_checkpoint(config, checkpoint, 0.7, balanced)
    for strength, file in (("0", checkpoint), ("0.7", str(balanced))):
        call(["test", str(config), file, "--work-dir", str(tmp_path / strength)])
        [log] = (tmp_path / strength).rglob("*.json")
        said = read_json_line(log)
        row = next(cells for name, cells in rows.items() if name.strip() == strength)
        assert [float(cell) for cell in row] == pytest.approx([said["mIoU"], said["mAcc"], said["aAcc"]], abs=0.011)


def read_json_line(path: Path) -> dict[str, float]:
    return json.loads(path.read_text().splitlines()[-1])


def test_of_a_cascade_the_last_head_is_balanced() -> None:
    state = {f"student.decode_head.{index}.conv_seg.bias": torch.zeros(2) for index in range(2)}
    state["student.auxiliary_head.conv_seg.bias"] = torch.zeros(2)
    found = shifted(state, balancing_shift(torch.tensor([9, 1]), 1.0))
    assert [name for name, value in found.items() if value.any()] == ["student.decode_head.1.conv_seg.bias"]


def test_wrong_requests_in_words(config: Path, trained: Path, tmp_path: Path) -> None:  # noqa: F811
    checkpoint, out = str(trained / "iter_4.pth"), tmp_path / "balanced.pth"
    with pytest.raises(ValueError, match="--strength and --out go together"):
        call(["balance", str(config), checkpoint, "--strength", "0.5"])
    with pytest.raises(FileNotFoundError, match="nowhere.pth"):
        balance_checkpoint(config, str(tmp_path / "nowhere.pth"), 0.5, out)
    balance_checkpoint(config, checkpoint, 0.5, out)
    with pytest.raises(FileExistsError, match="name another --out, or say --overwrite"):
        balance_checkpoint(config, checkpoint, 0.5, out)
    with pytest.raises(ValueError, match="is balanced already, with strength 0.5"):
        balance_checkpoint(config, str(out), 0.5, tmp_path / "twice.pth")
    cfg = Config({"model": {}})
    cfg._filename = "plain.py"
    with pytest.raises(ValueError, match="names no training images"):
        labelled_pixels(cfg)


def test_a_head_whose_logits_are_not_its_classifiers_is_refused(
    config: Path,  # noqa: F811
    trained: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mmseg_css.deployment.balancing.shifted", lambda state, shift: state)
    with pytest.raises(ValueError, match="the logits of a .*Head are not its conv_seg's.*nothing was written"):
        balance_checkpoint(config, str(trained / "iter_4.pth"), 0.5, tmp_path / "balanced.pth")
    assert not list(tmp_path.iterdir())
