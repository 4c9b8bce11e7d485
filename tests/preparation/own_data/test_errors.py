"""mmseg-css init: what is wrong or odd, in words."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_css.cli.main import call
from mmseg_css.datasets.checks import EXIF_ORIENTATION
from mmseg_css.preparation.own_data.folders import pair
from mmseg_css.preparation.own_data.images import choose_input, look_at_image
from tests.preparation.own_data.conftest import (
    SIDE,
    labels_of,
    labels_read,
    names,
    run,
    write,
    write_images,
    write_masks,
)


def write_three() -> None:
    write_images(names(4))
    write_masks(names(3))


def other_size() -> None:
    write("masks/01.png", labels_of(0, side=SIDE // 2))


def turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    write("images/05.jpg", np.zeros((SIDE, 2 * SIDE, 3), np.uint8), exif=exif)
    write("masks/05.png", np.tile(labels_of(0), 2))


def no_masks() -> None:
    for path in Path("masks").iterdir():
        path.rename(path.with_name(f"mask of {path.name}"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (other_size, r"1 of 3 images in 'images' cannot be used.*\n  '01\.png': the mask is 20x20, its image 40x40"),
        (turned, r"'05\.jpg': the mask is 80x40, its image 40x80.*EXIF data ask for a turn, which MMSeg makes"),
        (no_masks, r"no mask in 'masks' is named after an image.*'mask of 00\.png'.*images '00\.png'"),
        (lambda: Path("images/01.png").write_bytes(b"nothing"), r"'01\.png': no picture, or a TIFF with other than"),
        (
            lambda: Path("images/03.png").write_bytes(b""),
            r"1 of 1 images in 'images'.*'03\.png': the file is empty \(0",
        ),
        (lambda: Path("masks/01.png").write_bytes(b""), r"1 of 3 images in .*'01\.png': the mask is empty \(0 bytes"),
        (lambda: Path("masks/01.png").write_bytes(b"nothing"), r"'01\.png': the mask cannot be read"),
        (lambda: write("images/00.jpg", np.zeros((9, 9, 3), np.uint8)), "differ in nothing but the ending"),
        (lambda: write("masks/03.jpg", labels_of(0)), "1 masks are JPEG, '03.jpg' for one"),
        (lambda: write("masks/03.JFIF", labels_of(0), format="JPEG"), "1 masks are JPEG, '03.JFIF' for one"),
        (lambda: write_images(["00.png"], dtype=np.uint16), "1 of 4 images have 16 bits, the others 8"),
    ],
)
def test_what_stops_a_training(spoil, said: str) -> None:
    write_three()
    spoil()
    with pytest.raises((OSError, ValueError), match=f"(?s){said}"):
        run()
    assert not Path("configs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["images", "nowhere"], "there is no folder 'nowhere'"),
        (["images", "images"], "are one folder or one lies within the other"),
        (["images", "masks", "."], "are one folder or one lies within the other.*leave UNLABELED out"),
        (["images", "masks", "--crop", "100"], "must be a multiple of 16"),
        (["images", "masks", "--val", "2"], "must lie between 0 and 1"),
        (["images", "masks", "--classes", "a,b"], "--classes names 2, but the masks hold 3 values"),
    ],
)
def test_arguments_that_do_not_fit(arguments: list[str], said: str) -> None:
    write_three()
    with pytest.raises((OSError, ValueError), match=said):
        call(["init", *arguments])


@pytest.mark.parametrize("option", [["--classes", "a,a"], ["--ignore", "1,2"], ["--ignore", "1,2,300"]])
def test_options_are_checked(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call(["init", "images", "masks", *option])
    assert f"error: Invalid value for {option[0]}: expected" in capsys.readouterr().err


def test_new_masks_are_not_written_among_the_images() -> None:
    write_images(names(2), folder="data/own")
    write_masks(names(2), factor=255, classes=2)
    with pytest.raises((OSError, ValueError), match="within 'data/own', and be taken for images"):
        call(["init", "data/own", "masks"])


def test_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    """What is odd and no error: a mask too many, a class that nobody shows, a turned image, nothing unlabelled."""
    write_images(names(3))
    write_masks(names(3), classes=2)
    write("masks/99.png", labels_of(0))
    exif = Image.Exif()
    exif[0x0112] = 6
    write("images/05.jpg", np.zeros((SIDE, 2 * SIDE, 3), np.uint8), exif=exif)
    write("masks/05.png", np.tile(labels_of(0, classes=2), (2, 1)))
    call(["init", "images", "masks", "--classes", "a,b,c"])
    printed = capsys.readouterr().out
    for said in (
        "No image is unlabelled",
        "1 mask without an image (99.png)",
        "No mask shows c",
        "1 of 4 images are turned or mirrored",
        "Only 1 image for validation",
    ):
        assert said in printed, said


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ("Street 3.png", "By its name belongs Street 3.png to street_03.png: give both the same."),
        ("street_33.png", None),  # another number is another picture
        ("street_01-.png", None),  # that image has its mask
    ],
)
def test_a_mask_is_told_with_the_image_that_it_may_belong_to(
    mask: str, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [f"street_{number:02}.png" for number in range(6)]
    write_images(images)
    write_masks([name for name in images if name != "street_03.png"])
    write(f"masks/{mask}", labels_of(0))
    call(["init", "images", "masks"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"1 mask without an image ({mask}), not used." in printed
    assert said in printed if said else "By its name" not in printed


def test_a_stray_value_is_told_with_its_mask(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    write_masks(names(4))
    painted = labels_of(1)
    painted[0, 0] = 3
    write("masks/01.png", painted)
    call(["init", "images", "masks"])
    said = " ".join(capsys.readouterr().out.split())
    assert "of the pixels show class_3 (in 01.png). If these are stray colours, mend the masks; if" in said


def test_masks_named_in_two_ways_are_copied() -> None:
    """The two ways of writing an umlaut are one name to the eye, and two to most file systems."""
    write_images(["\u00fc.png", "b.png", "c.png"])
    write("masks/u\u0308.png", labels_of(0))
    write("masks/b.png", labels_of(1))
    assert pair(Path("images"), Path("masks")).mask_suffix is None
    cfg = run()
    assert cfg.masks == "data/own/index_masks"
    np.testing.assert_array_equal(labels_read(cfg)["\u00fc.png"], labels_of(0))


@pytest.mark.parametrize(("suffix", "alpha", "refused"), [(".png", 9, True), (".png", 255, False), (".tif", 9, False)])
def test_four_channels_that_exif_data_turn(suffix: str, alpha: int, refused: bool) -> None:
    """They are read as they are, and not turned, unless they are opaque and read as colour; TIFF its decoder turns."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 16, 4), np.uint8)
    pixels[..., 3] = alpha
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 3  # upside down, of which sizes say nothing
    Image.fromarray(pixels).save(f"a{suffix}", exif=exif)
    images = [look_at_image(Path(f"a{suffix}"))]
    if refused:
        with pytest.raises(ValueError, match="1 of 1 images have EXIF data that ask for a turn, which is not made of"):
            choose_input(images)
    else:
        assert choose_input(images).channels == (4 if alpha < 255 else 3)
