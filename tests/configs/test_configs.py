"""Every config reads, builds its data and makes a training step, on stand-in images.

Configs that differ only in the labelled list are shown to differ in nothing else, and their data are built; of each
such group one makes a step, with the whole network and its validation, since ResNet-101 takes seconds.
"""

import re
from copy import deepcopy
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.datasets import PairedDataset, UnlabeledDataset
from mmseg_css.functional.negative_sampling import SAMPLERS
from mmseg_css.models import CSS, PC2Seg
from mmseg_css.registry import DATASETS, MODELS
from tests.configs.helpers import ALL, CONFIGS, LABELED, ROOT, datasets_of, shrink, stand_in, walk

NAMES = [f"{path.parent.name}/{path.stem}" for path in CONFIGS]
METHODS = {"css": CSS, "pc2seg": PC2Seg}
SEMI = [name for name in NAMES if "/supervised" not in name]
# Method, network and data; the labelled list is what comes after.
GROUPS = sorted({name.rsplit("_1-", 1)[0] for name in NAMES})
LEAF_LINES = 18
LIST_LENGTHS = {
    "css/r101_voc": {"1-16": 662, "1-8": 1323, "1-4": 2646, "1-2": 5291},
    "css/r101_cityscapes": {"1-16": 186, "1-8": 372, "1-4": 744, "1-2": 1488},
    "css/r101_ade20k": {"1-8": 2527},
    "css/lite0_camvid": {"1-16": 23, "1-8": 46, "1-4": 92},
    "pc2seg/r50_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r101_voc": {"1-16": 92, "1-8": 183, "1-4": 366, "1-2": 732},
    "pc2seg/r50_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r101_cityscapes": {"1-30": 100, "1-8": 372, "1-4": 744},
    "pc2seg/r50_coco": {"1-512": 232, "1-256": 463, "1-128": 925, "1-64": 1849, "1-32": 3697},
    "pc2seg/lite0_camvid": {"1-16": 23, "1-8": 46, "1-4": 92},
}


def load(name: str) -> Config:
    return Config.fromfile(ROOT / "configs" / f"{name}.py")


def baseline_of(name: str) -> str:
    """The small data sets have one baseline for all methods."""
    folder, own = name.split("/")
    supervised = own.replace(folder, "supervised", 1)
    return f"css/{supervised}" if "_lite0_" in name else f"{folder}/{supervised}"


def group_of(name: str) -> str:
    return name.rsplit("_1-", 1)[0]


def first_of(group: str) -> str:
    main = "1-128" if "coco" in group else "1-8"
    return group if group in NAMES else f"{group}_{main}"


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


def test_all_configs_are_there() -> None:
    expected = {f"{method}/{method}_lite0_demo" for method in METHODS}
    for group, lists in LIST_LENGTHS.items():
        method, rest = group.split("/")
        expected |= {f"{method}/{method}_{rest}_{ratio}" for ratio in lists}
    assert set(NAMES) == expected | {baseline_of(name) for name in expected}


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_leaf_is_a_handful_of_lines(path: Path) -> None:
    """Beside the list of its bases."""
    own = re.sub(r"_base_ = \[.*?\]\n", "", path.read_text(), flags=re.DOTALL)
    assert len(own.splitlines()) <= LEAF_LINES


# -- data -------------------------------------------------------------------------------------------------------------


def images_of(dataset: Any) -> set[str]:
    return {dataset.get_data_info(index)["img_path"] for index in range(len(dataset))}


@pytest.mark.parametrize("name", NAMES)
def test_data_build(name: str, tmp_path: Path) -> None:
    """Labelled and unlabelled images share nothing, and the validation set is there."""
    cfg = load(name)
    stand_in(cfg, tmp_path)
    shrink(cfg)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    labeled = dataset
    if name in SEMI:
        assert isinstance(dataset, PairedDataset)
        assert isinstance(dataset.unlabeled, UnlabeledDataset)
        labeled = dataset.labeled
        assert not images_of(labeled) & images_of(dataset.unlabeled)
        assert len(dataset.unlabeled) == len(ALL) - len(LABELED)
    assert len(labeled) == len(LABELED)
    assert len(DATASETS.build(cfg.val_dataloader.dataset)) > 0
    assert cfg.test_pipeline == cfg.test_dataloader.dataset.pipeline  # which MMSeg's inference_model reads
    classes = [node.num_classes for node in walk(cfg.model) if "num_classes" in node]
    assert classes == [len(labeled.metainfo["classes"])] * len(classes) != []


