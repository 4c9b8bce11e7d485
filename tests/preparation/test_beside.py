"""What lies beside images and masks, or was there before, does no harm, or is told."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmseg_css.datasets.checks.listing import check_listing
from mmseg_css.registry import DATASETS
from tests.preparation.folders import labels_of, lines, run, sets_of, write, write_image


@pytest.fixture(autouse=True)
def _start_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmseg")


def test_predictions_and_hidden_folders_are_no_images() -> None:
    for number in range(4):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number))
    for number in range(3):
        write_image(f"more/{number}u.webp")
        write_image(f"more/predicted/overlays/{number}u.jpg")
        write_image(f"more/.ipynb_checkpoints/{number}u-checkpoint.png")
    Path("more/predicted/predictions.json").write_text("{}")
    sets = sets_of(run("images", "masks", "more"))
    assert sorted(Path(one["img_path"]).name for one in sets["unlabeled"]) == ["0u.webp", "1u.webp", "2u.webp"]


def test_masks_that_are_added_later_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("mmseg_css.datasets.checks.listing.warn", said.append)
    for number in range(6):
        write_image(f"images/{number}.png")
        if number < 4:
            write(f"masks/{number}.png", labels_of(number))
    labeled = run("images", "masks").train_dataloader.dataset.labeled
    check_listing(DATASETS.build(labeled))
    assert not said
    write("masks/5.png", labels_of(5))
    check_listing(DATASETS.build(labeled))
    [text] = said
    assert text.startswith("1 images in 'images' have masks") and "the first: '5.png'" in text
    with Path("configs/own/train.txt").open("a") as file:
        file.write("5.png\n")
    check_listing(DATASETS.build(labeled))
    assert len(said) == 1


def test_validation_images_that_were_trained_on_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number))
    write_image("images/9.png")
    run("images", "masks")
    before = lines("train")
    assert "stood in the train.txt that was there" not in capsys.readouterr().out
    run("images", "masks", "--seed", "1", "--overwrite")
    moved = [name for name in lines("val") if name in before]
    said = " ".join(capsys.readouterr().out.split())
    assert moved and f"for validation ({', '.join(moved)}) stood in the train.txt that was there" in said


def test_zeros_and_ones_beside_zeros_and_255(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", (labels_of(number) == 1).astype(np.uint8) * (255 if number < 3 else 1))
    write_image("images/9.png")
    run("images", "masks")
    said = " ".join(capsys.readouterr().out.split())
    assert "3 masks (0.png, 1.png, 2.png) with 0 and 255 alone, and 255 is ignored" in said
    assert "% of all" in said


@pytest.mark.parametrize("pattern", [["--mask-names", "*_mask.png"], []])
def test_masks_among_the_unlabelled_images_are_no_images(
    pattern: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Given the folder of an export of which some images are labelled, too."""
    masks = "images" if pattern else "masks"
    for number in range(5):
        write_image(f"images/{number}.png")
        write(f"{masks}/{number}_mask.png", labels_of(number))
    for number in range(7):
        write_image(f"more/more {number}.png")
    for number in range(2):
        write(f"more/more {number}_mask.png", labels_of(number))
    cfg = run("images", masks, "more", *pattern)
    said = " ".join(capsys.readouterr().out.split())
    assert "2 masks in UNLABELED (more 0_mask.png, more 1_mask.png), not used." in said
    read = [Path(sample["img_path"]).name for sample in sets_of(cfg)["unlabeled"]]
    assert sorted(read) == [f"more {number}.png" for number in range(7)]


def test_unlabelled_images_called_as_labelled_ones_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Copies in another format, say; byte for byte the same they are left out."""
    for number in range(5):
        write_image(f"images/site/{number}.png")
        write(f"masks/site/{number}.png", labels_of(number))
        write_image(f"more/other/{number}.png")
    run("images", "masks", "more")
    assert "with the name of a labelled one" not in capsys.readouterr().out
    [validating] = lines("val")
    training = lines("train")[0]
    write_image(f"more/{training}")
    write_image(f"more/{validating.removesuffix('.png')}.jpg")
    run("images", "masks", "more", "--overwrite")
    said = " ".join(capsys.readouterr().out.split())
    assert "of UNLABELED are labelled, too, and left out there" in said
    copy = validating.removesuffix("png") + "jpg"
    assert f"1 image of UNLABELED ({copy}) with the name of a labelled one, 1 of them of a validation image" in said


def test_unlabelled_images_that_end_as_masks_do_are_images() -> None:
    """Masks are PNG beside photographs in JPEG, and unlabelled images PNG."""
    for number in range(5):
        write_image(f"images/{number}.jpg")
        write(f"images/{number}.png", labels_of(number))
    for number in range(3):
        write_image(f"more/more {number}.png")
    cfg = run("images", "images", "more", "--mask-names", "*.png")
    assert len(sets_of(cfg)["unlabeled"]) == 3


@pytest.mark.parametrize(
    ("names", "divided"),
    [
        ([f"cam{camera}_{frame:04d}.png" for camera in range(2) for frame in range(10)], "2 series (cam0_, cam1_)"),
        ([f"{picture}_jpg.rf.{copy}ab{picture}.png" for picture in range(5) for copy in range(4)], "_jpg.rf."),
        ([f"IMG_{number}.png" for number in range(20)], None),  # one camera, of whatever
        ([f"{year}_{number:06d}.png" for year in range(2007, 2011) for number in range(5)], None),  # VOC
        ([f"{word}.png" for word in "abcdefghijklmnopqrst"], None),
    ],
)
def test_series_on_both_sides_are_told(
    names: list[str], divided: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(names):
        write_image(f"images/{name}")
        write(f"masks/{name}", labels_of(number))
    write_image("images/another.png")
    run("images", "masks")
    said = " ".join(capsys.readouterr().out.split())
    assert ("are both for training and for validation" in said) == (divided is not None)
    assert (divided or "") in said
