"""What an export says of parts that MMSeg lacks, and what it keeps of those that it has."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.registry import init_default_scope
from mmseg.apis import inference_model, init_model
from mmseg.datasets import BaseSegDataset
from mmseg.models import SegDataPreProcessor

from mmseg_css.cli.main import run
from mmseg_css.deployment import plain
from mmseg_css.deployment.plain import Exported, export_segmentor
from mmseg_css.deployment.plain_data import make_dataset_plain
from mmseg_css.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from tests.deployment.prediction.networks import PIPELINE, PREPROCESSOR, Trained, save
from tests.models.helpers import TINY_RESNET

SMALLER = [PIPELINE[0], {"type": "Resize", "scale": (16, 16)}, *PIPELINE[1:]]
DATA = {"type": "BaseSegDataset", "data_prefix": {"img_path": "images"}, "pipeline": SMALLER}


def plain_network(**changes: Any) -> dict:
    """All of MMSeg's own."""
    head = {"type": "FCNHead", "in_channels": 8, "in_index": 1, "channels": 4, "num_convs": 1, "num_classes": 3}
    backbone = {key: value for key, value in TINY_RESNET.items() if key != "_delete_"}
    model = {"type": "EncoderDecoder", "backbone": backbone, "decode_head": head, "test_cfg": {"mode": "whole"}}
    return {**model, "data_preprocessor": PREPROCESSOR, **changes}


def with_data(dataset: dict, evaluator: Any = None) -> dict[str, Any]:
    """What a config says of a test."""
    return {
        "test_dataloader": {"dataset": dataset},
        "test_cfg": {},
        "test_evaluator": evaluator or {"type": "IoUMetric"},
    }


def export(own: Trained, out: Path) -> tuple[Exported, Config]:
    exported = export_segmentor(own.config, str(own.checkpoint), out)
    return exported, Config.fromfile(exported.config)


def test_mmsegs_inference_reads_pictures_as_the_test_does(tmp_path: Path) -> None:
    """It looks at ``test_pipeline``, which the config may have left from its bases."""
    own = save(tmp_path, plain_network(), **with_data(DATA), test_pipeline=PIPELINE)
    exported, cfg = export(own, tmp_path / "out")
    assert exported.notes == [] and cfg.test_pipeline == cfg.test_dataloader.dataset.pipeline == SMALLER
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    model = init_model(str(exported.config), str(exported.checkpoint), device="cpu")
    assert inference_model(model, picture).metainfo["img_shape"] == (16, 16)


class Upside(BaseTransform):
    """Of one's own."""

    def transform(self, results: dict) -> dict:
        results["img"] = results["img"][::-1]
        return results


class Sorted(BaseSegDataset):
    """Of one's own."""


class Counting(BaseMetric):
    """Of one's own."""


class Inverting(SegDataPreProcessor):
    """Of one's own."""


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    init_default_scope("mmseg")
    for registry, kind in ((TRANSFORMS, Upside), (DATASETS, Sorted), (METRICS, Counting), (MODELS, Inverting)):
        registry.register_module(name=kind.__name__, force=True)(kind)


def test_transforms_of_ones_own_are_noted() -> None:
    upside = {"type": "Upside"}
    for pipeline in (
        [PIPELINE[0], upside, *PIPELINE[1:]],
        [PIPELINE[0], {"type": "RandomChoice", "transforms": [[upside], [SMALLER[1]]]}, *PIPELINE[1:]],
    ):
        for cfg in (Config(with_data({**DATA, "pipeline": pipeline})), Config({"test_pipeline": pipeline})):
            [note] = make_dataset_plain(cfg)
            assert "since MMSeg lacks Upside: add both" in note and not {"test_dataloader", "test_pipeline"} & {*cfg}
    known = [PIPELINE[0], {"type": "Albu", "transforms": [{"type": "HorizontalFlip"}]}, *PIPELINE[1:]]
    assert make_dataset_plain(Config(with_data({**DATA, "pipeline": known}))) == []


def test_data_sets_of_ones_own_are_noted() -> None:
    own = {**DATA, "type": "Sorted"}
    for dataset in (
        own,
        {"type": "ConcatDataset", "datasets": [DATA, own]},
        {"type": "SeededDataset", "dataset": DATA},
    ):
        cfg = Config(with_data(dataset))
        [note] = make_dataset_plain(cfg)
        lacking = "SeededDataset" if "dataset" in dataset else "Sorted"
        assert f"no data to evaluate on, since MMSeg lacks {lacking}" in note
        assert cfg.test_pipeline == [step for step in SMALLER if step["type"] != "LoadAnnotations"]


