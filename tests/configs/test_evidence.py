"""The study's configs: what a method gets on CamVid is what CamVid's own config has, and all sets train alike."""

import math
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmseg_css.datasets.splits import fingerprint
from mmseg_css.locations import CONFIGS
from mmseg_css.preparation.own_data.budget import steps_for
from mmseg_css.preparation.study import Plan, read_plan, write_leaves
from tests.configs.helpers import ROOT, load

STUDY = CONFIGS / "evidence" / "study.py"
#: Training images.
IMAGES = {"camvid": 367, "idd_lite": 1403, "labelmefacade": 745, "neu_seg": 1200, "car_parts": 400}
PLAN = read_plan(STUDY)
ABLATED = ("aided_css", "aided_css_absolute", "aided_css_strict", "aided_css_truth", "css_relative")
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, Path]]]:
    return write_leaves(PLAN, PLAN.parts, tmp_path_factory.mktemp("configs"))


@cache
def read(path: Path) -> Config:
    """For those who change nothing in it."""
    return Config.fromfile(path)


def what_counts(cfg: Config) -> dict[str, Any]:
    keys = ("model", "optim_wrapper", "param_scheduler", "val_dataloader", "val_evaluator", "default_hooks")
    found = {key: cfg[key].to_dict() if hasattr(cfg[key], "to_dict") else cfg[key] for key in keys}
    loader = cfg.train_dataloader.to_dict()
    loader.pop("num_workers")
    return found | {"train_dataloader": loader, "max_iters": cfg.train_cfg.max_iters}


@pytest.mark.parametrize("method", PLAN.parts["all methods"].methods)
def test_camvid_is_that_of_its_own_configs(method: str, configs: dict) -> None:
    leaf = read(configs["all methods"]["camvid"][method])
    assert what_counts(leaf) == what_counts(load(f"{method}/{method}_lite0_camvid_1-16"))


def test_camvids_ceiling_is_that_of_its_own_configs(configs: dict) -> None:
    leaf = read(configs["all methods"]["camvid"]["all_labels"])
    assert what_counts(leaf) == what_counts(load("ceiling/ceiling_lite0_camvid"))


@pytest.mark.parametrize("data", IMAGES)
def test_data_sets_differ_in_data_alone(data: str, configs: dict) -> None:
    plan: Plan = PLAN
    compared = [
        (part, spec, called, fraction)
        for part, spec in plan.parts.items()
        for called, (of, fraction) in spec.sets().items()
        if of == data
    ]
    for part, spec, called, fraction in compared:
        for method, path in configs[part][called].items():
            cfg = read(path)
            if data != "camvid":  # with which the others are compared
                other = read(configs[part][called.replace(data, "camvid")][method])
                assert cfg.optim_wrapper == other.optim_wrapper
                own, theirs = (dict(one.model.get("segmentor", one.model)) for one in (cfg, other))
                assert own["backbone"] == theirs["backbone"]
            listed = cfg.train_dataloader.dataset.get("labeled", cfg.train_dataloader.dataset)
            expected = "" if method == "all_labels" else f"configs/splits/{data}/{fraction}.txt"
            assert listed.ann_file == expected
            labeled = len((ROOT / f"configs/splits/{data}/{fraction}.txt").read_text().split())
            steps = spec.steps or steps_for(IMAGES[data] - labeled)
            assert cfg.train_cfg.max_iters == steps
            assert cfg.default_hooks.checkpoint.interval == cfg.train_cfg.max_iters