@pytest.mark.parametrize("name", [name for name in NAMES if "_1-" in name])
def test_labeled_list_fits_the_name(name: str) -> None:
    """Published lists are named with their length, CamVid's lie here. What is labelled is not unlabelled, too."""
    folder, own = name.split("/")
    _, network, data, ratio = own.split("_")
    train, *_ = found = [node for node in datasets_of(load(name)) if node["type"] != "UnlabeledDataset"]
    assert len(found) == 3  # training, validation, test
    path = Path(train["ann_file"])
    length = len((ROOT / path).read_text().split()) if data == "camvid" else int(path.stem.rsplit("-", 1)[1])
    assert length == LIST_LENGTHS[f"{folder}/{network}_{data}"][ratio]
    for node in datasets_of(load(name)):
        if node["type"] == "UnlabeledDataset":
            assert node["exclude"] == train["ann_file"]


def without_list(cfg: Config) -> dict[str, Any]:
    plain = deepcopy(cfg.to_dict())
    plain.pop("labeled_list", None)
    for node in walk(plain["train_dataloader"]):
        node.pop("exclude", None)
        if "seg_map_path" in node.get("data_prefix", {}):
            node.pop("ann_file")
    # Helpers of the files themselves, whose values went into the entries that count.
    return {key: value for key, value in plain.items() if key not in ("labeled", "unlabeled")}


@pytest.mark.parametrize("name", [name for name in NAMES if "_1-" in name])
def test_configs_of_a_group_differ_in_the_list_alone(name: str) -> None:
    assert without_list(load(name)) == without_list(load(first_of(group_of(name))))


@pytest.mark.parametrize("name", SEMI)
def test_supervised_config_matches(name: str) -> None:
    """The same labelled images, as many of them in a batch; the same network, schedule and evaluation."""
    semi, supervised = load(name), load(baseline_of(name))
    ratio = semi.train_dataloader.sampler.ratio
    assert semi.train_dataloader.dataset.labeled == supervised.train_dataloader.dataset
    assert semi.train_dataloader.batch_size * ratio[0] == supervised.train_dataloader.batch_size * sum(ratio)
    for key in ("optim_wrapper", "param_scheduler", "val_dataloader", "val_evaluator", "test_dataloader", "randomness"):
        assert semi[key] == supervised[key], key
    for key in ("max_iters", "val_interval"):
        assert semi.train_cfg[key] == supervised.train_cfg[key], key
    segmentor = semi.model.segmentor.to_dict()
    head = segmentor["decode_head"]
    projection = "ProjectionBranch" if name.startswith("css") else "LinearProjection"
    assert head.pop("projection")["type"] == projection
    # PC2Seg's is linear in what the classifier reads.
    assert head.pop("tap", None) == ("conv_seg" if name.startswith("pc2seg") else None)
    head["type"] = head["type"].replace("Projection", "")
    plain = supervised.model.to_dict()
    preprocessor = plain.pop("data_preprocessor")
    assert segmentor == plain
    assert {**semi.model.data_preprocessor, "type": preprocessor["type"]} == preprocessor


# -- steps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_training_step(group: str, tmp_path: Path) -> None:
    cfg = load(first_of(group))
    stand_in(cfg, tmp_path / "data")
    shrink(cfg)
    cfg.work_dir = str(tmp_path / "work_dir")
    cfg.experiment_name = group.replace("/", "-")
    runner = Runner.from_cfg(cfg)
    before: dict[str, torch.Tensor] = {}

    def keep(module: torch.nn.Module, *_: object) -> None:
        if not before:  # the first iteration, after the weights were initialised
            before.update({name: value.detach().clone() for name, value in module.named_parameters()})

    runner.model.register_forward_pre_hook(keep)
    runner.train()
    parameters = dict(runner.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in parameters.values())
    moved = {name for name, value in parameters.items() if not torch.equal(value, before[name])}
    # Not all of them: residual branches begin with a factor of zero.
    assert next(name for name in parameters if "backbone" in name) in moved
    assert {name for name in parameters if "decode_head" in name} <= moved
    scalars = runner.message_hub.log_scalars
    assert 0 < scalars["train/loss"].current() < 100
    assert 0 <= scalars["val/mIoU"].current() <= 100
    if first_of(group) in SEMI:
        assert isinstance(runner.model, METHODS[group.split("/")[0]])
        assert "train/unsup.loss_contrast" in scalars
    if group.startswith("css/css"):
        assert runner.model.teacher.step == 1
        assert runner.model.bank.seen.any()


# -- the paper's numbers ----------------------------------------------------------------------------------------------

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
    assert (schedule.type, schedule.power, schedule.eta_min, schedule.end) == ("PolyLR", 0.9, 1e-4, 80_000)
    assert not schedule.by_epoch
    assert cfg.train_cfg.max_iters == 80_000
    assert cfg.randomness.seed == 3407
    test = model.segmentor.test_cfg
    assert test.mode == ("slide" if "cityscapes" in name else "whole")


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
    assert cfg.train_cfg.max_iters == (200_000 if "coco" in name else 30_000) == cfg.param_scheduler[0].end
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
