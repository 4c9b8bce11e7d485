"""The folder of predictions: of one network, whatever happens."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from mmseg_css.datasets.pictures import pictures
from mmseg_css.deployment.prediction.inputs import Inputs, Item
from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.prediction.outputs import Outputs
from mmseg_css.deployment.prediction.predictor import Prediction
from mmseg_css.deployment.prediction.sources import source_of

NAMES = PurePosixPath("x"), PurePosixPath("deep/y")


def outputs(
    folder: Path,
    checkpoint: str,
    *,
    asked: Sequence[PurePosixPath] = NAMES,
    videos: Sequence[PurePosixPath] = (),
    probabilities: bool = False,
    overwrite: bool = False,
) -> Outputs:
    images, drives = ([Item(Path(name), name) for name in names] for names in (asked, videos))
    classes = Classes(("sky", "road"), np.array([[0, 0, 0], [255, 0, 0]], np.uint8))
    made_by = {"checkpoint": checkpoint}
    return Outputs(
        folder,
        inputs=Inputs(images, drives, []),
        classes=classes,
        made_by=made_by,
        probabilities=probabilities,
        overwrite=overwrite,
    )


def image_of(out: Outputs, name: PurePosixPath) -> Path:
    return out.folder.parent / f"{name.name}.bmp"


def write(out: Outputs, name: PurePosixPath, height: int = 2, width: int = 2) -> None:
    image = image_of(out, name)
    image.touch()
    prediction = Prediction(np.zeros((height, width), np.uint8), np.zeros((2, height, width), np.float32), slid=False)
    out.write(name, source_of(image), np.zeros((height, width, 3), np.uint8), prediction)


def states(out: Outputs) -> list[str]:
    return [out.state(name, image_of(out, name)) for name in NAMES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the predictions, beside the images."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_an_overwriting_that_is_interrupted_leaves_nothing_of_the_other_network(folder: Path) -> None:
    first = outputs(folder, "a.pth", probabilities=True)
    for name in NAMES:
        write(first, name)
    write(outputs(folder, "b.pth", overwrite=True), NAMES[0])
    going_on = outputs(folder, "b.pth")
    assert states(going_on) == ["done", "missing"]
    assert not (folder / "probabilities").exists()


def test_overwriting_with_the_same_network_loses_nothing(folder: Path) -> None:
    for name in NAMES:
        write(outputs(folder, "a.pth"), name)
    outputs(folder, "a.pth", overwrite=True)
    assert states(outputs(folder, "a.pth")) == ["done", "done"]


def test_overwriting_with_another_network_keeps_corrected_masks_of_other_images(folder: Path) -> None:
    """Those that are predicted again are replaced, as is said."""
    for name in NAMES:
        write(outputs(folder, "a.pth"), name)
    mask = folder / "masks" / "deep" / "y.png"
    mask.write_text("corrected")
    message = (
        r"1 masks among them, .* changed by hand, the first: \S+/masks/deep/y.png; move them away, or name another"
    )
    with pytest.raises(FileExistsError, match=message):
        outputs(folder, "b.pth", asked=NAMES[:1], overwrite=True)
    assert mask.read_text() == "corrected" and states(outputs(folder, "a.pth")) == ["done", "done"]
    outputs(folder, "a.pth", asked=NAMES[:1], overwrite=True)  # by the same network nothing is removed
    mask.rename(folder.parent / "y.png")
    outputs(folder, "b.pth", asked=NAMES[:1], overwrite=True)
    assert not (folder / "masks").exists()


@pytest.mark.parametrize("again", [{"asked": NAMES[1:]}, {"asked": (), "videos": [NAMES[1].parent]}])
def test_overwriting_replaces_corrected_masks_of_what_is_asked_for(again: dict, folder: Path) -> None:
    write(outputs(folder, "a.pth"), NAMES[1])
    (folder / "masks" / "deep" / "y.png").write_text("corrected")
    outputs(folder, "b.pth", overwrite=True, **again)
    assert not (folder / "masks").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_others_is_never_touched(overwrite: bool, folder: Path) -> None:
    """Masks that no record tells about may be somebody's ground truth."""
    (folder / "masks").mkdir()
    with pytest.raises(FileExistsError, match="no .*predictions.json says what wrote it: name another --out"):
        outputs(folder, "a.pth", overwrite=overwrite)


def test_an_image_too_large_for_jpeg_has_an_overlay_in_png(folder: Path) -> None:
    out = outputs(folder, "a.pth")
    write(out, NAMES[0], 2, 65501)
    write(out, NAMES[1], 2, 65500)
    assert {path.name for path in (folder / "overlays").rglob("*.*")} == {"x.png", "y.jpg"}
    assert states(outputs(folder, "a.pth")) == ["done", "done"]


def test_what_is_there_is_never_replaced_unasked(folder: Path) -> None:
    """Whichever of an image's files is missing."""
    write(outputs(folder, "a.pth"), NAMES[0])
    mask, overlay = folder / "masks" / "x.png", folder / "overlays" / "x.jpg"
    mask.write_text("corrected")
    before = overlay.stat().st_mtime_ns
    out = outputs(folder, "a.pth", probabilities=True)
    assert states(out)[0] == "missing"
    write(out, NAMES[0])
    assert (folder / "probabilities" / "x.npz").is_file()
    assert (mask.read_text(), overlay.stat().st_mtime_ns) == ("corrected", before)
    overlay.unlink()
    write(outputs(folder, "a.pth"), NAMES[0])
    assert overlay.is_file() and mask.read_text() == "corrected"
    write(outputs(folder, "a.pth", overwrite=True), NAMES[0])
    assert mask.read_bytes() != b"corrected"


@pytest.mark.parametrize("stopped", ["_remove", "_write_overlay"])
def test_an_interruption_leaves_nothing_of_what_an_image_was(
    stopped: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    write(outputs(folder, "a.pth"), NAMES[0])
    image_of(outputs(folder, "a.pth"), NAMES[0]).write_text("another picture")
    assert states(outputs(folder, "a.pth"))[0] == "changed"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outputs, stopped, killed)
        write(outputs(folder, "a.pth"), NAMES[0], 4, 4)
    assert states(outputs(folder, "a.pth"))[0] == {"_remove": "changed", "_write_overlay": "missing"}[stopped]
    write(outputs(folder, "a.pth"), NAMES[0], 4, 4)
    assert states(outputs(folder, "a.pth"))[0] == "done"
    for kind, ending in (("masks", ".png"), ("overlays", ".jpg")):
        with Image.open(folder / kind / f"x{ending}") as picture:
            assert picture.size == (4, 4)


def test_a_note_that_was_cut_off_spoils_no_other(folder: Path) -> None:
    write(outputs(folder, "a.pth"), NAMES[0])
    notes = folder / "sources.jsonl"
    with notes.open("a") as file:
        file.write(notes.read_text()[:40])
    write(outputs(folder, "a.pth"), NAMES[1])
    assert states(outputs(folder, "a.pth")) == ["done", "done"]


def test_parts_that_a_kill_left_go(folder: Path) -> None:
    old, new, theirs = (folder / "masks" / "deep" / name for name in ("a.png.12.part", "b.png.13.part", "c.part"))
    write(outputs(folder, "a.pth"), NAMES[1])
    for path in (old, new, theirs):
        path.write_text("half")
    for path in (old, theirs):
        os.utime(path, (0, 0))
    outputs(folder, "a.pth")
    assert {path.name for path in (folder / "masks" / "deep").iterdir()} == {"y.png", new.name, theirs.name}
    assert pictures(path.name for path in (old, new, theirs)) == []