def test_metrics_that_mmseg_lacks_are_noted() -> None:
    ours, iou = {"type": "PerImageIoUMetric", "areas_file": "areas.npz"}, {"type": "IoUMetric", "iou_metrics": ["mIoU"]}
    for given, kept, said in (
        (ours, [iou], "PerImageIoUMetric, which MMSeg lacks: MMSeg's IoUMetric takes its place"),
        ([{"type": "Counting"}], [iou], "Counting, which MMSeg lacks: MMSeg's IoUMetric"),
        ([{"type": "Counting"}, iou], [iou], "Counting, which MMSeg lacks: the rest is measured"),
    ):
        cfg = Config(with_data(DATA, given))
        [note] = make_dataset_plain(cfg)
        assert said in note and cfg.test_evaluator == kept


def test_a_preprocessor_of_ones_own_is_refused(tmp_path: Path) -> None:
    """MMSeg's in its place would show the network other pictures."""
    own = save(tmp_path, plain_network(data_preprocessor={**PREPROCESSOR, "type": "Inverting"}), **with_data(DATA))
    with pytest.raises(ValueError, match=r"data_preprocessor\.type = 'Inverting' is not MMSeg's"):
        export(own, tmp_path / "out")


@pytest.mark.parametrize("place", ["backbone", "decode_head"])
def test_parts_that_nobody_knows_are_explained(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A logger of another test may still write to what that test's stderr was, which logging tells with a traceback.
    monkeypatch.setattr("logging.raiseExceptions", False)
    own = save(tmp_path, plain_network(), **with_data(DATA))
    cfg = Config.fromfile(own.config)
    cfg.model[place].type += "s"
    cfg.dump(own.config)
    assert run(["export", str(own.config), str(own.checkpoint), str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert f"model.{place}" in error and "did you mean" in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("meta", "names"),
    [
        ({"CLASSES": ["a", "b", "c"], "PALETTE": [[0, 0, 1]] * 3}, ["a", "b", "c"]),  # MMSeg 0.x
        ({"dataset_meta": {"classes": ("a", "b", "c"), "reduce_zero_label": True}}, ["a", "b", "c"]),
        (None, ["class_0", "class_1", "class_2"]),
    ],
)
def test_classes_stay(meta: dict | None, names: list[str], tmp_path: Path) -> None:
    own = save(tmp_path, plain_network(), **with_data(DATA))
    saved = torch.load(own.checkpoint, weights_only=True)
    torch.save({**saved, "meta": meta}, own.checkpoint)
    exported, _ = export(own, tmp_path / "out")
    found = torch.load(exported.checkpoint, weights_only=True)["meta"]["dataset_meta"]
    assert list(found["classes"]) == names and len(found["palette"]) == 3
    assert found.get("reduce_zero_label") == ((meta or {}).get("dataset_meta") or {}).get("reduce_zero_label")


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backbone of timm would fetch weights that the checkpoint replaces, here and wherever the config goes."""
    own = save(tmp_path, plain_network(), **with_data(DATA))
    cfg = Config.fromfile(own.config)
    cfg.model.backbone.pretrained = True
    cfg.dump(own.config)
    built = MODELS.get("ResNet").__init__

    def offline(self: Any, *arguments: Any, pretrained: Any = None, **settings: Any) -> None:
        assert not pretrained
        built(self, *arguments, **settings)

    monkeypatch.setattr(MODELS.get("ResNet"), "__init__", offline)
    assert export(own, tmp_path / "out")[1].model.backbone.pretrained is False


def test_a_folder_that_is_there_is_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = save(tmp_path / "work", plain_network(), **with_data(DATA))
    (tmp_path / "exported").mkdir()
    exported, _ = export(own, tmp_path / "exported")
    assert (
        exported.config == tmp_path / "exported" / "config.py" and exported.checkpoint.parent == exported.config.parent
    )
    shutil.rmtree(tmp_path / "exported")
    (tmp_path / "exported").mkdir()
    monkeypatch.chdir(tmp_path / "exported")
    assert export(own, Path("."))[0].config.resolve() == exported.config


def test_weights_that_cannot_be_written_leave_no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For which the next call would be refused."""

    def full(*_: Any) -> None:
        raise OSError("no space left")

    own = save(tmp_path / "work", plain_network(), **with_data(DATA))
    monkeypatch.setattr(plain, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        export(own, tmp_path / "out")
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize("out", ["", "config"])
def test_the_config_itself_is_not_replaced(out: str, tmp_path: Path) -> None:
    """Whose folder one may name, and say --overwrite."""
    own = save(tmp_path, plain_network(), **with_data(DATA))
    before = own.config.read_bytes()
    with pytest.raises(FileExistsError, match=r"config\.py is the CONFIG itself, which is not replaced"):
        export_segmentor(own.config, str(own.checkpoint), tmp_path / out, overwrite=True)
    assert own.config.read_bytes() == before and len([*tmp_path.iterdir()]) == 2
