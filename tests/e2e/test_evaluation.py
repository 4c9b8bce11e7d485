"""mmseg-css test, and MMSeg's own tools, on a checkpoint of a tiny demo data set."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.models.segmentors import EncoderDecoder, SegTTAModel
from torch import Tensor

from mmseg_css.cli.main import call
from tests.trained import SIDE, MakeConfig, load

# -- evaluation -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decided(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained checkpoint, changed so that the teacher sees class 1 everywhere and the student class 2."""
    checkpoint = load(trained / "iter_4.pth")
    for network, chosen in (("teacher.model", 1), ("student", 2)):
        bias = checkpoint["state_dict"][f"{network}.decode_head.conv_seg.bias"]
        bias.zero_()
        bias[chosen] = 1000.0
    path = tmp_path_factory.mktemp("decided") / "decided.pth"
    torch.save(checkpoint, path)
    return path


def evaluate(config: Path, checkpoint: Path, work_dir: Path, *arguments: str) -> dict[str, float]:
    """mmseg-css test in this process; the metrics that it wrote."""
    call(["test", str(config), str(checkpoint), "--work-dir", str(work_dir), *arguments])
    found = {}
    for path in work_dir.rglob("*.json"):
        network = path.relative_to(work_dir).parts[0]
        found[network] = json.loads(path.read_text().splitlines()[-1])
    return found


def maps(folder: Path) -> set[int]:
    """Classes in the label maps of a folder."""
    files = list(folder.rglob("*.png"))
    assert len(files) == 4
    return set(np.unique([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files]).tolist())


@pytest.mark.parametrize(("option", "expected"), [([], 1), (["--predict-on", "student"], 2)])
def test_one_network_predicts(
    make_config: MakeConfig, decided: Path, tmp_path: Path, option: list[str], expected: int
) -> None:
    config = make_config(f"predict-{len(option)}-{expected}")
    evaluate(config, decided, tmp_path / "work", *option, "--out", str(tmp_path / "maps"))
    assert maps(tmp_path / "maps") == {expected}


def test_both_networks_are_compared(
    make_config: MakeConfig, decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--out", str(tmp_path / "maps"), "--show-dir", str(tmp_path / "pictures")]
    found = evaluate(make_config("both"), decided, tmp_path / "work", "--predict-on", "both", *folders)
    rows = {line.split("|")[1].strip(): line for line in capsys.readouterr().out.splitlines() if line.startswith("|")}
    for network, chosen in (("teacher", 1), ("student", 2)):
        assert maps(tmp_path / "maps" / network) == {chosen}
        assert f"{found[network]['mIoU']:.2f}" in rows[network]
        assert list((tmp_path / "pictures" / network).rglob("*.png")), network


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Sizes of the images that a sliding window went over."""
    seen = []
    slide = EncoderDecoder.slide_inference

    def watched(self: EncoderDecoder, inputs: Tensor, *arguments: Any) -> Tensor:
        seen.append(tuple(inputs.shape[-2:]))
        return slide(self, inputs, *arguments)

    monkeypatch.setattr(EncoderDecoder, "slide_inference", watched)
    return seen


def test_a_sliding_window_goes_over_the_images(
    make_config: MakeConfig, trained: Path, tmp_path: Path, windows: list
) -> None:
    """Of the best checkpoint's teacher and student, whose config says that images are predicted whole."""
    window = tmp_path / "window.py"
    window.write_text("model = dict(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(21, 21)))")
    arguments = ["--predict-on", "both", "--evaluation", str(window)]
    found = evaluate(make_config("slide"), trained / "best_mIoU_iter_4.pth", tmp_path / "work", *arguments)
    assert set(found) == {"teacher", "student"}
    assert all(0 <= metrics["mIoU"] <= 100 for metrics in found.values())
    assert windows == [(SIDE, SIDE)] * 2  # one batch for each network


def test_multi_scale_and_flip_average_the_probabilities(
    make_config: MakeConfig, trained: Path, tmp_path: Path, windows: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of teacher and student twelve views of each image, in its own size again, and the class of the largest mean."""
    merged = []
    merge = SegTTAModel.merge_preds

    def watched(self: SegTTAModel, samples: list) -> list:
        merged.extend(zip(samples, merge(self, samples), strict=True))
        return [sample for _, sample in merged[-len(samples) :]]

    monkeypatch.setattr(SegTTAModel, "merge_preds", watched)
    found = evaluate(make_config("tta"), trained / "iter_4.pth", tmp_path / "work", "--tta", "--predict-on", "both")
    assert set(found) == {"teacher", "student"} and all(0 <= metrics["mIoU"] <= 100 for metrics in found.values())
    assert len(merged) == 2 * 4 and not windows
    for views, result in merged:
        assert [view.flip for view in views] == [False, True] * 6
        assert {view.img_shape for view in views} == {(side, side) for side in (32, 48, 64, 80, 96, 112)}
        logits = torch.stack([view.seg_logits.data for view in views])
        assert logits.shape[2:] == (SIDE, SIDE)
        assert torch.equal(logits.softmax(1).mean(0).argmax(0), result.pred_sem_seg.data.squeeze())


# -- MMSeg's own tools ------------------------------------------------------------------------------------------------


def test_mmsegs_functions_take_a_css_checkpoint(config: Path, decided: Path, tmp_path: Path) -> None:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    model = init_model(str(config), str(decided), device="cpu")
    assert model.dataset_meta["classes"][1] == "striped"
    result = inference_model(model, image)
    assert (result.pred_sem_seg.data == 1).all()
    assert result.pred_sem_seg.data.shape == (1, SIDE, SIDE)
    student = init_model(str(config), str(decided), device="cpu", cfg_options={"model.predict_on": "student"})
    assert (inference_model(student, image).pred_sem_seg.data == 2).all()


def test_mmsegs_inferencer_takes_a_css_checkpoint(config: Path, decided: Path) -> None:
    inferencer = MMSegInferencer(str(config), weights=str(decided), device="cpu")
    result = inferencer(np.zeros((SIDE, SIDE, 3), np.uint8), return_vis=True)
    assert (result["predictions"] == 1).all()
    shown = inferencer.visualizer.dataset_meta
    assert shown["classes"][:2] == ("background", "striped")
    assert shown["palette"][1] == [239, 71, 111]


def test_teacher_is_an_ordinary_mmseg_model(config: Path, decided: Path) -> None:
    """Its weights, under their own names, go into the plain network: nothing of the plugin is needed to use them."""
    segmentor = Config.fromfile(config).model.segmentor
    segmentor.decode_head.pop("projection")
    segmentor.decode_head.type = "DeepLabV3PlusHead"
    plain = init_model(Config({"model": segmentor}), device="cpu")
    prefix = "teacher.model."
    state = load(decided)["state_dict"]
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    missing, unexpected = plain.load_state_dict(weights, strict=False)
    assert not missing
    assert all(name.startswith("decode_head.projection.") for name in unexpected)
