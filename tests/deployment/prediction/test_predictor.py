"""`Predictor`: what MMSeg predicts, of images of any size and kind."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image

from mmseg_css.deployment import Predictor
from mmseg_css.registry import MODELS
from tests.deployment.prediction.conftest import noise, write
from tests.deployment.prediction.networks import META, PIPELINE, Trained, css, reading, save, tiny


def test_three_lines(trained: Trained, tmp_path: Path) -> None:
    """Of a file and of an array, the same; classes and colours are the checkpoint's, and in no config."""
    image = noise(0)
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    labels = predictor(image)
    np.testing.assert_array_equal(labels, image.argmax(axis=2))
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(predictor(write(tmp_path / "image.png", image)), labels)
    assert predictor.classes.names == META["dataset_meta"]["classes"]
    assert predictor.classes.palette.tolist() == META["dataset_meta"]["palette"]


@pytest.mark.parametrize("mode", ["whole", "slide"])
def test_as_mmseg_predicts(mode: str, tmp_path: Path) -> None:
    test_cfg = {"mode": mode, "crop_size": (24, 24), "stride": (16, 16)}
    trained = save(tmp_path, tiny(test_cfg=test_cfg), test_pipeline=PIPELINE)
    image = noise(1, 48, 40)
    model = init_model(str(trained.config), str(trained.checkpoint), device="cpu")
    expected = inference_model(model, image)
    predictor = Predictor(trained.config, trained.checkpoint, mode="whole" if mode == "whole" else "auto", device="cpu")
    [found] = predictor.predict([predictor.prepare(image)], probabilities=True)
    np.testing.assert_array_equal(found.labels, expected.pred_sem_seg.data[0].numpy())
    np.testing.assert_array_equal(found.probabilities, expected.seg_logits.data.softmax(0).numpy())
    assert found.slid == (mode == "slide")


def test_images_of_unequal_sizes(tmp_path: Path) -> None:
    """In one call, each as alone."""
    trained = save(tmp_path, tiny())
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    images = [noise(seed, *size) for seed, size in enumerate([(32, 40), (33, 32), (32, 40), (3, 70)])]
    together = predictor.predict([predictor.prepare(image) for image in images])
    for image, found in zip(images, together, strict=True):
        assert found.labels.shape == image.shape[:2]
        np.testing.assert_array_equal(found.labels, predictor(image))


def test_an_image_smaller_than_the_stride(tmp_path: Path) -> None:
    trained = save(tmp_path, tiny(), test_pipeline=PIPELINE)
    model = init_model(str(trained.config), str(trained.checkpoint), device="cpu")
    with pytest.raises(RuntimeError):
        inference_model(model, noise(0, 3, 5))
    assert Predictor(trained.config, trained.checkpoint, device="cpu")(noise(0, 3, 5)).shape == (3, 5)


