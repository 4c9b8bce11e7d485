"""``mmseg-css predict``, from files to files."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg_css.cli.main import run
from mmseg_css.deployment import Predictor
from mmseg_css.deployment.prediction import inputs
from mmseg_css.deployment.prediction.folder import ahead
from mmseg_css.deployment.prediction.outputs import palette_image
from tests.deployment.prediction.conftest import noise, write
from tests.deployment.prediction.networks import META, PIPELINE, Trained, reading, save, tiny


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a.png", "b/a.jpg", "b/ü/c.bmp")):
        write(tmp_path / "photos" / name, noise(seed, 10 + seed, 12))
    return tmp_path / "photos"


def predict(trained: Trained, *arguments: object) -> int:
    return run(["predict", str(trained.config), str(trained.checkpoint), *map(str, arguments)])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_folder(trained: Trained, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert predict(trained, photos, "--out", out, "--batch-size", 2) == 0
    names = ("a", "b/a", "b/ü/c")
    assert files(out) == {
        "predictions.json",
        "sources.jsonl",
        *(f"masks/{name}.png" for name in names),
        *(f"overlays/{name}.jpg" for name in names),
    }
    with Image.open(out / "masks" / "a.png") as mask:
        assert mask.mode == "P"
        np.testing.assert_array_equal(np.array(mask), noise(0, 10, 12).argmax(axis=2))
        colours = np.array(META["dataset_meta"]["palette"])[np.array(mask)]
        np.testing.assert_array_equal(np.array(mask.convert("RGB")), colours)
    with Image.open(out / "overlays" / "b" / "ü" / "c.jpg") as overlay:
        assert overlay.size == (12, 12)
    classes = json.loads((out / "predictions.json").read_text())["classes"]
    assert classes[2] == {"index": 2, "name": "brick", "colour": [255, 0, 0]}
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("predicted 3 images in ") and said.endswith("overlays, masks")


def test_overlay_mixes_image_and_colour(trained: Trained, tmp_path: Path) -> None:
    image = write(tmp_path / "red.png", np.full((16, 16, 3), (0, 0, 100), np.uint8))
    assert predict(trained, image, "--out", tmp_path / "out") == 0
    with Image.open(tmp_path / "out" / "overlays" / "red.jpg") as overlay:
        assert np.abs(np.array(overlay).astype(int) - (178, 0, 0)).max() <= 3


def test_probabilities_on_demand(trained: Trained, photos: Path, tmp_path: Path) -> None:
    assert predict(trained, photos / "a.png", "--out", tmp_path / "out", "--probabilities") == 0
    found = np.load(tmp_path / "out" / "probabilities" / "a.npz")["probabilities"]
    assert (found.dtype, found.shape) == (np.float16, (3, 10, 12))
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=2e-3)
    np.testing.assert_array_equal(found.argmax(axis=0), noise(0, 10, 12).argmax(axis=2))


def test_what_cannot_be_read_is_named_at_the_end(
    trained: Trained,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (photos / "b" / "broken.png").write_text("no image")
    (tmp_path / "clip.mp4").write_text("no video")
    assert predict(trained, photos, tmp_path / "clip.mp4", "--out", tmp_path / "out", "--batch-size", 4) == 1
    said = capsys.readouterr()
    assert "predicted 3 images" in said.out and "2 could not be read" in said.out
    first, *faults = said.err[said.err.index("error: ") :].splitlines()
    assert first == "error: 2 files could not be read, all others are done:"
    # Nothing after these lines; before them loggers of other tests may complain of their closed streams.
    assert "broken.png" in faults[0] and "clip.mp4" in faults[1] and len(faults) == 2


def test_an_image_of_other_channels_is_named_and_the_others_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one mean for all channels, as `mmseg-css init` writes it for four."""
    pipeline = [{"type": "LoadImageFromFile", "color_type": "unchanged"}, *PIPELINE[1:]]
    four = tiny(backbone={"type": "TinyBackbone", "channels": 4})
    trained = save(tmp_path / "four", four, test_dataloader={"dataset": {"pipeline": pipeline}})
    for name in ("a", "c"):
        write(tmp_path / "photos" / f"{name}.png", cv2.cvtColor(noise(0), cv2.COLOR_BGR2BGRA))
    write(tmp_path / "photos" / "b.png", noise(0))
    assert predict(trained, tmp_path / "photos", "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "predicted 2 images" in said.out
    assert "b.png' has 3 channels, and the network takes 4: convert it" in said.err
    assert files(tmp_path / "out" / "masks") == {"a.png", "c.png"}


def test_a_video_becomes_a_folder_of_frames(trained: Trained, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for channel in (0, 1, 2):
        frame = np.zeros((24, 32, 3), np.uint8)
        frame[..., channel] = 255
        writer.write(frame)
    writer.release()
    out = tmp_path / "out"
    assert predict(trained, tmp_path / "clip.avi", "--out", out) == 0
    for index in range(3):
        assert (np.array(Image.open(out / f"masks/clip/{index:06d}.png")) == index).all()
    assert len(files(out / "overlays" / "clip")) == 3


def test_a_video_that_breaks_off(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for seed in range(20):
        writer.write(noise(seed, 24, 32))
    writer.release()
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert predict(trained, clip, "--out", tmp_path / "out") == 0
    there = len(files(tmp_path / "out" / "masks"))
    assert 5 < there < 15
    assert f"note: the video '{clip}' shows {there} of the 20 frames it says it has" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "found", "noted"), [(20, 18, False), (20, 17, True), (1000, 990, False), (1000, 989, True)]
)
def test_a_few_frames_less_are_not_noted(said: int, found: int, noted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "count_frames", lambda path: said)
    assert (inputs.fewer_frames(Path("clip.avi"), found) is not None) is noted


def test_an_interrupted_call_goes_on(
    trained: Trained,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is whole is left alone; without its mask, which is written last, an image is not."""
    out = tmp_path / "out"
    assert predict(trained, photos, "--out", out) == 0
    (out / "masks" / "a.png").unlink()
    read = []
    prepare = Predictor.prepare
    monkeypatch.setattr(Predictor, "prepare", lambda self, image: read.append(image) or prepare(self, image))
    assert predict(trained, photos, "--out", out) == 0
    assert read == [photos / "a.png"] and (out / "masks" / "a.png").is_file()
    assert "2 were there already" in capsys.readouterr().out
    assert predict(trained, photos, "--out", out, "--overwrite") == 0
    assert len(read) == 4


def test_predictions_of_something_else_are_not_mixed(
    trained: Trained,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert predict(trained, photos, "--out", out) == 0
    before = (out / "masks" / "a.png").stat().st_mtime_ns
    other = tmp_path / "other.pth"
    torch.save({**torch.load(trained.checkpoint), "more": 1}, other)
    assert predict(trained._replace(checkpoint=other), photos, "--out", out) == 1
    assert "holds predictions made otherwise (checkpoint " in capsys.readouterr().err
    assert predict(trained, photos, "--out", out, "--mode", "slide") == 1
    assert "holds predictions made otherwise (mode 'auto', now 'slide'; see " in capsys.readouterr().err
    assert (out / "masks" / "a.png").stat().st_mtime_ns == before
    (tmp_path / "foreign" / "masks").mkdir(parents=True)
    assert predict(trained, photos, "--out", tmp_path / "foreign") == 1
    assert "masks is there, and no" in capsys.readouterr().err
    assert predict(trained._replace(checkpoint=other), photos, "--out", out, "--overwrite") == 0


def test_predictions_of_another_file_of_the_same_name_are_not_taken_for_its_own(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    first, second = (write(tmp_path / site / "a.bmp", noise(seed)) for seed, site in enumerate(("site1", "site2")))
    more = write(tmp_path / "site2" / "b.bmp", noise(2))
    assert predict(trained, first, "--out", out) == 0
    before = (out / "masks" / "a.png").read_bytes()
    assert predict(trained, more, second, "--out", out) == 1
    said = capsys.readouterr().err
    assert f"holds predictions made otherwise (a of '{first}', now of '{second}'): name another --out" in said
    assert (out / "masks" / "a.png").read_bytes() == before and not (out / "masks" / "b.png").exists()
    first.parent.rename(tmp_path / "moved")
    assert predict(trained, tmp_path / "moved" / "a.bmp", "--out", out) == 0
    assert "1 was there already" in capsys.readouterr().out
    assert predict(trained, second, "--out", out, "--overwrite") == 0
    assert (out / "masks" / "a.png").read_bytes() != before


def test_an_image_that_was_changed_is_predicted_again(
    trained: Trained, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless its mask was corrected; nothing of its former self stays."""
    out, corrected = tmp_path / "out", tmp_path / "out" / "masks" / "b" / "a.png"
    assert predict(trained, photos, "--out", out, "--probabilities") == 0
    for name in ("a.png", "b/a.jpg"):
        write(photos / name, noise(9, 20, 21))
    (photos / "b" / "ü" / "c.bmp").touch()
    cv2.imwrite(str(corrected), theirs := np.zeros((11, 12), np.uint8))
    capsys.readouterr()
    assert predict(trained, photos, "--out", out) == 0
    said = capsys.readouterr().out
    assert f"note: 1 mask changed by hand, of images that were changed after their prediction, {corrected}" in said
    assert "predicted 1 image" in said and "2 were there already" in said
    np.testing.assert_array_equal(cv2.imread(str(corrected), cv2.IMREAD_UNCHANGED), theirs)
    np.testing.assert_array_equal(np.array(Image.open(out / "masks" / "a.png")), noise(9, 20, 21).argmax(axis=2))
    assert not (out / "probabilities" / "a.npz").exists()
    with Image.open(out / "overlays" / "a.jpg") as overlay:
        assert overlay.size == (21, 20)


def test_masks_of_which_nothing_says_what_they_are_of_are_said(
    trained: Trained, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert predict(trained, photos, "--out", out) == 0
    (out / "sources.jsonl").unlink()
    assert predict(trained, photos, "--out", out) == 0
    assert f"note: 3 masks of which {out / 'sources.jsonl'} does not say what" in capsys.readouterr().out


def test_another_video_of_the_same_name(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, site in enumerate(("site1", "site2")):
        (tmp_path / site).mkdir()
        writer = cv2.VideoWriter(str(tmp_path / site / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
        for number in range(2):
            writer.write(noise(10 * seed + number, 24, 32))
        writer.release()
    assert predict(trained, tmp_path / "site1" / "clip.avi", "--out", tmp_path / "out") == 0
    assert predict(trained, tmp_path / "site1" / "clip.avi", "--out", tmp_path / "out") == 0
    assert "2 were there already" in capsys.readouterr().out
    assert predict(trained, tmp_path / "site2" / "clip.avi", "--out", tmp_path / "out") == 1
    assert "holds predictions made otherwise (clip/000000 of " in capsys.readouterr().err


def test_a_config_that_was_changed(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the network or of how images are read is another one, of the training is not."""
    trained, out = save(tmp_path / "trained", reading()), tmp_path / "out"
    original = trained.config.read_text()
    reads = "test_dataloader['dataset']['pipeline'][0]['color_type'] = 'color'"
    for line in ("", "work_dir = 'other'", "model.update(test_cfg=dict(mode='whole', own=1))", reads):
        trained.config.write_text(f"{original}\n{line}\n")
        assert predict(trained, photos, "--out", out) == (line.startswith(("model", "test")))
        said = capsys.readouterr().err
        assert ("holds predictions made otherwise (config_sha256 " in said) is line.startswith(("model", "test"))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["absent.png", "--out", "out"], 2, "does not exist"),
        (["{photos}", "--out", "out", "--batch-size", "0"], 1, "--batch-size must be at least 1, got 0"),
        (["{photos}"], 2, "--out requires an argument"),
    ],
)
def test_wrong_usage(
    trained: Trained,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        assert predict(trained, *(argument.format(photos=photos) for argument in arguments)) == status
    except SystemExit as stopped:
        assert stopped.code == status
    assert said in " ".join(capsys.readouterr().err.split())


def test_more_classes_than_a_palette_holds() -> None:
    labels = np.array([[0, 299]], np.uint16)
    image = palette_image(labels, np.zeros((300, 3), np.uint8))
    np.testing.assert_array_equal(np.array(image), labels)


def test_reading_stays_a_few_images_ahead() -> None:
    begun: list[int] = []
    results = ahead(lambda number: begun.append(number) or number * number, range(100), threads=2)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(begun) <= 6
    assert list(results) == [number * number for number in range(3, 100)]
