"""What does not fit, in words."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmseg_css.cli.main import run
from mmseg_css.config_files import read_config
from mmseg_css.deployment import Predictor
from mmseg_css.deployment.prediction.network import classes_of
from mmseg_css.deployment.prediction.pipeline import steps_of
from tests.deployment.prediction.conftest import noise, write
from tests.deployment.prediction.networks import META, PIPELINE, Trained, reading, save


def test_files_that_are_no_images(trained: Trained, tmp_path: Path) -> None:
    predictor = Predictor(trained.config, trained.checkpoint, device="cpu")
    with pytest.raises(FileNotFoundError, match=r"there is no image '\S+/absent.png'"):
        predictor(tmp_path / "absent.png")
    text = tmp_path / "text.png"
    text.write_text("no image")
    with pytest.raises(ValueError, match=r"the image '\S+/text.png' cannot be read"):
        predictor(text)
    whole = write(tmp_path / "whole.jpg", noise(0, 64, 64))
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"the image '\S+/cut.jpg' cannot be read"):
        predictor(cut)


def test_an_image_of_other_channels_than_the_network(tmp_path: Path) -> None:
    preprocessor = {**reading()["data_preprocessor"], "mean": [127.5] * 3, "std": [127.5] * 3}
    trained = save(tmp_path, reading(data_preprocessor=preprocessor))
    with pytest.raises(ValueError, match="the image has 4 channels, and the network takes 3"):
        Predictor(trained.config, trained.checkpoint, device="cpu")(np.zeros((8, 8, 4), np.uint8))


def test_images_of_8_bits_where_16_are_stretched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exports in JPEG, arrays, and frames of videos, which would be almost black."""
    loading = [
        {"type": "LoadImageFromFile", "color_type": cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH},
        {"type": "StretchTo8Bit", "low": 200, "high": 4000},
    ]
    trained = save(tmp_path, reading(), test_dataloader={"dataset": {"pipeline": [*loading, *PIPELINE[1:]]}})
    with pytest.raises(ValueError, match=r"the image has 8 bits, and StretchTo8Bit\(low=200.0, high=4000.0\)"):
        Predictor(trained.config, trained.checkpoint, device="cpu")(noise(0))
    for name, depth in (("deep.png", np.uint16), ("exported.jpg", np.uint8)):
        write(tmp_path / "images" / name, noise(0).astype(depth))
    writer = cv2.VideoWriter(str(tmp_path / "images" / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    writer.write(noise(0, 24, 32))
    writer.release()
    images = [str(path) for path in (tmp_path / "images").iterdir()]
    assert run(["predict", str(trained.config), str(trained.checkpoint), *images, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "predicted 1 image " in said.out and "2 files could not be read, all others are done" in said.err
    assert re.search(r"the image '\S+/exported.jpg' cannot be read \(the image '\S+' has 8 bits, and Stretch", said.err)
    assert re.search(r"'\S+/clip.avi', clip/000000: the image has 8 bits, and StretchTo8Bit", said.err)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((8, 8, 3), np.float32), "an array of float32; expected are pixels of 8 or 16 bits"),
        (np.zeros((0, 5, 3), np.uint8), r"an array of shape \(0, 5, 3\); expected is \(height, width, channels\)"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"an array of shape \(1, 8, 8, 3\)"),
        (np.zeros(8, np.uint8), r"an array of shape \(8,\)"),
    ],
)
def test_an_array_that_is_no_image(trained: Trained, image: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Predictor(trained.config, trained.checkpoint, device="cpu").prepare(image)


def test_a_checkpoint_that_is_not_there_or_does_not_fit(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no checkpoint .*; there are .*iter_1.pth"):
        Predictor(trained.config, trained.checkpoint.with_name("iter_2.pth"))
    saved = torch.load(trained.checkpoint)
    saved["state_dict"] = {name: value[:2] for name, value in saved["state_dict"].items()}
    torch.save(saved, tmp_path / "two.pth")
    with pytest.raises(ValueError, match="was trained with 2 classes, the config has 3"):
        Predictor(trained.config, tmp_path / "two.pth", device="cpu")
    with pytest.raises(ValueError, match="trains a plain EncoderDecoder, which has one network"):
        Predictor(trained.config, trained.checkpoint, predict_on="teacher")


@pytest.mark.parametrize("loader", [{}, None])
def test_a_config_that_does_not_say_how_images_are_read(loader: dict | None, tmp_path: Path) -> None:
    """MMEngine takes None for a part that is not wanted."""
    trained = save(tmp_path / "with", reading(), test_dataloader=loader, test_pipeline=PIPELINE)
    for tta in (False, True):
        assert Predictor(trained.config, trained.checkpoint, tta=tta, device="cpu")(noise(7, 32, 32)).shape == (32, 32)
    trained = save(tmp_path, reading(), test_dataloader=loader)
    with pytest.raises(ValueError, match="neither test_dataloader.dataset.pipeline nor test_pipeline"):
        Predictor(trained.config, trained.checkpoint, device="cpu")


def test_another_way_of_merging_augmentations(tmp_path: Path) -> None:
    own = {"tta_model": {"type": "MedianTTA"}, "tta_pipeline": PIPELINE}
    trained = save(tmp_path, reading(), **own)
    with pytest.raises(ValueError, match="tta_model.type = 'MedianTTA'"):
        Predictor(trained.config, trained.checkpoint, tta=True, device="cpu")


def test_wrapped_data_and_kept_images(tmp_path: Path) -> None:
    """The pipeline of the first data set within, without masks, and with nothing kept in memory."""
    cached = [{"type": "Cached", "transforms": PIPELINE[:2]}, PIPELINE[2]]
    datasets = [{"type": "BaseSegDataset", "pipeline": cached}, {"type": "BaseSegDataset", "pipeline": []}]
    trained = save(tmp_path, reading(), test_dataloader={"dataset": {"type": "ConcatDataset", "datasets": datasets}})
    steps = steps_of(read_config(trained.config), tta=False)
    assert [step.type for step in steps] == ["LoadImageFromFile", "PackSegInputs"]


def test_classes_of_checkpoints_old_and_nameless() -> None:
    names, palette = META["dataset_meta"]["classes"], META["dataset_meta"]["palette"]
    old = classes_of({"CLASSES": names, "PALETTE": palette}, 3)
    assert old.names == names and old.palette.tolist() == palette
    for meta in ({}, {"dataset_meta": {"classes": None, "palette": []}}, META):
        nameless = classes_of(meta, 7)
        assert nameless.names[:2] == ("class_0", "class_1")
        assert len({tuple(colour) for colour in nameless.palette.tolist()}) == 7