def test_kinds_of_files(trained: Trained, tmp_path: Path) -> None:
    """As MMSeg reads them in training: grey as three equal channels, without transparency, the upper 8 of 16 bits."""
    image = noise(2)
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    grey = write(tmp_path / "grey.png", image[..., 0])
    np.testing.assert_array_equal(predictor.prepare(grey).picture, image[..., :1].repeat(3, axis=2))
    transparent = write(tmp_path / "transparent.png", cv2.cvtColor(image, cv2.COLOR_BGR2BGRA) // 2 * 2)
    np.testing.assert_array_equal(predictor(transparent), (image // 2).argmax(axis=2))
    deep = write(tmp_path / "deep.png", image.astype(np.uint16) * 256 + 7)
    for source in (deep, cv2.imread(str(deep), cv2.IMREAD_UNCHANGED)):
        prepared = predictor.prepare(source)
        np.testing.assert_array_equal(prepared.views[0][0].numpy(), image.transpose(2, 0, 1))
        np.testing.assert_array_equal(prepared.picture, image)
        np.testing.assert_array_equal(predictor(source), image.argmax(axis=2))


def test_more_pixels_than_pillow_takes(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV, which reads them, takes more."""
    image = noise(4, 40, 40)
    large = write(tmp_path / "large.tif", image)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # twice that is an error
    np.testing.assert_array_equal(
        Predictor(trained.config, trained.checkpoint, device="cpu")(large), image.argmax(axis=2)
    )


def test_sixteen_bits_are_stretched_as_the_config_says(tmp_path: Path) -> None:
    loading = [
        {"type": "LoadImageFromFile", "color_type": cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH},
        {"type": "StretchTo8Bit", "low": 0, "high": 4080},
    ]
    trained = save(tmp_path, reading(), test_dataloader={"dataset": {"pipeline": [*loading, *PIPELINE[1:]]}})
    image = noise(3)
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    deep = image.astype(np.uint16) * 16
    for source in (write(tmp_path / "deep.png", deep), deep):
        np.testing.assert_array_equal(predictor.prepare(source).picture, image)
        np.testing.assert_array_equal(predictor(source), image.argmax(axis=2))


def test_a_photograph_that_exif_turns(trained: Trained, tmp_path: Path) -> None:
    """It is predicted upright, and so is its mask."""
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise
    Image.new("RGB", (10, 6), "red").save(tmp_path / "turned.jpg", exif=exif)
    labels = Predictor(trained.config, trained.checkpoint, device="cpu")(tmp_path / "turned.jpg")
    assert labels.shape == (10, 6) and (labels == 2).all()


@pytest.mark.parametrize("configured", [False, True])
def test_test_time_augmentation_is_mmsegs(configured: bool, tmp_path: Path) -> None:
    """The mean of the probabilities of all views, as `SegTTAModel` forms it; of the config's views or of ours."""
    flips = [{"type": "RandomFlip", "prob": 0.0}, {"type": "RandomFlip", "prob": 1.0}]
    views = {"type": "TestTimeAug", "transforms": [flips, [PIPELINE[1]], [PIPELINE[2]]]}
    own = {"tta_model": {"type": "SegTTAModel"}, "tta_pipeline": [PIPELINE[0], views]} if configured else {}
    trained = save(tmp_path, tiny(), **own)
    predictor = Predictor(trained.config, trained.checkpoint, mode="whole", tta=True, device="cpu")
    prepared = predictor.prepare(noise(4, 64, 72))
    assert len(prepared.views) == (2 if configured else 12)
    [found] = predictor.predict([prepared], probabilities=True)
    inputs, samples = zip(*prepared.views, strict=True)
    for sample in samples:
        sample.set_metainfo({"img_path": ""})
    model = MODELS.build({"type": "SegTTAModel", "module": Config.fromfile(trained.config).model}).eval()
    model.module.load_state_dict(torch.load(trained.checkpoint)["state_dict"])
    with torch.no_grad():
        [expected] = model.test_step(
            {"inputs": [[view] for view in inputs], "data_samples": [[sample] for sample in samples]}
        )
    np.testing.assert_array_equal(found.labels, expected.pred_sem_seg.data.squeeze().numpy())
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-6)


def test_no_view_is_mirrored_where_the_checkpoint_has_left_and_right(tmp_path: Path) -> None:
    """An exported config leaves the names to its checkpoint."""
    meta = {"dataset_meta": {**META["dataset_meta"], "classes": ("body", "left arm", "right arm")}}
    trained = save(tmp_path, reading(), meta=meta)
    predictor = Predictor(trained.config, trained.checkpoint, tta=True, device="cpu")
    assert not any(sample.flip for _, sample in predictor.prepare(noise(4, 32, 32)).views)


@pytest.mark.parametrize("tta", [False, True])
def test_two_classes_of_one_output(tta: bool, tmp_path: Path) -> None:
    head = {**reading()["decode_head"], "num_classes": 2, "out_channels": 1, "threshold": 0.4}
    head["loss_decode"] = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    trained = save(tmp_path, reading(decode_head=head), meta={})
    predictor = Predictor(trained.config, trained.checkpoint, tta=tta, device="cpu")
    image = np.full((32, 32, 3), 255, np.uint8)
    image[:16] = 0
    [found] = predictor.predict([predictor.prepare(image)], probabilities=True)
    assert (found.labels[:8] == 0).all() and (found.labels[24:] == 1).all()
    np.testing.assert_allclose(found.probabilities[1, -1, -1], 1 / (1 + np.exp(-4)), rtol=1e-6)


def test_teacher_and_student(tmp_path: Path) -> None:
    trained = save(tmp_path, css())
    saved = torch.load(trained.checkpoint)
    for name in ("weight", "bias"):
        saved["state_dict"][f"teacher.model.decode_head.conv_seg.{name}"].zero_()
    saved["state_dict"]["teacher.model.decode_head.conv_seg.bias"][1] = 9
    torch.save(saved, trained.checkpoint)
    image = noise(5, 32, 32)
    assert (Predictor(trained.config, trained.checkpoint, device="cpu")(image) == 1).all()
    student = Predictor(trained.config, trained.checkpoint, predict_on="student", device="cpu")
    assert not (student(image) == 1).all()


def test_a_checkpoint_whose_names_a_wrapper_has_prefixed(trained: Trained, tmp_path: Path) -> None:
    saved = torch.load(trained.checkpoint)
    saved["state_dict"] = {f"module.{name}": value for name, value in saved["state_dict"].items()}
    torch.save(saved, tmp_path / "wrapped.pth")
    image = noise(6)
    labels = Predictor(trained.config, tmp_path / "wrapped.pth", device="cpu")(image)
    np.testing.assert_array_equal(labels, image.argmax(axis=2))


def test_mmsegs_inferencer_shows_the_classes_of_the_checkpoint(tmp_path: Path) -> None:
    trained = save(tmp_path, reading(), visualizer={"type": "SegLocalVisualizer", "name": "inferencer"})
    inferencer = MMSegInferencer(str(trained.config), weights=str(trained.checkpoint), device="cpu")
    found = inferencer(np.full((8, 8, 3), (0, 0, 255), np.uint8), return_vis=True)
    assert (found["predictions"] == 2).all()
    assert inferencer.visualizer.dataset_meta == META["dataset_meta"]
