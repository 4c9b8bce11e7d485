"""``mmseg-css train`` and ``mmseg-css test``, up to the config that the Runner gets."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from mmengine.config import ConfigDict

from mmseg_css import compat
from mmseg_css.cli.main import call, run
from mmseg_css.engine import testing
from tests.configs.groups import GROUPS, first_of

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
model = dict(type='EncoderDecoder')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
test_dataloader = dict(dataset=dict(pipeline=[]))
test_evaluator = dict(type='IoUMetric')
default_hooks = dict(visualization=dict(type='SegVisualizationHook'))
visualizer = dict(type='SegLocalVisualizer')
"""


@pytest.fixture
def config(tmp_path) -> str:
    path = tmp_path / "small.py"
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture
def checkpoint(tmp_path) -> str:
    path = tmp_path / "iter_1.pth"
    path.touch()
    return str(path)


def train_cfg_and_notes(*arguments: str):
    with patch("mmseg_css.engine.training.train") as train:
        call(["train", *arguments])
    return train.call_args.args


def train_cfg(*arguments: str):
    return train_cfg_and_notes(*arguments)[0]


def evaluation_cfgs(*arguments: str):
    with patch("mmseg_css.engine.testing.evaluate", return_value={}) as evaluate:
        call(["test", *arguments])
    return [testing.load_cfg(*one.args, **one.kwargs)[0] for one in evaluate.call_args_list]


def evaluation_cfg(*arguments: str):
    [cfg] = evaluation_cfgs(*arguments)
    return cfg


def test_train_defaults(config):
    cfg = train_cfg(config)
    assert cfg.work_dir == "work_dirs/small"
    assert cfg.launcher == "none"
    assert cfg.optim_wrapper.type == "OptimWrapper"
    assert not cfg.get("resume")


def test_train_options(config, checkpoint):
    cfg = train_cfg(config, "--work-dir", "here", "--cfg-options", "optim_wrapper.optimizer.lr=0.5")
    assert (cfg.work_dir, cfg.optim_wrapper.optimizer.lr) == ("here", 0.5)
    assert train_cfg(config, "--amp").optim_wrapper.type == (
        "CpuAmpOptimWrapper" if compat.on_cpu() else "AmpOptimWrapper"
    )


@pytest.mark.parametrize("option", [("--resume",), ("--resume", "auto"), ("--cfg-options", "resume=True")])
def test_resume_from_the_latest(config, tmp_path, option):
    torch.save({}, tmp_path / "iter_1.pth")
    cfg = train_cfg(config, *option, "--work-dir", str(tmp_path))
    assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / "iter_1.pth"))


def test_resume_before_there_is_a_checkpoint_starts_as_the_config_says(config, tmp_path):
    options = ["--resume", "--work-dir", str(tmp_path / "new"), "--cfg-options", "load_from=pretrained.pth"]
    cfg, notes = train_cfg_and_notes(config, *options)
    assert (cfg.resume, cfg.load_from) == (False, "pretrained.pth")
    assert "no checkpoint" in notes[0]


def test_resume_from_a_file(config, checkpoint):
    cfg = train_cfg(config, "--resume", checkpoint)
    assert (cfg.resume, cfg.load_from) == (True, checkpoint)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{config}", "--resume", "nowhere.pth"], "no checkpoint nowhere.pth"),
        (["{config}", "--cfg-options", "a=1", "lr"], "--cfg-options: expected KEY=VALUE, got 'lr'"),
    ],
)
def test_train_says_what_is_wrong(config, capsys, arguments, said):
    assert run(["train", *(argument.format(config=config) for argument in arguments)]) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_test_options(config, checkpoint):
    cfg = evaluation_cfg(config, checkpoint, "--out", "maps", "--show-dir", "pictures", "--work-dir", "here")
    assert (cfg.load_from, cfg.resume, cfg.work_dir) == (checkpoint, False, "here")
    assert cfg.test_evaluator.output_dir == "maps"
    assert cfg.default_hooks.visualization.draw
    assert cfg.visualizer.save_dir == "pictures"
    assert "predict_on" not in cfg.model


class TeacherAndStudent:
    def __init__(self, *, predict_on: str = "teacher") -> None:
        self.predict_on = predict_on


