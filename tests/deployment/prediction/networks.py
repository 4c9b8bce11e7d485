"""A network that says of each pixel which channel is the largest, and one of random weights."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_css.registry import MODELS
from tests.models.helpers import css_config, tiny_segmentor

META = {"dataset_meta": {"classes": ("sky", "grass", "brick"), "palette": [[0, 0, 255], [0, 255, 0], [255, 0, 0]]}}
PIPELINE = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
PREPROCESSOR = {"type": "SegDataPreProcessor", "mean": [127.5], "std": [127.5], "size": (16, 16)}


class Trained(NamedTuple):
    """The paths of a config and of a checkpoint."""

    config: Path
    checkpoint: Path


def reading(**changes: Any) -> dict:
    """Blue is sky, green is grass, red is brick."""
    head = {
        "type": "PlainHead",
        "in_channels": 3,
        "channels": 3,
        "num_classes": 3,
        "dropout_ratio": 0,
        "align_corners": False,
        "loss_decode": {"type": "PixelCrossEntropyLoss"},
    }
    segmentor = {"type": "EncoderDecoder", "backbone": {"type": "ReadBackbone"}, "decode_head": head}
    return {**segmentor, "data_preprocessor": PREPROCESSOR, "test_cfg": {"mode": "whole"}, **changes}


def tiny(**changes: Any) -> dict:
    segmentor = tiny_segmentor()
    segmentor["decode_head"] = {**segmentor["decode_head"], "type": "DeepLabV3PlusHead"}
    del segmentor["decode_head"]["projection"]
    return {**segmentor, "data_preprocessor": PREPROCESSOR, **changes}


def css(**changes: Any) -> dict:
    return dict(css_config(data_preprocessor={**PREPROCESSOR, "type": "SemiDataPreprocessor"}, **changes))


def save(folder: Path, model: dict, *, meta: dict | None = None, **config: Any) -> Trained:
    """Write a config without classes and data, and a checkpoint of it."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.init_weights()
    if model.get("backbone", {}).get("type") == "ReadBackbone":
        weight = built.decode_head.conv_seg.weight
        weight.data = 4 * torch.eye(3)[-len(weight) :, :, None, None]
        built.decode_head.conv_seg.bias.data.zero_()
    folder.mkdir(parents=True, exist_ok=True)
    trained = Trained(folder / "config.py", folder / "iter_1.pth")
    content = {"model": model, "default_scope": "mmseg", "test_dataloader": {"dataset": {"pipeline": PIPELINE}}}
    Config({**content, **config}).dump(trained.config)
    torch.save({"state_dict": built.state_dict(), "meta": META if meta is None else meta}, trained.checkpoint)
    return trained
