"""A trained network leaves as an ordinary MMSeg model, which works where this package cannot be imported."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmseg.apis import inference_model, init_model

from mmseg_css.cli.main import call
from mmseg_css.deployment import Predictor
from mmseg_css.deployment.plain import Exported, check_parts, export_segmentor, network_weights
from mmseg_css.deployment.plain_data import make_dataset_plain
from mmseg_css.registry import MODELS
from tests.configs.helpers import load, shrink
from tests.deployment.alone import INFER, PREDICT, TEST, run_alone
from tests.deployment.prediction.networks import save, tiny
from tests.models import helpers  # noqa: F401  (registers TinyBackbone)
from tests.trained import SIDE, MakeConfig, train

#: A class that maps label values itself, and pictures that are made smaller.
STREET = {
    "test_dataloader.dataset.type": "CamVidDataset",
    "test_dataloader.dataset.pipeline": [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "scale": (SIDE // 2, SIDE // 2)},
        {"type": "LoadAnnotations"},
        {"type": "PackSegInputs"},
    ],
}


class Case(NamedTuple):
    """A config with its checkpoint, what was exported of them, and the file with what that says alone."""

    config: Path
    checkpoint: Path
    exported: Exported
    said: Path


def narrow_dpt(folder: Path) -> tuple[Path, Path]:
    """DINOv2's own, with a tiny encoder."""
    cfg = load("unimatch_v2/unimatch_v2_dinov2-b_voc_1-8")
    shrink(cfg)
    cfg.dump(folder / "config.py")
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    meta = {"dataset_meta": {"classes": [str(index) for index in range(21)], "palette": [[0, 0, 0]] * 21}}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, folder / "iter_1.pth")
    return folder / "config.py", folder / "iter_1.pth"


@pytest.fixture(scope="module")
def cases(
    config: Path, trained: Path, make_config: MakeConfig, image: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Case]:
    """All are read by one process."""
    root = tmp_path_factory.mktemp("cases")
    last = trained / "iter_4.pth"
    sources = {"dpt": narrow_dpt(root), "street": (make_config("street", STREET), last), "paper": (config, last)}
    found = {
        name: Case(*source, export_segmentor(source[0], str(source[1]), root / name / "model"), root / f"{name}.npz")
        for name, source in sources.items()
    }
    scripts = {"dpt": PREDICT, "street": INFER, "paper": TEST}
    run_alone((scripts[name], case.exported, image, case.said) for name, case in found.items())
    return found


def test_the_paper_head_predicts_the_same_without_this_package(
    cases: dict[str, Case], image: Path, tmp_path: Path
) -> None:
    """Its teacher; its student, and both networks of every other method, in test_export_methods.py."""
    config, checkpoint, exported, said = cases["paper"]
    assert exported.notes == []
    assert exported.checkpoint.name.startswith("model-") and len(exported.checkpoint.stem) == len("model-") + 8
    weights = torch.load(exported.checkpoint, weights_only=True)["state_dict"]
    assert not any(name.startswith("decode_head.projection.") for name in weights)

    alone = np.load(said)
    ours = init_model(str(config), str(checkpoint), device="cpu")
    expected = inference_model(ours, str(image))
    np.testing.assert_array_equal(alone["logits"], expected.seg_logits.data.numpy())
    assert alone["classes"].tolist() == list(ours.dataset_meta["classes"])

    tested = tmp_path / "tested"
    call(["test", str(config), str(checkpoint), "--work-dir", str(tested), "--predict-on", "teacher"])
    [metrics] = [path for path in tested.rglob("*.json") if "vis_data" not in str(path)]
    miou = json.loads(metrics.read_text().splitlines()[-1])["mIoU"]
    assert np.load(f"{said}.miou.npy") == pytest.approx(miou, abs=1e-4)


def test_dpt_of_maps_predicts_the_same_without_this_package(cases: dict[str, Case], image: Path) -> None:
    config, checkpoint, _, said = cases["dpt"]
    ours = init_model(str(config), str(checkpoint), device="cpu")
    expected = inference_model(ours, str(image)).seg_logits.data.numpy()
    np.testing.assert_array_equal(np.load(said)["logits"], expected)
    assert np.ptp(expected) > 0