class Inheriting(TeacherAndStudent):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)


@pytest.mark.parametrize("kind", [TeacherAndStudent, Inheriting])
def test_predict_on_is_found(kind):
    assert testing.takes_predict_on(ConfigDict(type=kind))


def test_predict_on_of_css():
    assert testing.takes_predict_on(ConfigDict(type="CSS"))


def test_predict_on_both_keeps_folders_apart(config, checkpoint, monkeypatch):
    monkeypatch.setattr(testing, "takes_predict_on", lambda model: True)
    cfgs = evaluation_cfgs(config, checkpoint, "--predict-on", "both", "--out", "maps", "--work-dir", "here")
    for network, cfg in zip(("teacher", "student"), cfgs, strict=True):
        assert cfg.model.predict_on == network
        assert (cfg.work_dir, cfg.test_evaluator.output_dir) == (f"here/{network}", f"maps/{network}")


@pytest.mark.parametrize(
    ("options", "said"), [([], "teacher"), (["--cfg-options", "model.predict_on=student"], "student")]
)
@pytest.mark.parametrize("teacher", [True, False])
def test_which_network_is_evaluated_is_said(config, checkpoint, monkeypatch, options, said, teacher):
    monkeypatch.setattr(testing, "takes_predict_on", lambda model: True)
    if teacher:
        with open(config, "a") as file:
            file.write("model['teacher'] = dict(decay=0.9)\n")
    with patch("mmseg_css.engine.testing.evaluate", return_value={}) as evaluate:
        call(["test", config, checkpoint, *options])
    _, notes = testing.load_cfg(*evaluate.call_args.args)
    assert [note for note in notes if "evaluated is" in note] == (
        [f"evaluated is the {said} (--predict-on)"] if teacher else []
    )


def test_predict_on_of_a_plain_segmentor_is_refused(config, checkpoint):
    with pytest.raises(ValueError, match=r"\(EncoderDecoder\) has no teacher and student"):
        evaluation_cfg(config, checkpoint, "--predict-on", "student")


def test_tta_of_the_config(config, checkpoint):
    with open(config, "a") as file:
        file.write("tta_model = dict(type='SegTTAModel')\ntta_pipeline = [dict(type='LoadImageFromFile')]\n")
    cfg = evaluation_cfg(config, checkpoint, "--tta")
    assert cfg.model.to_dict() == {"type": "SegTTAModel", "module": {"type": "EncoderDecoder"}}
    assert cfg.test_dataloader.dataset.pipeline[0].type == "LoadImageFromFile"


def test_tta_of_ours_keeps_how_images_are_loaded(checkpoint):
    cfg = evaluation_cfg(str(ROOT / "configs/css/css_lite0_camvid_1-8.py"), checkpoint, "--tta")
    load, resize, augment = cfg.test_dataloader.dataset.pipeline
    assert (load.type, resize.scale, augment.type) == ("LoadImageFromFile", (160, 120), "TestTimeAug")
    scales, flips, annotations, pack = augment.transforms
    assert [step.scale_factor for step in scales] == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert [step.prob for step in flips] == [0.0, 1.0]
    assert [annotations[0].type, pack[0].type] == ["LoadAnnotations", "PackSegInputs"]
    assert (cfg.model.type, cfg.model.module.type) == ("SegTTAModel", "CSS")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("whole", {"mode": "whole"}),
        ("slide_769", {"mode": "slide", "crop_size": (769, 769), "stride": (513, 513)}),
        ("slide_801", {"mode": "slide", "crop_size": (801, 801), "stride": (534, 534)}),
    ],
)
def test_evaluation_by_another_protocol(checkpoint, name, expected):
    """It replaces the config's, and reaches the network of semi-supervised and plain models."""
    protocol = ("--evaluation", str(ROOT / f"configs/_base_/evaluation/{name}.py"))
    for method in ("css", "supervised"):
        for data in ("voc", "cityscapes"):
            cfg = evaluation_cfg(str(ROOT / f"configs/css/{method}_r101_{data}_1-8.py"), checkpoint, *protocol)
            assert cfg.model.get("segmentor", cfg.model).test_cfg == expected


