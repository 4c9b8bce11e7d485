"""What another call of `mmseg-css init` finds of the masks of before: those that it wrote, and those that are gone."""

import os
import shutil
from pathlib import Path

import pytest

from mmseg_css.cli.main import call
from mmseg_css.preparation.own_data.coding import write_indices
from tests.preparation.own_data.conftest import labels_of, lines, names, run, write, write_images, write_masks


@pytest.mark.parametrize("folder", ["", "site 1/"])
def test_a_call_that_is_stopped_leaves_the_masks_of_before(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of one coding, as the config says that they are."""

    def stopped(path: Path, *arguments: object) -> None:
        if path.name == "02.png":
            raise KeyboardInterrupt
        write_indices(path, *arguments)

    write_images([f"{folder}{name}" for name in names(6)])
    write_masks([f"{folder}{name}" for name in names(5)], factor=100)
    run()
    made = Path("data/own/index_masks")
    before = {path: path.read_bytes() for path in made.rglob("*.*")}
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("mmseg_css.preparation.own_data.index_masks.write_indices", stopped)
        call(["init", "images", "masks", "--ignore", "0", "--overwrite"])
    assert {path: path.read_bytes() for path in made.rglob("*.*")} == before
    (made / ".new-killed").mkdir()
    run("--ignore", "0", "--overwrite")
    after = {path: path.read_bytes() for path in made.rglob("*.*")}
    assert before.keys() == after.keys()
    assert all(before[path] != after[path] for path in before if path.suffix == ".png")


def test_masks_that_were_written_anew_and_corrected_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(6))
    write_masks(names(5), factor=100)
    run()
    made = Path("data/own/index_masks")
    wrong, touched = made / "02.png", made / "03.png"
    write(wrong, labels_of(0))
    corrected, later = wrong.read_bytes(), (made / ".made_of.json").stat().st_mtime_ns + 10**9
    for path in (wrong, touched):
        os.utime(path, ns=(later, later))
    capsys.readouterr()
    run("--overwrite")
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "1 mask in data/own/index_masks had been changed by hand, and kept as 02.png.~1~: the new ones are of" in said
    )
    assert (made / "02.png.~1~").read_bytes() == corrected != wrong.read_bytes()
    assert sorted(path.name for path in made.glob("*.~*")) == ["02.png.~1~"]
    run("--overwrite")
    assert "changed by hand" not in capsys.readouterr().out


def test_images_whose_masks_are_gone_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """They become unlabelled images, or are not used where these have a folder of their own."""
    write_images(names(8))
    write_masks(names(7))
    run()
    moved = sorted([lines("configs/own/train.txt")[0], lines("configs/own/val.txt")[0]])
    for name in moved:
        (Path("masks") / name).rename(f"{name}.away")
    write_images(names(2), folder="more")
    shutil.copytree("configs", "before")
    for more, use in (((), "learnt from as unlabelled ones"), (("more",), "not used")):
        capsys.readouterr()
        run(*more, "--overwrite")
        said = " ".join(capsys.readouterr().out.split())
        told = said.partition("2 images of the lists that were there (")[2].partition(". If their masks")[0]
        names_told, _, what = told.partition(") ")
        assert sorted(names_told.split(", ")) == moved and what == f"without a mask now, {use}"
        shutil.rmtree("configs")
        shutil.copytree("before", "configs")
