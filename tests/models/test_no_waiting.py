"""A training step never reads a value back from its device, which would make the host wait for a GPU.

Meta tensors have shapes and no values: a step that gets along without values runs on them, any other fails.
"""

from contextlib import nullcontext
from typing import Any

import pytest
import torch

from mmseg_css.functional.negative_sampling import SAMPLERS
from mmseg_css.models.segmentors import SemiSegmentor
from mmseg_css.registry import MODELS
from tests.models.helpers import (
    NO_AUGMENTATION,
    batch_of,
    css_config,
    random_images,
    random_labels,
    tiny_segmentor,
)
from tests.models.test_pc2seg import LINEAR, pc2seg_config

SIZE = (32, 32)
OHEM = {"type": "OhemCrossEntropyLoss", "threshold": 0.7, "min_kept": 100}
SEGMENTOR = tiny_segmentor(loss_decode=OHEM)


@pytest.fixture(autouse=True)
def _what_has_no_meta_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    monkeypatch.setattr(SemiSegmentor, "generator", lambda *_: None)
    # MMSeg's own measure of every supervised training, which does read.
    monkeypatch.setattr("mmseg.models.decode_heads.decode_head.accuracy", lambda *_, **__: torch.zeros(()))


def step(config: dict) -> None:
    """Losses, backward pass, teacher and prototypes."""
    model = MODELS.build(config).to("meta").train()
    inputs, samples = batch_of(random_images(0, 2, 3, SIZE), random_labels(1, 2, SIZE), random_images(2, 2, 3, SIZE))
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data = sample.gt_sem_seg.data.to("meta")
    losses = model.loss({name: images.to("meta") for name, images in inputs.items()}, samples)
    model.parse_losses(losses)[0].backward()
    if model.teacher is not None:
        model.teacher.update(model.student)
    if hasattr(model, "bank"):
        model.bank.commit()


@pytest.mark.parametrize("mixing", ["none", "cutout", "cutmix", "classmix"])
@pytest.mark.parametrize("sharing", ["per_query", "per_class"])
def test_css(mixing: str, sharing: str) -> None:
    contrast = {"type": "PrototypeContrastLoss", "num_queries": 8, "num_negatives": 16, "sharing": sharing}
    step(
        css_config(
            segmentor=SEGMENTOR,
            augmentation={"type": "StrongAugmentation", "mixing": mixing},
            contrast_loss=contrast,
        )
    )


@pytest.mark.parametrize(
    "changes",
    [{"strategy": "logit"}, {"strategy": "cross", "confidence_decay": 0.9}, {"indicator": "confidence"}],
    ids=str,
)
def test_variants_of_css(changes: dict[str, Any]) -> None:
    step(css_config(segmentor=SEGMENTOR, **changes))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_pc2seg(sampler: str) -> None:
    contrast = {"type": "PixelContrastLoss", "num_anchors": 8, "num_negatives": 16, "sampler": sampler}
    segmentor = tiny_segmentor(loss_decode=OHEM, tap="conv_seg", projection=LINEAR)
    step(pc2seg_config(segmentor=segmentor, contrast_loss=contrast))


def test_a_read_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmseg_css.models.recolouring.draw_blur", lambda *_: torch.rand(1, device="meta").item())
    with pytest.raises(RuntimeError, match="meta"):
        step(css_config(segmentor=SEGMENTOR, augmentation={**NO_AUGMENTATION, "blur_probability": 1.0}))