@pytest.mark.parametrize("data", [data for data in IMAGES if data != "camvid"])
def test_lists_are_of_the_data_and_nested(data: str) -> None:
    few, many = ({*(ROOT / f"configs/splits/{data}/{part}.txt").read_text().split()} for part in ("1-30", "1-8"))
    assert few < many
    assert (len(few), len(many)) == (-(-IMAGES[data] // 30), -(-IMAGES[data] // 8))
    page = (ROOT / "configs" / "splits" / "README.md").read_text()
    assert f"`{fingerprint(few)[:12]}`, `{fingerprint(many)[:12]}`" in page


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} missing")
@pytest.mark.parametrize("data", [data for data in IMAGES if data != "camvid"])
def test_lists_name_images_that_there_are(data: str) -> None:
    images = {path.stem for path in (SHARED / data / "images" / "train").iterdir()}
    assert {*(ROOT / f"configs/splits/{data}/1-8.txt").read_text().split()} < images
    assert len(images) == IMAGES[data]


def test_lists_of_other_shares_are_those_of_the_page() -> None:
    page = (ROOT / "configs" / "splits" / "camvid" / "README.md").read_text()
    for name in PLAN.parts["imbalance"].fraction:
        images = {*(ROOT / f"configs/splits/camvid/{name}.txt").read_text().split()}
        assert len(images) == 13
        assert fingerprint(images)[:12] in next(line for line in page.splitlines() if f"`{name}.txt`" in line)


def test_another_length_changes_nothing_else(configs: dict) -> None:
    """And the ceiling of that length is shared by the fractions."""
    for method, path in configs["1000 steps"]["camvid 1-16"].items():
        short, long = (deepcopy(read(one)) for one in (path, configs["all methods"]["camvid"][method]))
        for cfg in (short, long):
            length = cfg.train_cfg.max_iters
            assert cfg.default_hooks.checkpoint.pop("interval") == length
        counted = what_counts(short), what_counts(long)
        assert [one.pop("max_iters") for one in counted] == [1000, 3500]
        assert counted[0] == counted[1]
    assert configs["1000 steps"]["camvid 1-16"]["all_labels"] == configs["1000 steps"]["camvid 1-8"]["all_labels"]


def test_several_lists_of_a_data_set_count_as_data_sets(configs: dict) -> None:
    lists = configs["three lists"]
    assert [*lists] == ["camvid 1-30", "camvid 1-16", "camvid 1-8"]
    assert lists["camvid 1-16"]["css"] == configs["budgets 1-16"]["camvid"]["css"]
    assert len({methods["supervised"] for methods in lists.values()}) == 3
    assert len({methods["all_labels"] for methods in lists.values()}) == 1
    assert PLAN.block_sizes()["camvid 1-8"] == PLAN.blocks["camvid"]


@pytest.mark.parametrize(("part", "data"), [("spaces on the demo", "demo"), ("spaces", "camvid")])
def test_a_second_network_changes_nothing_else(part: str, data: str, configs: dict) -> None:
    """Neither the lists, which lie elsewhere for both."""
    for method, path in configs[part][f"{data}_mobilenetv2"].items():
        first, second = (what_counts(read(one)) for one in (configs[part][data][method], path))
        networks = [one["model"].get("segmentor", one["model"]) for one in (first, second)]
        assert [one.pop("backbone")["model_name"] for one in networks] == ["tf_efficientnet_lite0", "mobilenetv2_100"]
        assert [one["decode_head"].pop("in_channels") for one in networks] == [112, 96]
        means = [[one["model"]["data_preprocessor"].pop(key)[0] for key in ("mean", "std")] for one in (first, second)]
        assert means == [[127.0, 128.0], [123.675, 58.395]]
        assert first == second


def test_the_demo_trains_as_its_own_configs(configs: dict) -> None:
    """But for CSS's hue, which is the one of all data sets, and all labels, which need no list."""
    leaves = configs["spaces on the demo"]["demo"]
    for method, own in (("supervised", "css/supervised_lite0_demo"), ("css", "css/css_lite0_demo")):
        leaf, config = what_counts(read(leaves[method])), what_counts(load(own))
        if method == "css":
            assert leaf["model"]["augmentation"].pop("hue") == 0.1
        assert leaf == config
    every, ceiling = what_counts(read(leaves["all_labels"])), what_counts(load("ceiling/ceiling_lite0_demo"))
    lists = [one["train_dataloader"]["dataset"].pop("ann_file") for one in (every, ceiling)]
    assert lists == ["", "data/demo/splits/train.txt"] and every == ceiling


def test_a_variant_is_its_method_under_other_settings(configs: dict) -> None:
    of_camvid = configs["1-30 others"]["camvid"]
    logit, cross = (read(of_camvid[name]).model for name in ("css_logit", "css_cross"))
    assert (logit.type, logit.strategy) == ("CSS", "logit")
    assert (cross.strategy, cross.cross_warmup) == ("cross", 200)
    ablated = [read(configs["parts of aided_css"]["camvid"][name]).model for name in ABLATED]
    assert [model.confidence_decay for model in ablated] == [0.97, None, 0.97, None, 0.97]
    assert [model.pseudo_label_loss.threshold for model in ablated] == [0.9, 0.9, 1.0, 1.0, 0.9]
    assert [model.augmentation.get("labeled_share", 0) for model in ablated] == [0.5, 0.5, 0.5, 0.5, 0]
    assert {model.pseudo_label_loss.type for model in ablated} == {"MaskedPseudoLabelLoss"}
    # So that some pixel of 14 classes can be confident: the largest similarity.
    largest = math.exp(1 / cross.temperature)
    assert cross.pseudo_label_loss.threshold < largest / (largest + 13 / largest)
