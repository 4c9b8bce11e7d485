"""Two networks to test with, and batches for them.

`TinyBackbone` is an ordinary small network. `ReadBackbone` with `PlainProjectionHead` computes nothing: the first
channels of the image *are* the logits (times a factor), the others the embedding, so that a test decides what the
networks say.
"""

from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmseg_css.models import CSS
from mmseg_css.models.heads import ProjectionMixin
from mmseg_css.registry import MODELS

NUM_CLASSES = 3
EMBEDDING = 2
NORM = {"type": "BN", "requires_grad": True}

#: A backbone of MMSeg's, features of 4 and 8 channels at strides 4 and 8.
TINY_RESNET = {
    "_delete_": True,
    "type": "ResNet",
    "depth": 18,
    "stem_channels": 4,
    "base_channels": 4,
    "num_stages": 2,
    "strides": (1, 2),
    "dilations": (1, 1),
    "out_indices": (0, 1),
}


@MODELS.register_module()
class TinyBackbone(BaseModule):
    """Features at strides 4 and 8, with batch norm and dropout."""

    def __init__(self, channels: int = 3, width: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.low = ConvModule(channels, width, 4, stride=4, norm_cfg=NORM)
        self.deep = ConvModule(width, width, 3, stride=2, padding=1, norm_cfg=NORM)
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        low = self.low(images)
        return low, self.dropout(self.deep(low))


@MODELS.register_module()
class ReadBackbone(BaseModule):
    """The image itself, every ``stride``-th pixel."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (images[:, :, :: self.stride, :: self.stride],)


@MODELS.register_module()
class PlainHead(BaseDecodeHead):
    """A classifier and nothing else."""

    def forward(self, inputs: tuple[Tensor]) -> Tensor:
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class PlainProjectionHead(ProjectionMixin, PlainHead):
    pass


@MODELS.register_module()
class PlainProjection(BaseModule):
    """One 1x1 convolution."""

    def __init__(self, *, in_channels: int, channels: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.conv = nn.Conv2d(in_channels, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return self.conv(features)


def tiny_segmentor(num_classes: int = NUM_CLASSES, channels: int = 3, dropout: float = 0.0, **head: Any) -> dict:
    return {
        "type": "EncoderDecoder",
        "backbone": {"type": "TinyBackbone", "channels": channels, "dropout": dropout},
        "decode_head": {
            "type": "DeepLabV3PlusProjectionHead",
            "in_channels": 8,
            "in_index": 1,
            "channels": 8,
            "low_in_channels": 8,
            "low_channels": 4,
            "dilations": (1, 2),
            "dropout_ratio": 0,
            "num_classes": num_classes,
            "norm_cfg": NORM,
            "align_corners": True,
            "loss_decode": {"type": "PixelCrossEntropyLoss"},
            "projection": {"type": "ProjectionBranch", "channels": EMBEDDING, "hidden": 8},
            **head,
        },
        "test_cfg": {"mode": "whole"},
    }


def read_segmentor(num_classes: int = NUM_CLASSES, stride: int = 1) -> dict:
    width = num_classes + EMBEDDING
    return {
        "type": "EncoderDecoder",
        "backbone": {"type": "ReadBackbone", "stride": stride},
        "decode_head": {
            "type": "PlainProjectionHead",
            "in_channels": width,
            "channels": width,
            "dropout_ratio": 0,
            "num_classes": num_classes,
            "align_corners": True,
            "loss_decode": {"type": "PixelCrossEntropyLoss"},
            "projection": {"type": "PlainProjection", "channels": EMBEDDING},
        },
        "test_cfg": {"mode": "whole"},
    }


# -1 is black, 1 is white. One value goes for any number of channels.
PREPROCESSOR = {"type": "SemiDataPreprocessor", "mean": [127.5], "std": [127.5], "size_divisor": 8}


NO_AUGMENTATION = {
    "type": "StrongAugmentation",
    "scale": (1.0, 1.0),
    "mixing": "none",
    "jitter_probability": 0.0,
    "blur_probability": 0.0,
    "flip_probability": 0.0,
}


def css_config(**changes: Any) -> ConfigDict:
    config = {
        "type": "CSS",
        "segmentor": tiny_segmentor(),
        "data_preprocessor": PREPROCESSOR,
        "teacher": {"decay": 0.99},
        "augmentation": {"type": "StrongAugmentation"},
        "pseudo_label_loss": {"type": "PseudoLabelLoss"},
        "contrast_loss": {"type": "PrototypeContrastLoss", "num_queries": 8, "num_negatives": 16},
    }
    return ConfigDict({**config, **changes})


def build_css(**changes: Any) -> CSS:
    """Initialised and in training mode."""
    torch.manual_seed(0)
    model = MODELS.build(css_config(**changes))
    model.init_weights()
    return model.train()


def build_reading_css(num_classes: int = NUM_CLASSES, stride: int = 1, factor: float = 4.0, **changes: Any) -> CSS:
    """A CSS that reads logits / ``factor`` and embeddings out of the image, and does not augment."""
    model = build_css(
        segmentor=read_segmentor(num_classes, stride),
        **{"augmentation": NO_AUGMENTATION, **changes},
    )
    identity = torch.eye(num_classes + EMBEDDING)[:, :, None, None]
    for network in (model.student, model.teacher.model):
        head = network.decode_head
        with torch.no_grad():
            head.conv_seg.weight.copy_(factor * identity[:num_classes])
            head.conv_seg.bias.zero_()
            head.projection.conv.weight.copy_(identity[num_classes:])
    return model


def random_images(seed: int, batch: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Normalised images, uniform in [-1, 1)."""
    return 2 * torch.rand(batch, channels, *size, generator=torch.Generator().manual_seed(seed)) - 1


def random_labels(seed: int, batch: int, size: tuple[int, int], num_classes: int = NUM_CLASSES) -> Tensor:
    labels = torch.randint(num_classes + 1, (batch, *size), generator=torch.Generator().manual_seed(seed))
    return torch.where(labels == num_classes, 255, labels)


def samples_of(labels: Tensor) -> list[SegDataSample]:
    """MMSeg's samples with these masks."""
    samples = []
    for mask in labels:
        sample = SegDataSample(metainfo={"img_shape": tuple(mask.shape), "ori_shape": tuple(mask.shape)})
        sample.gt_sem_seg = PixelData(data=mask[None])
        samples.append(sample)
    return samples


def samples_without_masks(batch: int, padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> list[SegDataSample]:
    meta = {"padding_size": padding, "img_shape": (32, 32), "ori_shape": (32, 32)}
    return [SegDataSample(metainfo=meta) for _ in range(batch)]


def batch_of(labeled: Tensor, labels: Tensor, unlabeled: Tensor) -> tuple[dict, dict]:
    """Arguments of ``loss``."""
    return (
        {"labeled": labeled, "unlabeled": unlabeled},
        {"labeled": samples_of(labels), "unlabeled": samples_without_masks(len(unlabeled))},
    )


def random_batch(
    seed: int = 0, batch: int = 2, channels: int = 3, size: tuple[int, int] = (32, 32), num_classes: int = NUM_CLASSES
) -> tuple[dict, dict]:
    return batch_of(
        random_images(seed, batch, channels, size),
        random_labels(seed + 1, batch, size, num_classes),
        random_images(seed + 2, batch, channels, size),
    )
