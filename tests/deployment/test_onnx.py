"""An exported network as an ONNX file, which gives the logits by which MMSeg decides."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.apis import inference_model, init_model

from mmseg_css.cli.main import call
from mmseg_css.deployment.onnx import (
    PicturesToLogits,
    check_installed,
    check_onnx,
    export_onnx,
    left_to_do,
    pictures,
    writes_onnx,
)
from mmseg_css.deployment.plain import export_segmentor
from tests.deployment.prediction.networks import PIPELINE, PREPROCESSOR, Trained, save, tiny
from tests.models.helpers import TINY_RESNET
from tests.trained import SIDE, MakeConfig, train


def test_onnx_gives_the_logits_of_the_model(make_config: MakeConfig, image: Path, tmp_path: Path) -> None:
    """From a picture as OpenCV reads it, of a size and in a batch other than those it was traced with.

    With a tiny backbone: that of the demo, which pads by what its size needs, takes more than a minute.
    """
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    if not writes_onnx():
        pytest.skip("ONNX needs torch 2.9")
    changes = {
        "model.segmentor.backbone": TINY_RESNET,
        "model.segmentor.decode_head": {"in_channels": 8, "low_in_channels": 4},
        "train_cfg": {"max_iters": 1, "val_begin": 100},
    }
    config = make_config("onnx", changes)
    checkpoint = train(config, tmp_path / "work") / "iter_1.pth"
    call(["export", str(config), str(checkpoint), str(tmp_path / "model"), "--onnx"])
    [path] = tmp_path.glob("model-*.onnx")
    picture = cv2.imread(str(image))
    images = np.stack([picture, picture[:, ::-1], picture[::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [logits] = session.run(["logits"], {"images": images})
    model = init_model(str(config), str(checkpoint), device="cpu")
    for one, found in zip((picture, picture[:, ::-1], picture[::-1]), logits, strict=True):
        expected = inference_model(model, np.ascontiguousarray(one)).seg_logits.data.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())

    other = torch.nn.Conv2d(3, logits.shape[1], 1)
    with torch.no_grad(), pytest.raises(ValueError, match="logits differ from the model's by"):
        check_onnx(path, other, pictures(1, 3, SIDE, SIDE))


def test_what_onnx_is_written_of_gives_the_logits_of_the_model(
    config: Path,
    trained: Path,
    image: Path,
    tmp_path: Path,
) -> None:
    """With both families, which call the order of the channels differently, and any torch."""
    exported = export_segmentor(config, str(trained / "iter_4.pth"), tmp_path / "model")
    model = init_model(str(exported.config), str(exported.checkpoint), device="cpu")
    picture = cv2.imread(str(image))
    images = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        [found] = PicturesToLogits(model)(images)
    torch.testing.assert_close(found, inference_model(model, picture).seg_logits.data, rtol=1e-4, atol=1e-5)


WITHOUT_MEAN = {key: value for key, value in PREPROCESSOR.items() if key not in ("mean", "std")}
ONE_OUTPUT = {"num_classes": 2, "out_channels": 1, "threshold": 0.4}
four_channels = pytest.mark.parametrize("preprocessor", [PREPROCESSOR, WITHOUT_MEAN])


def of_four_channels(folder: Path, preprocessor: dict) -> Trained:
    """A network of one output, whose preprocessor turns channels, of which MMSeg turns three alone."""
    head = {**tiny()["decode_head"], **ONE_OUTPUT}
    head["loss_decode"] = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    backbone = {"type": "TinyBackbone", "channels": 4}
    prepare = {**preprocessor, "bgr_to_rgb": True}
    return save(folder, tiny(backbone=backbone, decode_head=head, data_preprocessor=prepare), test_pipeline=PIPELINE)


@four_channels
def test_four_channels_and_one_output_are_decided_as_mmseg_does(preprocessor: dict, tmp_path: Path) -> None:
    own = of_four_channels(tmp_path, preprocessor)
    model = init_model(str(own.config), str(own.checkpoint), device="cpu")
    picture = np.random.default_rng(0).integers(0, 256, (32, 40, 4), dtype=np.uint8)
    with torch.no_grad():
        [found] = PicturesToLogits(model)(torch.from_numpy(picture.transpose(2, 0, 1)[None]).float())
        model.decode_head.threshold = float(inference_model(model, picture).seg_logits.data.median())
        [halved] = PicturesToLogits(model)(torch.from_numpy(picture.transpose(2, 0, 1)[None]).float())
    expected = inference_model(model, picture)
    torch.testing.assert_close((found[1] + np.log(0.4 / 0.6)).sigmoid(), expected.seg_logits.data[0])
    assert (halved.argmax(dim=0) == expected.pred_sem_seg.data[0]).float().mean() > 0.99  # but for rounding
    assert expected.pred_sem_seg.data.float().mean() == pytest.approx(0.5, abs=0.01)


def test_a_file_for_four_channels_and_one_output(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    if not writes_onnx():
        pytest.skip("ONNX needs torch 2.9")
    path = export_onnx(*of_four_channels(tmp_path, WITHOUT_MEAN))
    assert path == tmp_path / "iter_1.onnx" and path.is_file()


def test_a_file_that_onnxruntime_cannot_read_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    if not writes_onnx():
        pytest.skip("ONNX needs torch 2.9")
    own = save(tmp_path, tiny(), test_pipeline=PIPELINE)
    monkeypatch.setattr(torch.onnx, "export", lambda network, images, path, **rest: Path(path).write_text("nothing"))
    with pytest.raises(ValueError, match="cannot run what torch .* wrote of this network .*no ONNX file was written"):
        export_onnx(*own)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.py", "iter_1.pth"]


def test_what_the_onnx_file_does_not_do_in_words(tmp_path: Path) -> None:
    def said(**cfg: object) -> str | None:
        Config(cfg).dump(tmp_path / "config.py")
        return left_to_do(tmp_path / "config.py")

    load, resize = {"type": "LoadImageFromFile"}, {"type": "Resize", "scale": (160, 120), "keep_ratio": True}
    pack = [{"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    assert said(test_pipeline=[load, *pack]) is None
    assert said() is None
    for cfg in (
        {"test_pipeline": [load, resize, *pack]},
        {"test_pipeline": [load], "test_dataloader": {"dataset": {"pipeline": [load, resize, *pack]}}},
    ):
        assert "after Resize(keep_ratio=True, scale=(160, 120)) of the test" in (said(**cfg) or "")
    for model in ({"test_cfg": {"mode": "slide"}}, {"segmentor": {"test_cfg": {"mode": "slide"}}}):
        assert "slides a window over them (test_cfg.mode = 'slide')" in (said(model=model) or "")
    assert said(model={"test_cfg": {"mode": "whole"}}) is None
    padded = {"model": {"data_preprocessor": {"test_cfg": {"size_divisor": 32}}}}
    assert (said(**padded) or "").startswith("the ONNX file does not pad pictures (model.data_preprocessor.test_cfg")
    assert "do that to yours first; it does not pad" in (said(**padded, test_pipeline=[load, resize, *pack]) or "")


def test_onnx_by_an_old_torch_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(torch, "__version__", "2.8.1+cu128")
    with pytest.raises(ImportError, match=r"needs torch 2\.9 or later, and this is 2\.8\.1\+cu128"):
        check_installed()
