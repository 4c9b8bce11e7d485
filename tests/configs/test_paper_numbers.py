"""The numbers that the papers state, and the ablations that the documentation lists."""

import re
from operator import attrgetter
from types import SimpleNamespace

import pytest
import torch

from mmseg_css.functional.negative_sampling import SAMPLERS
from mmseg_css.registry import MODELS
from tests.configs.helpers import CONFIGS, ROOT, load, read

PAPER = {
    "css/css_r101_voc_1-8": {"classes": 21, "crop": 512, "scale": (0.5, 1.5), "strong": 0.8, "batch": (8, 8)},
    "css/css_r101_cityscapes_1-8": {"classes": 19, "crop": 769, "scale": (0.5, 2.0), "strong": 0.97, "batch": (4, 4)},
}


@pytest.mark.parametrize("name", PAPER)
def test_numbers_of_the_paper(name: str) -> None:
    cfg, paper = load(name), PAPER[name]
    model, head, loader = cfg.model, cfg.model.segmentor.decode_head, cfg.train_dataloader
    crop = (paper["crop"], paper["crop"])

    assert (model.type, model.strategy, model.get("indicator", "similarity"), model.get("cross_warmup", 0)) == (
        "CSS",
        "mix",
        "similarity",
        0,
    )
    assert (model.strong_threshold, model.weak_threshold) == (paper["strong"], 0.7)
    assert (model.temperature, model.prototype_decay) == (0.5, 0.99)
    assert (model.teacher.decay, model.teacher.mode, model.teacher.buffers) == (0.99, "train", "own")
    assert model.teacher_sees == "both"
    assert model.get("predict_on", "teacher") == "teacher"
    assert model.pseudo_label_loss == {"type": "PseudoLabelLoss", "threshold": 0.97}
    # Negatives that the queries of a class share have the distribution of the paper's independent ones.
    contrast = {"num_queries": 256, "num_negatives": 512, "sharing": "per_class", "temperature": 0.5}
    assert model.contrast_loss == {"type": "PrototypeContrastLoss", **contrast}

    assert (head.num_classes, head.align_corners, head.dropout_ratio) == (paper["classes"], True, 0)
    assert (head.dilations, head.channels, head.low_channels) == ((1, 12, 24, 36), 256, 48)
    supervised = head.loss_decode
    if "cityscapes" in name:
        assert supervised == {"type": "OhemCrossEntropyLoss", "threshold": 0.7, "min_kept": 50_000}
    else:
        assert supervised == {"type": "PixelCrossEntropyLoss"}
    assert head.norm_cfg.type == "SyncBN"

    augmentation = model.augmentation
    assert (augmentation.crop, augmentation.scale, augmentation.mixing) == (crop, paper["scale"], "cutmix")
    labeled = {step["type"]: step for step in loader.dataset.labeled.pipeline}
    unlabeled = {step["type"]: step for step in loader.dataset.unlabeled.pipeline}
    # Cityscapes' images have one size; those of VOC have not, and each is scaled by a factor of its own.
    resize = labeled["RandomResize"]["ratio_range"] if "cityscapes" in name else labeled["RandomScale"]["scale"]
    assert resize == paper["scale"]
    assert labeled["RandomCrop"]["crop_size"] == unlabeled["RandomCrop"]["crop_size"] == crop
    assert model.data_preprocessor.size == crop

    per_round = loader.batch_size // sum(loader.sampler.ratio)
    assert tuple(part * per_round for part in loader.sampler.ratio) == paper["batch"]
    optimizer = {"type": "SGD", "lr": 6.4e-3, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    assert cfg.optim_wrapper.optimizer == optimizer
    [schedule] = cfg.param_scheduler
    assert (schedule.type, schedule.power, schedule.eta_min) == ("PolyLR", 0.9, 1e-4)
    assert not schedule.by_epoch
    assert cfg.train_cfg.max_iters == 80_000
    assert cfg.randomness.seed == 3407
    test = model.segmentor.test_cfg
    assert test.mode == ("slide" if "cityscapes" in name else "whole")


@pytest.mark.parametrize("name", [path.stem for path in CONFIGS if path.stem.startswith("css_")])
def test_css_scales_unlabelled_images_once(name: str) -> None:
    """With their labels, and not before it labels them, too: twice, 0.5 to 1.5 would be 0.25 to 2.25."""
    cfg = read(f"css/{name}")
    assert cfg.model.augmentation.scale != (1.0, 1.0)
    assert not {"RandomScale", "RandomResize"} & {step.type for step in cfg.train_dataloader.dataset.unlabeled.pipeline}


@pytest.mark.parametrize(
    "name", ["pc2seg/pc2seg_r50_voc_1-8", "pc2seg/pc2seg_r101_voc_1-8", "pc2seg/pc2seg_r50_coco_1-128"]
)
def test_what_the_pc2seg_paper_states(name: str) -> None:
    cfg = load(name)
    segmentor, loader = cfg.model.segmentor, cfg.train_dataloader
    assert segmentor.backbone.depth == (50 if "r50" in name else 101)
    assert str(segmentor.backbone.depth) in segmentor.backbone.init_cfg.checkpoint
    # Output stride 16: the stem's 4, and two stages of stride 2.
    assert (segmentor.backbone.strides, segmentor.backbone.dilations) == ((1, 2, 2, 1), (1, 1, 1, 2))
    assert segmentor.decode_head.loss_decode.type == "PixelCrossEntropyLoss"
    assert segmentor.decode_head.projection.channels == 128
    assert cfg.train_cfg.max_iters == (200_000 if "coco" in name else 30_000)
    for half in (loader.dataset.labeled, loader.dataset.unlabeled):
        [crop] = [step.crop_size for step in half.pipeline if step.type == "RandomCrop"]
        assert crop == cfg.model.data_preprocessor.size == (513, 513)
    augmentation = cfg.model.augmentation
    assert (augmentation.jitter, augmentation.hue, augmentation.jitter_probability) == (0.5, 0.25, 1.0)
    assert augmentation.mixing == "cutout"
    assert cfg.model.contrast_loss.sampler == "different_image_debiased"


def test_the_ablations_in_the_docs_change_what_they_say() -> None:
    """Each one-line override of `docs/pc2seg.md` names a key that the config has, and the built model has the value."""
    table = (ROOT / "docs" / "pc2seg.md").read_text().split("## Ablations in one line")[1].split("\n## ")[0]
    options = re.findall(r"`(model\.[\w.]+)=([\w.]+)`", table)
    assert len({key for key, _ in options}) == 8
    assert set(SAMPLERS) <= set(re.findall(r"\w+", table))
    for key, value in options:
        cfg = load("pc2seg/pc2seg_r50_voc_1-8")
        *parents, last = key.split(".")
        node = cfg
        for parent in parents:
            node = node[parent]
        assert last in node, key
        node[last] = value if value.isidentifier() else float(value) if "." in value else int(value)
        with torch.device("meta"):
            model = MODELS.build(cfg.model)
        assert attrgetter(key.replace("model.segmentor", "model.student"))(SimpleNamespace(model=model)) == node[last]