def test_a_file_that_is_no_protocol_is_refused(checkpoint):
    config = str(ROOT / "configs/css/css_r101_voc_1-8.py")
    with pytest.raises(ValueError, match=r"multi_scale_flip.py: the file sets no model.test_cfg; pass --tta instead"):
        evaluation_cfg(config, checkpoint, "--evaluation", str(testing.MULTI_SCALE_FLIP))
    with pytest.raises(ValueError, match=r"sets no model.test_cfg; name one of configs/_base_/evaluation"):
        evaluation_cfg(config, checkpoint, "--evaluation", str(ROOT / "configs/_base_/default_runtime.py"))


def test_protocols_of_the_data_sets(checkpoint):
    """Whole images on VOC and COCO, on Cityscapes a window that moves by two thirds of itself."""
    for name, mode in (
        ("css/css_r101_voc", "whole"),
        ("pc2seg/pc2seg_r50_coco", "whole"),
        ("css/css_r101_city", "slide"),
    ):
        groups = [group for group in GROUPS if group.startswith(name)]  # whose configs differ in the list alone
        assert groups
        for group in groups:
            cfg = evaluation_cfg(str(ROOT / "configs" / f"{first_of(group)}.py"), checkpoint)
            test_cfg = cfg.model.segmentor.test_cfg
            assert test_cfg.mode == mode
            if mode == "slide":
                assert test_cfg.stride == tuple(round(side * 2 / 3) for side in test_cfg.crop_size) == (513, 513)
            assert not any("Resize" in step.type for step in cfg.test_pipeline)  # the original size


def test_comparison_table():
    table = testing.comparison({"teacher": {"mIoU": 41.25, "mAcc": 50.0}, "student": {"mIoU": 40.0}})
    assert "| predicted by |  mIoU |  mAcc |" in table
    assert "|   student    | 40.00 |       |" in table


def test_predictions_in_a_window(config, checkpoint):
    hook = evaluation_cfg(config, checkpoint, "--show", "--wait-time", "0.5").default_hooks.visualization
    assert (hook.draw, hook.interval, hook.show, hook.wait_time) == (True, 1, True, 0.5)
    assert "show" not in evaluation_cfg(config, checkpoint).default_hooks.visualization


def test_tta_augments_every_data_set(config, checkpoint):
    """Each reads its images as before."""
    with open(config, "a") as file:
        file.write(
            "def data(backend):\n    load = dict(type='LoadImageFromFile', imdecode_backend=backend)\n"
            "    return dict(pipeline=[load, dict(type='LoadAnnotations'), dict(type='PackSegInputs')])\n"
            "datasets = [data('cv2'), dict(dataset=data('pillow'))]\n"
            "test_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=datasets))\n"
        )
    one, other = evaluation_cfg(config, checkpoint, "--tta").test_dataloader.dataset.datasets
    for pipeline, backend in ((one.pipeline, "cv2"), (other.dataset.pipeline, "pillow")):
        assert [step.type for step in pipeline] == ["LoadImageFromFile", "TestTimeAug"]
        assert pipeline[0].imdecode_backend == backend


def test_tta_of_data_without_a_pipeline(config, checkpoint):
    with open(config, "a") as file:
        file.write("test_dataloader = dict(dataset=dict(type='BaseSegDataset'))\n")
    with pytest.raises(ValueError, match=r"--tta: test_dataloader\.dataset .* has no pipeline to augment"):
        evaluation_cfg(config, checkpoint, "--tta")


def test_a_protocol_of_the_package_by_its_name(config, checkpoint):
    cfg = evaluation_cfg(config, checkpoint, "--evaluation", "mmseg_css::_base_/evaluation/slide_801.py")
    assert cfg.model.test_cfg.crop_size == (801, 801)


def test_an_evaluation_fetches_no_pretrained_weights(config, checkpoint):
    with open(config, "a") as file:
        file.write("model = dict(type='EncoderDecoder', backbone=dict(type='TIMMBackbone', pretrained=True))\n")
    assert evaluation_cfg(config, checkpoint).model.backbone.pretrained is False


def test_mixed_precision_of_nothing(tmp_path):
    path = tmp_path / "none.py"
    path.write_text("model = dict(type='EncoderDecoder')")
    with pytest.raises(ValueError, match=r"--amp: .*none\.py has no optim_wrapper"):
        train_cfg(str(path), "--amp")
