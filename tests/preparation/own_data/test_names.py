"""mmseg-css init: names that are no UTF-8, as old archives have them, with umlauts in Latin-1."""

import os
from pathlib import Path

import pytest

from mmseg_css.cli.main import call
from tests.preparation.own_data.conftest import names, run, write_images, write_masks

STRASSE = os.fsdecode(b"stra\xdfe")


@pytest.mark.parametrize(
    ("image", "mask"),
    [(f"{STRASSE}.png", f"{STRASSE}.png"), (f"{STRASSE}/00.png", f"{STRASSE}/00.png"), ("00.png", f"00_{STRASSE}.png")],
)
def test_labelled_names_that_are_no_utf8_are_refused(image: str, mask: str) -> None:
    write_images([*names(2, first=1), image])
    write_masks([mask])
    with pytest.raises(
        ValueError, match=r"(?s)1 of 1 images.*the name '(images|masks)/.*stra\\udcdfe.*; rename the file"
    ):
        run()
    assert not Path("configs").exists() and not Path("data").exists()


def test_unlabelled_names_that_a_list_holds() -> None:
    """Masks lie among the images, so that a list says which are unlabelled ones."""
    write_images([*names(3, ".jpg"), f"{STRASSE}.jpg"])
    write_masks(names(2))
    for name in names(2):
        (Path("masks") / name).rename(Path("images") / name)
    with pytest.raises(ValueError, match=r"'stra\\udcdfe.jpg': the name .* is no UTF-8"):
        call(["init", "images", "images", "--mask-names", "*.png"])


def test_other_names_are_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """No list names unlabelled images of a folder of their own, nor what is not used."""
    write_images([*names(3), f"{STRASSE}.png"])
    write_masks(names(3))
    write_images([f"{STRASSE} 2.png"], folder="more")
    run("more")
    assert r"1 image in IMAGES without a mask, not used because UNLABELED is given (stra\udcdfe.png)" in " ".join(
        capsys.readouterr().out.split()
    )
