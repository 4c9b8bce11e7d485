"""mmseg-css init: files that hold several pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter

from mmseg_css.cli.main import call
from mmseg_css.preparation.own_data.images import look_at_image
from mmseg_css.preparation.own_data.masks import look_at_mask
from tests.preparation.own_data.conftest import SIDE, labels_of, names, write_images, write_masks


def write_pages(path: str, *others: np.ndarray, first: np.ndarray | None = None, **settings: Any) -> Path:
    first = np.zeros((SIDE, SIDE, 3), np.uint8) if first is None else first
    Image.fromarray(first).save(path, save_all=True, append_images=[Image.fromarray(one) for one in others], **settings)
    return Path(path)


def grey(side: int) -> np.ndarray:
    return np.full((side, side, 3), 200, np.uint8)


@pytest.mark.parametrize(("name", "kind"), [("a.tif", "TIFF"), ("a.webp", "WEBP"), ("a.png", "PNG"), ("a.png", "GIF")])
def test_pages_and_frames(name: str, kind: str) -> None:
    assert look_at_image(write_pages(name, grey(SIDE), format=kind)).more
    assert look_at_mask(Path(name)).more
    assert not look_at_image(write_pages(name, format=kind)).more
    assert not look_at_mask(Path(name)).more


def test_pictures_that_only_show_the_first_again() -> None:
    """What a camera, GDAL and viewers of large images add."""
    assert not look_at_image(write_pages("a.jpg", grey(SIDE), format="MPO")).more
    assert not look_at_image(write_pages("a.tif", grey(SIDE // 2), grey(SIDE // 4))).more
    with AppendingTiffWriter("b.tif", new=True) as writer:
        Image.fromarray(grey(SIDE)).save(writer, format="TIFF")
        writer.newFrame()
        Image.fromarray(grey(SIDE)).save(writer, format="TIFF", tiffinfo={254: 4})  # its transparency
    assert not look_at_image(Path("b.tif")).more


def test_the_first_page_is_what_is_read() -> None:
    labels = labels_of(0)
    write_pages("mask.tif", np.full_like(labels, 7), first=labels)
    assert look_at_mask(Path("mask.tif")).values == dict(
        zip(*map(list, np.unique(labels, return_counts=True)), strict=True)
    )


def test_files_with_further_pictures_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_images([*names(5), "05.tif"])
    write_masks([*names(5)])
    call(["init", "images", "masks"])
    assert "several pages" not in capsys.readouterr().out
    write_pages("images/05.tif", grey(SIDE))
    call(["init", "images", "masks", "--overwrite"])
    expected = "! 1 file with several pages or frames (images/05.tif), of which only the first is used."
    assert expected in " ".join(capsys.readouterr().out.split())
    Path("masks/04.png").unlink()
    write_pages("masks/04.tif", labels_of(1), first=labels_of(4))
    call(["init", "images", "masks", "--overwrite"])
    expected = "! 2 files with several pages or frames (masks/04.tif and 1 more), of which"
    assert expected in " ".join(capsys.readouterr().out.split())
