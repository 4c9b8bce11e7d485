"""Every config reads, and is built or shown to equal one that is; those of `STEPS` make a step on stand-in images.

Configs that differ only in the labelled list are shown to differ in nothing else; of each such group one builds its
data and its model. A step has the whole network and its validation; but for the paper's own config ResNet-101 is then
a ResNet-50, and DINOv2 narrow.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import Runner

from mmseg_css.datasets import PairedDataset, UnlabeledDataset
from mmseg_css.datasets.protocols import PROTOCOLS
from mmseg_css.registry import DATASETS, MODELS
from tests.configs.groups import (
    CEILINGS,
    GROUPS,
    LIST_LENGTHS,
    METHODS,
    NAMES,
    PAPER,
    SEMI,
    STEPS,
    baseline_of,
    first_of,
    group_of,
    parts_of,
)
from tests.configs.helpers import ALL, CONFIGS, LABELED, ROOT, datasets_of, load, read, shrink, stand_in, walk

LEAF_LINES = 18


def test_all_configs_are_there() -> None:
    expected = {f"{method}/{method}_lite0_demo" for method in METHODS}
    for group, lists in LIST_LENGTHS.items():
        method, rest = group.split("/")
        expected |= {f"{method}/{method}_{rest}_{ratio}" for ratio in lists}
    assert set(NAMES) == expected | {baseline_of(name) for name in expected} | CEILINGS


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_leaf_is_a_handful_of_lines(path: Path) -> None:
    """Beside the list of its bases."""
    own = re.sub(r"_base_ = \[.*?\]\n", "", path.read_text(), flags=re.DOTALL)
    assert len(own.splitlines()) <= LEAF_LINES


# -- data -------------------------------------------------------------------------------------------------------------


def images_of(dataset: Any) -> set[str]:
    return {dataset.get_data_info(index)["img_path"] for index in range(len(dataset))}


@pytest.mark.parametrize("name", [first_of(group) for group in GROUPS])
def test_data_and_model_build(name: str, tmp_path: Path) -> None:
    """Labelled and unlabelled images share nothing, and the validation set is there; of the model no weights."""
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
    assert len(labeled) == len(ALL if name == "ceiling/ceiling_lite0_camvid" else LABELED)  # it has no list
    assert len(DATASETS.build(cfg.val_dataloader.dataset)) > 0
    assert cfg.test_pipeline == cfg.test_dataloader.dataset.pipeline  # which MMSeg's inference_model reads
    classes = [node.num_classes for node in walk(cfg.model) if "num_classes" in node]
    assert classes == [len(labeled.metainfo["classes"])] * len(classes) != []
    with torch.device("meta"):
        MODELS.build(cfg.model)


@pytest.mark.parametrize("name", [name for name in NAMES if "_1-" in name])
def test_labeled_list_fits_the_name(name: str) -> None:
    """Published lists are named with their length, ours lie here. What is labelled is not unlabelled, too."""
    folder, own = name.split("/")
    *_, network, data, ratio = own.split("_")
    train, *_ = found = [node for node in datasets_of(read(name)) if node["type"] != "UnlabeledDataset"]
    assert len(found) == 3  # training, validation, test
    path = Path(train["ann_file"])
    length = len((ROOT / path).read_text().split()) if path.parts[0] == "configs" else int(path.stem.rsplit("-", 1)[1])
    assert length == LIST_LENGTHS[f"{folder}/{network}_{data}"][ratio]
    for node in datasets_of(read(name)):
        if node["type"] == "UnlabeledDataset":
            assert node["exclude"] == train["ann_file"]


def test_lists_are_files_of_the_registry() -> None:
    files = {f"data/splits/{protocol.file}" for protocol in PROTOCOLS.values()}
    datasets = [read(name).train_dataloader.dataset for name in NAMES if name.startswith(("css/", "pc2seg/"))]
    named = {dataset.get("labeled", dataset).ann_file for dataset in datasets}
    published = {name for name in named if name.startswith("data/splits") and "-own-" not in name}
    assert published and published <= files
    assert not [file for file in files if "-own-" in file]


@cache
def without_list(name: str) -> dict[str, Any]:
    plain = load(name).to_dict()
    plain.pop("labeled_list", None)
    for node in walk(plain["train_dataloader"]):
        node.pop("exclude", None)
        if "seg_map_path" in node.get("data_prefix", {}):
            node.pop("ann_file")
    # Helpers of the files themselves, whose values went into the entries that count.
    return {key: value for key, value in plain.items() if key not in ("labeled", "unlabeled")}


@pytest.mark.parametrize("name", [name for name in NAMES if "_1-" in name])
def test_configs_of_a_group_differ_in_the_list_alone(name: str) -> None:
    assert without_list(name) == without_list(first_of(group_of(name)))


@pytest.mark.parametrize("name", NAMES)
def test_the_schedule_ends_with_the_training(name: str) -> None:
    """Whatever its length, which is said once."""
    for scheduler in read(name).param_scheduler:
        assert "end" not in scheduler and not scheduler.by_epoch


@pytest.mark.parametrize("name", SEMI)
def test_supervised_config_matches(name: str) -> None:
    """The same labelled images, as many of them in a batch; the same network, schedule and evaluation."""
    semi, supervised = read(name), read(baseline_of(name))
    ratio = semi.train_dataloader.sampler.ratio
    assert semi.train_dataloader.dataset.labeled == supervised.train_dataloader.dataset
    assert semi.train_dataloader.batch_size * ratio[0] == supervised.train_dataloader.batch_size * sum(ratio)
    for key in ("optim_wrapper", "param_scheduler", "val_dataloader", "val_evaluator", "test_dataloader", "randomness"):
        assert semi[key] == supervised[key], key
    for key in ("max_iters", "val_interval"):
        assert semi.train_cfg[key] == supervised.train_cfg[key], key
    segmentor = semi.model.segmentor.to_dict()
    head = segmentor["decode_head"]
    projections = {
        "css": "ProjectionBranch",
        "aided_css": "ProjectionBranch",
        "pc2seg": "LinearProjection",
    }  # the others need none
    assert head.pop("projection", {}).get("type") == projections.get(name.split("/")[0])
    # PC2Seg's is linear in what the classifier reads.
    assert head.pop("tap", None) == ("conv_seg" if name.startswith("pc2seg") else None)
    head["type"] = head["type"].replace("Projection", "")
    plain = supervised.model.to_dict()
    preprocessor = plain.pop("data_preprocessor")
    assert segmentor == plain
    assert {**semi.model.data_preprocessor, "type": preprocessor["type"]} == preprocessor


@pytest.mark.parametrize("name", sorted(CEILINGS))
def test_a_ceiling_is_the_baseline_with_all_labels(name: str) -> None:
    ceiling = load(name).to_dict()
    folder = "demo" if name.endswith("demo") else "camvid_1-8"
    supervised = load(f"css/supervised_lite0_{folder}").to_dict()
    all_images = {"demo": "data/demo/splits/train.txt", "camvid_1-8": ""}[folder]
    assert ceiling["train_dataloader"]["dataset"].pop("ann_file") == all_images
    supervised["train_dataloader"]["dataset"].pop("ann_file")
    assert ceiling == supervised


# -- steps ------------------------------------------------------------------------------------------------------------


def test_every_method_network_and_data_set_makes_a_step() -> None:
    """Each method with each of its networks; each network, with unlabelled images, on each of its data sets."""
    every, steps = ({parts_of(group) for group in groups} for groups in (GROUPS, STEPS))
    assert {method for method, *_ in steps} == {*METHODS, "supervised", "ceiling"}
    assert {(method, network) for method, network, _ in every} == {(method, network) for method, network, _ in steps}
    semi = [(network, data) for method, network, data in steps if method in METHODS]
    assert {(network, data) for _, network, data in every} == {*semi}


@pytest.mark.parametrize("group", STEPS)
def test_training_step(group: str, tmp_path: Path) -> None:
    cfg = load(first_of(group))
    stand_in(cfg, tmp_path / "data")
    shrink(cfg)
    for node in walk(cfg.model):
        if node.get("depth") == 101 and group != PAPER:
            node["depth"] = 50
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
    backbone = [name for name, value in parameters.items() if "backbone" in name and value.requires_grad]
    locked = "dinov2" in group and group.endswith(("coco", "ade20k"))
    assert locked != bool(backbone)
    assert set(backbone[:1]) <= moved
    assert {name for name in parameters if "decode_head" in name} <= moved
    scalars = runner.message_hub.log_scalars
    assert 0 < scalars["train/loss"].current() < 100
    assert 0 <= scalars["val/mIoU"].current() <= 100
    if first_of(group) in SEMI:
        assert isinstance(runner.model, METHODS[group.split("/")[0]])
        assert any(name.startswith("train/unsup.loss_") for name in scalars)
        assert runner.model.teacher is None or runner.model.teacher.step == 1
    if group.startswith("css/css"):
        assert runner.model.bank.seen.any()
