"""Balanced networks: the same logits but for their shares, in a checkpoint like any other."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import ConcatDataset
from mmengine.registry import init_default_scope
from mmseg.apis import init_model

from mmseg_css.cli.main import call
from mmseg_css.config_files import read_config
from mmseg_css.deployment.balancing import balance_checkpoint, load, shifted
from mmseg_css.deployment.labelled import labelled_pixels
from mmseg_css.functional.balance import balancing_shift
from mmseg_css.models.segmentors.decoding import logits_of
from mmseg_css.registry import DATASETS
from tests.models import helpers  # noqa: F401  (registers TinyBackbone)
from tests.trained import SIDE, MakeConfig

OTHER_LIST = "data/demo/other.txt"


def masks_of(config: Path, listed: str | None = None) -> np.ndarray:
    """Pixels of each class, counted file by file."""
    train = read_config(config).train_dataloader.dataset
    labeled = train.get("labeled") or train.get("dataset") or train
    root = Path(labeled.data_root)
    names = (root / (listed or labeled.ann_file)).read_text().split()
    folder = root / labeled.data_prefix.seg_map_path
    masks = [cv2.imread(str(folder / f"{Path(name).stem}.png"), cv2.IMREAD_UNCHANGED) for name in names]
    return sum(np.bincount(mask.ravel(), minlength=256) for mask in masks)[:5]


def untrained(config: Path, out: Path) -> Path:
    model = init_model(str(config), device="cpu")
    torch.save({"state_dict": model.state_dict(), "meta": {}}, out)  # MMSeg's old checkpoints name no classes
    return out


def logits(config: Path, checkpoint: Path, name: str) -> torch.Tensor:
    model = init_model(str(config), str(checkpoint), device="cpu")
    network = model if not name else model.teacher.model if name == "teacher" else getattr(model, name)
    with torch.no_grad():
        return logits_of(network.eval(), torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)))


def supervised(config: Path, out: Path) -> Path:
    """Of the same labelled half and network, as configs/css/supervised_* have them."""
    cfg = read_config(config)
    cfg.train_dataloader.dataset = {"type": "SeededDataset", "dataset": cfg.train_dataloader.dataset.labeled}
    preprocessor = {**cfg.model.data_preprocessor, "type": "SegDataPreProcessor"}
    cfg.model = {**cfg.model.segmentor, "data_preprocessor": preprocessor}
    cfg.dump(str(out))
    return out


@pytest.mark.parametrize(
    ("method", "networks"), [("css", ["teacher", "student"]), ("cps", ["student", "peer"]), ("supervised", [""])]
)
def test_every_network_says_the_same_but_for_the_shares(
    method: str,
    networks: list[str],
    make_config: MakeConfig,
    tmp_path: Path,
) -> None:
    config = make_config(f"balance-{method}", method=method.replace("supervised", "css"))
    if method == "supervised":
        config = supervised(config, tmp_path.parent / "supervised.py")
    checkpoint, balanced = untrained(config, tmp_path / "plain.pth"), tmp_path / "balanced.pth"
    call(["balance", str(config), str(checkpoint), "--strength", "0.5", "--out", str(balanced)])
    pixels = masks_of(config)
    expected = torch.tensor(-0.5 * np.log(pixels / pixels.sum())).float()[:, None, None]
    for name in networks:
        found = logits(config, balanced, name) - logits(config, checkpoint, name)
        torch.testing.assert_close(found, expected.expand_as(found), rtol=1e-4, atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["balanced.pth", "plain.pth"]


def test_the_table_says_what_test_says_of_each_checkpoint(
    config: Path,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = str(trained / "iter_4.pth")
    asked = ["balance", str(config), checkpoint, "--strengths", "0", "0.7", "--work-dir", str(tmp_path / "tried")]
    call([*asked, "--json", str(tmp_path / "worth.json")])
    table = [line.strip("| ").split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    rows = {strength.strip(): [float(cell) for cell in cells] for strength, *cells in table[1:]}
    balanced = tmp_path / "balanced.pth"
    balance_checkpoint(config, checkpoint, 0.7, balanced)
    for strength, file in (("0", checkpoint), ("0.7", str(balanced))):
        call(["test", str(config), file, "--work-dir", str(tmp_path / strength)])
        [log] = (tmp_path / strength).rglob("*.json")
        said = json.loads(log.read_text().splitlines()[-1])
        assert rows[strength] == pytest.approx([said["mIoU"], said["mAcc"], said["aAcc"]], abs=0.011)
    assert rows["0"] != rows["0.7"]
    written = json.loads((tmp_path / "worth.json").read_text())["strengths"]
    assert {strength: pytest.approx([*of.values()], abs=0.006) for strength, of in written.items()} == rows
    assert [*written["0.7"]] == ["mIoU", "mAcc", "aAcc"]


@pytest.fixture
def labeled(config: Path) -> ConfigDict:
    init_default_scope("mmseg")
    return read_config(config).train_dataloader.dataset.labeled


def test_pixels_are_those_of_the_masks_as_often_as_they_are_drawn(config: Path, labeled: ConfigDict) -> None:
    pixels = masks_of(config)
    assert labelled_pixels(DATASETS.build(labeled)).tolist() == pixels.tolist()
    repeated = ConcatDataset([labeled, {"type": "RepeatDataset", "dataset": labeled, "times": 4}])
    assert labelled_pixels(repeated).tolist() == (5 * pixels).tolist()


def test_a_class_that_is_ignored_has_no_pixels(config: Path, labeled: ConfigDict) -> None:
    others = masks_of(config)[1:].tolist()
    assert labelled_pixels(DATASETS.build({**labeled, "ignore_index": 0})).tolist() == [0, *others]


def test_options_of_the_command_line_are_those_of_the_trial_and_of_the_file(
    config: Path,
    trained: Path,
    tmp_path: Path,
) -> None:
    root = Path(read_config(config).train_dataloader.dataset.labeled.data_root)
    names = (root / read_config(config).train_dataloader.dataset.labeled.ann_file).read_text().split()
    (root / OTHER_LIST).write_text("\n".join(names[:2]) + "\n")
    option = f"train_dataloader.dataset.labeled.ann_file={OTHER_LIST}"
    assert load(config, str(trained / "iter_4.pth"), [option]).pixels.tolist() == masks_of(config, OTHER_LIST).tolist()
    out = tmp_path / "balanced.pth"
    call(
        [
            "balance",
            str(config),
            str(trained / "iter_4.pth"),
            "--strength",
            "1",
            "--out",
            str(out),
            "--cfg-options",
            option,
        ]
    )
    pixels = masks_of(config, OTHER_LIST)
    name = "student.decode_head.conv_seg.bias"
    before, after = (torch.load(file, weights_only=False)["state_dict"][name] for file in (trained / "iter_4.pth", out))
    seen = pixels > 0
    expected = torch.tensor(-np.log(pixels[seen] / pixels.sum())).float()
    torch.testing.assert_close((after - before)[torch.tensor(seen)], expected, rtol=1e-4, atol=1e-4)


def test_of_a_cascade_the_last_head_is_balanced() -> None:
    state = {f"student.decode_head.{index}.conv_seg.bias": torch.zeros(2) for index in range(2)}
    state["student.auxiliary_head.conv_seg.bias"] = torch.zeros(2)
    found = shifted(state, balancing_shift(torch.tensor([9, 1]), 1.0))
    assert [name for name, value in found.items() if value.any()] == ["student.decode_head.1.conv_seg.bias"]


def test_wrong_requests_in_words(config: Path, trained: Path, tmp_path: Path) -> None:
    checkpoint, out = str(trained / "iter_4.pth"), tmp_path / "balanced.pth"
    with pytest.raises(ValueError, match="--strength and --out go together"):
        call(["balance", str(config), checkpoint, "--strength", "0.5"])
    with pytest.raises(ValueError, match="--json and --work-dir are of a trial"):
        call(["balance", str(config), checkpoint, "--strength", "1", "--out", str(out), "--predict-on", "student"])
    with pytest.raises(FileNotFoundError, match="nowhere.pth"):
        balance_checkpoint(config, str(tmp_path / "nowhere.pth"), 0.5, out)
    balance_checkpoint(config, checkpoint, 0.5, out)
    with pytest.raises(FileExistsError, match="name another --out, or .* say --overwrite"):
        balance_checkpoint(config, checkpoint, 0.5, out)
    with pytest.raises(FileExistsError, match="name another --out"):
        balance_checkpoint(config, str(out), 0.5, out, overwrite=True)
    with pytest.raises(ValueError, match="is balanced already, with strength 0.5"):
        balance_checkpoint(config, str(out), 0.5, tmp_path / "twice.pth")
    with pytest.raises(ValueError, match="is balanced already, with strength 0.5"):
        call(["balance", str(config), str(out), "--work-dir", str(tmp_path / "tried")])


def test_an_exported_network_is_still_known_to_be_balanced(config: Path, trained: Path, tmp_path: Path) -> None:
    balance_checkpoint(config, str(trained / "iter_4.pth"), 0.5, tmp_path / "balanced.pth")
    call(["export", str(config), str(tmp_path / "balanced.pth"), str(tmp_path / "plain")])
    [exported] = tmp_path.glob("plain-*.pth")
    assert torch.load(exported, weights_only=True)["meta"]["balance"] == 0.5


def changed(config: Path, out: Path, channels: int = 3, **model: Any) -> Path:
    """The config of another network on the same data."""
    cfg = read_config(config)
    head = {"type": "FCNHead", "in_channels": 8, "in_index": 1, "channels": 4, "num_classes": 5, **model}
    backbone = {"type": "TinyBackbone", "channels": channels}
    preprocessor = {**cfg.model.data_preprocessor, "type": "SegDataPreProcessor"}
    if channels != 3:  # MMEngine takes three values, or one for all channels
        preprocessor |= {"mean": [127.0], "std": [128.0]}
    cfg.model = ConfigDict(
        type="EncoderDecoder",
        data_preprocessor=preprocessor,
        backbone=backbone,
        decode_head=head,
        test_cfg={"mode": "whole"},
    )
    cfg.dump(str(out))
    return out


def test_heads_that_cannot_be_balanced_are_refused(config: Path, tmp_path: Path) -> None:
    binary = changed(config, tmp_path / "binary.py", num_classes=2, out_channels=1, threshold=0.5)
    with pytest.raises(ValueError, match="num_classes=2 and out_channels=1"):
        balance_checkpoint(binary, str(untrained(binary, tmp_path / "binary.pth")), 0.5, tmp_path / "out.pth")
    masks = changed(
        config,
        tmp_path / "masks.py",
        type="SegmenterMaskTransformerHead",
        num_layers=1,
        num_heads=2,
        embed_dims=8,
        dropout_ratio=0.0,
    )
    with pytest.raises(ValueError, match="the logits of a SegmenterMaskTransformerHead are not its conv_seg's"):
        balance_checkpoint(masks, str(untrained(masks, tmp_path / "masks.pth")), 0.5, tmp_path / "out.pth")
    assert not list(tmp_path.glob("out.pth*"))
    other = changed(config, tmp_path / "other.py", num_classes=4)
    with pytest.raises(ValueError, match="was trained with other classes than .*: it has 4, and the labelled images 5"):
        balance_checkpoint(other, str(untrained(other, tmp_path / "other.pth")), 0.5, tmp_path / "out.pth")


def test_a_network_of_four_channels(config: Path, tmp_path: Path) -> None:
    own = changed(config, tmp_path / "four.py", channels=4)
    balance_checkpoint(own, str(untrained(own, tmp_path / "four.pth")), 0.5, tmp_path / "out.pth")
    assert (tmp_path / "out.pth").is_file()


def test_a_head_of_several_outputs_is_balanced_in_the_one_that_predicts(config: Path, tmp_path: Path) -> None:
    own = changed(config, tmp_path / "da.py", type="DAHead", pam_channels=2)
    balance_checkpoint(own, str(untrained(own, tmp_path / "da.pth")), 0.5, tmp_path / "out.pth")
    assert (tmp_path / "out.pth").is_file()


def test_a_config_without_training_images_in_words(config: Path, trained: Path, tmp_path: Path) -> None:
    cfg: Config = read_config(config)
    cfg.train_dataloader = None
    cfg.dump(str(tmp_path / "plain.py"))
    with pytest.raises(ValueError, match="plain.py names no training images"):
        load(tmp_path / "plain.py", str(trained / "iter_4.pth"))
