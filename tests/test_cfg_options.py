"""Options of the command line change something, or are refused."""

import re

import pytest
from mmengine.config import Config

from mmseg_css.cfg_options import merge_options, parse_options
from tests.configs.helpers import load

LEAF = "css/css_lite0_camvid_1-8"


@pytest.mark.parametrize(
    ("option", "instead"),
    [
        ("max_iters=20", "all of these that it stands for: train_cfg.max_iters, "),
        (
            "crop_size=(64,64)",
            "all of these that it stands for: model.data_preprocessor.size, train_dataloader.dataset.labeled.",
        ),
        ("unlabeled.exclude=other.txt", "train_dataloader.dataset.unlabeled.exclude; or change unlabeled in the file"),
        ("labeled.ann_file=other.txt", "train_dataloader.dataset.labeled.ann_file; or change labeled in the file"),
    ],
)
def test_variables_of_the_file_are_refused_with_what_they_stand_for(option: str, instead: str) -> None:
    name = re.split(r"[.=]", option)[0]
    with pytest.raises(ValueError, match=f"{name} is a variable of the config file.*set {re.escape(instead)}"):
        merge_options(load(LEAF), parse_options([option]))


def test_unlabelled_images_of_a_config_of_labels_alone_are_read() -> None:
    """By `suggest`."""
    cfg = load("css/supervised_lite0_camvid_1-8")
    merge_options(cfg, {"unlabeled.exclude": "other.txt"})
    assert cfg.unlabeled.exclude == "other.txt"


def test_a_variable_that_stands_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="set what it is used for; or change depth in the file"):
        merge_options(Config({"depth": 50}), {"depth": 101})


def test_what_is_read_is_set() -> None:
    cfg = load(LEAF)
    merge_options(cfg, parse_options(["train_cfg.max_iters=7", "tta_model.type=Mine", "compile=True"]))
    assert (cfg.train_cfg.max_iters, cfg.tta_model.type, cfg.compile) == (7, "Mine", True)


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("lr=0.5", "is optim_wrapper.optimizer.lr meant"),
        ("batch_size=2", "train_dataloader.batch_size meant"),
        ("seed=1", "is randomness.seed meant"),
        ("optimizer.lr=1", "is optim_wrapper.optimizer.lr meant"),
        ("data.samples_per_gpu=2", "nothing would read it$"),
    ],
)
def test_what_nothing_reads_is_refused_with_what_is_probably_meant(option: str, meant: str) -> None:
    """A sweep over it would train the same run each time."""
    with pytest.raises(ValueError, match=f"no setting begins with {re.split(r'[.=]', option)[0]}, .*{meant}"):
        merge_options(load(LEAF), parse_options([option]))


@pytest.mark.parametrize(
    "value", ["{'decay':0.9,'mode':'train'}", "dict(decay=0.9,mode='train')", "[dict(type='EMAHook')]", "[1, {'a':2}]"]
)
def test_a_dict_is_refused_with_what_to_write_instead(value: str) -> None:
    with pytest.raises(ValueError, match=r"no dicts; set each of its keys, as model\.teacher\.NAME=VALUE"):
        parse_options([f"model.teacher={value}"])


@pytest.mark.parametrize("pair", ["model.teacher", "=1"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(ValueError, match="expected KEY=VALUE"):
        parse_options([pair])


@pytest.mark.parametrize("pair", ["a=[1,2", "a=1,2]", "a=((1,2)"])
def test_a_bracket_that_nothing_closes(pair: str) -> None:
    with pytest.raises(ValueError, match=rf"--cfg-options {re.escape(pair)}: .*close each bracket"):
        parse_options(["b=1", pair])


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("my images/train set", "my images/train set"),
        ("'my images'", "my images"),
        ("[my images, b]", ["myimages", "b"]),  # as MMEngine reads lists
        ("(1, 2)", (1, 2)),
        (" 3", 3),
    ],
)
def test_a_path_may_have_spaces(value: str, read: object) -> None:
    assert parse_options([f"a.b={value}"]) == {"a.b": read}


def test_several_options_are_all_read() -> None:
    assert parse_options(["a.b=1", "c=[x,y]", "d=(1,2)", "a.b=2"]) == {"a.b": 2, "c": ["x", "y"], "d": (1, 2)}


def test_the_test_pipeline_is_a_variable_where_the_data_have_one() -> None:
    cfg = load(LEAF)
    instead = r"val_dataloader\.dataset\.pipeline\.1\.scale, test_dataloader\.dataset\.pipeline\.1\.scale; or"
    with pytest.raises(ValueError, match=rf"test_pipeline is a variable .*set all of these .*: {instead}"):
        merge_options(cfg, {"test_pipeline.1.scale": (8, 8)})
    alone = Config({"test_pipeline": [{"type": "LoadImageFromFile"}], "test_dataloader": None})
    merge_options(alone, {"test_pipeline.0.type": "Mine"})
    assert alone.test_pipeline[0].type == "Mine"