def test_without_its_data_the_config_still_predicts_alike(cases: dict[str, Case], image: Path) -> None:
    config, checkpoint, exported, said = cases["street"]
    assert len(exported.notes) == 1
    own = Predictor(config, checkpoint, device="cpu")
    [expected] = own.predict([own.prepare(image)], probabilities=True)
    found = torch.from_numpy(np.load(said)["logits"]).softmax(dim=0)
    np.testing.assert_allclose(found.numpy(), expected.probabilities, atol=1e-5)


def test_a_head_of_mmseg_needs_no_definition(make_config: MakeConfig, tmp_path: Path) -> None:
    changes = {
        "model.segmentor.decode_head": {
            "_delete_": True,
            "type": "FCNProjectionHead",
            "projection": {"type": "LinearProjection", "channels": 8},
            "in_channels": 112,
            "in_index": 1,
            "channels": 8,
            "num_convs": 1,
            "num_classes": 5,
            "norm_cfg": {"type": "BN"},
        },
        "train_cfg": {"max_iters": 1, "val_begin": 100},
    }
    path = make_config("fcn", changes, method="pc2seg")
    work_dir = train(path, tmp_path / "work")
    exported = export_segmentor(path, str(work_dir / "iter_1.pth"), tmp_path / "fcn")
    assert "register_head" not in exported.config.read_text()
    with pytest.raises(FileExistsError, match="fcn.py is there already; name another OUT, or say --overwrite"):
        export_segmentor(path, str(work_dir / "iter_1.pth"), tmp_path / "fcn")
    assert export_segmentor(path, str(work_dir / "iter_1.pth"), tmp_path / "fcn", overwrite=True) == exported
    assert init_model(str(exported.config), str(exported.checkpoint), device="cpu").decode_head.num_classes == 5


