"""mmseg-css init: masks of every kind, from the folder to a training step, on images of some 40 pixels."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.apis import inference_model

from mmseg_css.cli.main import call
from mmseg_css.preparation.leaves import DEFAULT, METHODS
from mmseg_css.registry import MODELS
from tests.configs.groups import METHODS as METHODS_WITH_CONFIGS
from tests.configs.helpers import ROOT, shrink
from tests.preparation.own_data.conftest import (
    COLOURS,
    SIDE,
    assert_labels,
    labels_of,
    names,
    run,
    write,
    write_images,
    write_masks,
    write_palette,
)


def make_step(cfg: Config, name: str) -> Runner:
    """One iteration with its validation."""
    shrink(cfg, 32)
    cfg.work_dir = "work_dirs/test"
    cfg.experiment_name = name
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert all(torch.isfinite(value).all() for value in runner.model.parameters())
    assert 0 <= runner.message_hub.log_scalars["val/mIoU"].current() <= 100
    return runner


def write_binary() -> list[str]:
    """Grey images, masks of 0 and 255, unlabelled images in a folder of their own."""
    write_images(names(5), channels=1)
    write_images(names(3, ".jpg"), channels=1, folder="more")
    write_masks(names(5), factor=255, classes=2)
    return ["more"]


def write_coloured() -> list[str]:
    """Names with spaces and umlauts in subfolders, endings mixed; masks with an ending of their own, in colours."""
    own = [f"Süd {number % 2}/Straße {number}" for number in range(5)]
    write_images([f"{name}{'.JPG' if number % 2 else '.png'}" for number, name in enumerate(own)])
    for number, name in enumerate(own):
        write(f"masks/{name}_label.png", COLOURS[labels_of(number)])
    write_images(["Süd 1/ohne Maske.tiff", "Nord.bmp"])
    return []


def write_four_channels() -> list[str]:
    write_images(names(4, ".tif"), channels=4)
    write_images(names(2, ".tif"), channels=4, folder="more")
    write_masks(names(4))
    return ["more"]


def write_one_image() -> list[str]:
    write_images(names(3))
    write_masks(names(1))
    return []


@pytest.mark.parametrize(
    ("write_data", "classes", "channels"),
    [
        (write_binary, 2, 3),
        (write_coloured, 3, 3),
        (write_palette, 3, 3),
        (write_four_channels, 3, 4),
        (write_one_image, 3, 3),
    ],
)
def test_css_trains(write_data, classes: int, channels: int) -> None:
    cfg = run(*write_data())
    if write_data not in (write_palette, write_four_channels):  # whose images need another loader
        assert_labels(cfg, classes)
    runner = make_step(cfg, write_data.__name__)
    assert runner.model.teacher.step == 1
    assert runner.train_dataloader.dataset.num_unlabeled > 1
    assert runner.model.student.backbone.timm_model.model.conv_stem.in_channels == channels
    runner.model.cfg = runner.cfg
    image = sorted(path for path in Path("images").rglob("*.*"))[0]
    result = inference_model(runner.model, str(image))
    assert result.seg_logits.data.shape == (classes, SIDE, SIDE)
    assert result.pred_sem_seg.data.max() < classes


@pytest.mark.parametrize(
    ("method", "write_data", "channels"),
    [("supervised", write_palette, 3), ("supervised", write_four_channels, 4), ("aided_css", write_four_channels, 4)],
)
def test_supervised_and_aided_css_train(method: str, write_data, channels: int) -> None:
    run(*write_data())
    cfg = Config.fromfile(f"configs/own/{method}_lite0_own.py")
    runner = make_step(cfg, f"own-{method}-{channels}")
    model = runner.model if method == "supervised" else runner.model.student
    assert (model.decode_head.num_classes, model.decode_head.out_channels) == (3, 3)
    assert model.backbone.timm_model.model.conv_stem.in_channels == channels


ASKED_FOR = [method for method in METHODS if method not in DEFAULT]


@pytest.mark.parametrize(
    ("method", "write_data", "channels"),
    [*((method, write_four_channels, 4) for method in ASKED_FOR), (ASKED_FOR[0], write_palette, 3)],
)
def test_methods_that_are_asked_for_train(method: str, write_data, channels: int) -> None:
    call(["init", "images", "masks", *write_data(), "--methods", method, "supervised"])
    written = {path.name for path in Path("configs/own").glob("*.py")}
    assert written == {f"{method}_lite0_own.py", "supervised_lite0_own.py"}
    runner = make_step(Config.fromfile(f"configs/own/{method}_lite0_own.py"), f"own-{method}-{channels}")
    assert runner.model.student.backbone.timm_model.model.conv_stem.in_channels == channels


def test_every_method_has_a_config_for_ones_own_images() -> None:
    assert {*METHODS} == {"supervised", *METHODS_WITH_CONFIGS}


def test_what_the_page_says_to_change() -> None:
    """docs/own-data.md: network, loss and length, each in the shared file; with four channels, the harder case."""
    run(*write_four_channels())
    page = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
    [loss] = re.findall(r"`(loss_decode=.*)`", page)
    shared = Path("configs/own/_base_/data.py")
    text = shared.read_text().replace("deeplabv3plus_efficientnet-lite0.py", "deeplabv3plus_r50_os16.py")
    text = text.replace("num_classes=len(classes)", f"num_classes=len(classes), {loss}")
    assert "`max_iters` in `_base_/data.py`" in page
    shared.write_text(text.replace("max_iters = 3500", "max_iters = 10000"))
    cfg = Config.fromfile("configs/own/css_lite0_own.py")
    assert cfg.train_cfg == {"type": "PairedTrainLoop", "max_iters": 10000, "val_interval": 500}
    shrink(cfg, 32)
    segmentor = MODELS.build(cfg.model.segmentor)
    assert segmentor.backbone.depth == 50
    assert segmentor.backbone.conv1.in_channels == 4
    assert segmentor.decode_head.conv_seg.out_channels == 3
    assert segmentor.decode_head.loss_decode.min_kept == 30000


def test_pretrained_weights_but_for_the_first_convolution_of_four_channels(tmp_path: Path) -> None:
    backbone = {"type": "TIMMBackbone", "model_name": "tf_efficientnet_lite0", "pretrained": False}
    pretrained = MODELS.build(backbone)
    torch.save({"state_dict": pretrained.state_dict()}, tmp_path / "weights.pth")
    init_cfg = {"type": "Pretrained", "checkpoint": str(tmp_path / "weights.pth")}
    four = MODELS.build({**backbone, "in_channels": 4, "init_cfg": init_cfg})
    four.init_weights()
    different = [
        name for name, value in pretrained.state_dict().items() if not torch.equal(value, four.state_dict()[name])
    ]
    assert different == ["timm_model.conv_stem.weight"]