def test_wrong_requests_in_words(config: Path, make_config: MakeConfig, trained: Path, tmp_path: Path) -> None:
    checkpoint = str(trained / "iter_4.pth")
    with pytest.raises(ValueError, match="has no teacher"):
        export_segmentor(make_config("no-teacher", method="pc2seg"), checkpoint, tmp_path / "x", "teacher")
    torch.save({"state_dict": {"other.weight": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth is not a checkpoint of this config's CSS: .* are missing"):
        export_segmentor(config, str(tmp_path / "other.pth"), tmp_path / "x")


def test_what_was_exported_can_be_exported_again(config: Path, trained: Path, tmp_path: Path) -> None:
    """To add an ONNX file."""
    first = export_segmentor(config, str(trained / "iter_4.pth"), tmp_path / "model")
    again = export_segmentor(first.config, str(first.checkpoint), tmp_path / "again")
    assert again.config.read_text() == first.config.read_text() and again.notes == []
    one, other = (torch.load(file.checkpoint, weights_only=True)["state_dict"] for file in (first, again))
    assert [*one] == [*other] and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("place", ["backbone", "neck", "decode_head", "auxiliary_head"])
def test_parts_of_ones_own_are_not_exported(place: str, tmp_path: Path) -> None:
    own = {"backbone": "TinyBackbone", "neck": "OwnNeck"}.get(place, "PlainHead")
    if place == "neck" and own not in MODELS.module_dict:
        MODELS.register_module(name=own)(type(own, (MODELS.get("Feature2Pyramid"),), {}))
    model = ConfigDict(
        type="EncoderDecoder", backbone={"type": "UNet"}, neck=None, decode_head={"type": "FCNHead"}, auxiliary_head=[]
    )
    check_parts(model)
    model[place] = {"type": own}
    with pytest.raises(ValueError, match=f"the {place} {own} is not MMSeg's, so that no plain config names it"):
        check_parts(model)


def test_nothing_is_written_of_a_network_with_parts_of_ones_own(tmp_path: Path) -> None:
    own = save(tmp_path / "own", tiny())
    with pytest.raises(ValueError, match="the backbone TinyBackbone is not MMSeg's"):
        export_segmentor(own.config, str(own.checkpoint), tmp_path / "out" / "model")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pipeline", [[{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}], None])
def test_a_config_without_test_data(
    make_config: MakeConfig,
    trained: Path,
    tmp_path: Path,
    pipeline: list | None,
) -> None:
    absent = dict.fromkeys(("test_dataloader", "test_evaluator", "test_cfg"))
    config = make_config(f"no-data-{pipeline is None}", {**absent, "test_pipeline": pipeline})
    exported = export_segmentor(config, str(trained / "iter_4.pth"), tmp_path / "model")
    assert Config.fromfile(exported.config).get("test_pipeline") == pipeline
    assert "test_dataloader" not in exported.config.read_text()
    assert ["neither test data nor a test pipeline" in note for note in exported.notes] == [True] * (pipeline is None)


def test_a_checkpoint_of_another_model_is_not_exported(
    make_config: MakeConfig,
    trained: Path,
    tmp_path: Path,
) -> None:
    """Which MMSeg would load as far as it fits, without an error."""
    checkpoint = str(trained / "iter_4.pth")
    with pytest.raises(ValueError, match="this config's PC2Seg: .* are unknown to the model .*its work dir"):
        export_segmentor(make_config("other", method="pc2seg"), checkpoint, tmp_path / "x")
    classes = make_config("classes", {"model.segmentor.decode_head.num_classes": 4})
    with pytest.raises(ValueError, match="was trained with 5 classes, the config has 4"):
        export_segmentor(classes, checkpoint, tmp_path / "x")
    wider = make_config("wider", {"model.segmentor.decode_head.low_channels": 7})
    with pytest.raises(ValueError, match="is not a checkpoint of this config's CSS: .* have another shape"):
        export_segmentor(wider, checkpoint, tmp_path / "x")
    assert not [*tmp_path.iterdir()]


def test_only_the_projection_branch_stays_behind() -> None:
    """Vision transformers call the convolution of their patches a projection, too."""
    state = {f"student.{name}": torch.zeros(1) for name in PLAIN_NAMES}
    state |= {"student.decode_head.projection.layers.1.weight": torch.zeros(1), "teacher._extra_state": torch.tensor(1)}
    assert list(network_weights(state, "student.")) == PLAIN_NAMES


PLAIN_NAMES = ["backbone.patch_embed.projection.weight", "backbone.layers.0.0.projection.bias", "decode_head.x.weight"]


def test_data_that_mmseg_cannot_read_is_left_out_with_a_word() -> None:
    init_default_scope("mmseg")

    def with_data(dataset: dict) -> Config:
        return Config({"test_dataloader": {"dataset": dataset}, "test_evaluator": {}, "test_cfg": {}})

    resize = {"type": "Resize", "scale": (24, 18), "keep_ratio": True}
    pipeline = [{"type": "LoadImageFromFile"}, resize, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    folder = {"type": "FolderDataset", "ann_file": "val.txt", "metainfo": {"classes": ["a", "b"]}}
    for dataset, said in (
        (folder, "FolderDataset, which reads its list itself"),
        ({"type": "CamVidDataset"}, "CamVidDataset, which maps label values itself"),
    ):
        cfg = with_data({**dataset, "pipeline": pipeline})
        [note] = make_dataset_plain(cfg)
        assert said in note and "test_evaluator" not in cfg
        # What happens to a picture is part of the model: without the resizing it would predict something else.
        assert cfg.test_pipeline == [pipeline[0], resize, pipeline[3]]
        assert cfg.test_dataloader.dataset == {"type": "BaseSegDataset", "pipeline": cfg.test_pipeline}
        read = {**dataset, "pipeline": pipeline, "data_prefix": {}}
        wrapped = with_data({"type": "ConcatDataset", "datasets": [read, {**read, "type": "DemoDataset"}]})
        assert make_dataset_plain(wrapped) == [note] and wrapped.test_dataloader == cfg.test_dataloader
    cfg = with_data({"type": "ConcatDataset", "datasets": [{"type": "DemoDataset", "data_prefix": {}}]})
    assert make_dataset_plain(cfg) == []
    assert cfg.test_dataloader.dataset.datasets[0].type == "BaseSegDataset"
    cfg = with_data({"type": "ADE20KDataset", "pipeline": [{"type": "StretchTo8Bit"}]})
    [note] = make_dataset_plain(cfg)
    assert "StretchTo8Bit" in note and "test_dataloader" not in cfg and "test_pipeline" not in cfg
    cfg = with_data({"type": "DemoDataset", "metainfo": {"classes": ["own"]}})
    assert make_dataset_plain(cfg) == []
    assert cfg.test_dataloader.dataset.type == "BaseSegDataset"
    assert cfg.test_dataloader.dataset.metainfo.classes == ["own"]
