"""What people change after `mmseg-css init`, or after `data masks`, and what a training then says of it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmseg_css.cli.main import call
from mmseg_css.datasets import checks
from mmseg_css.registry import DATASETS
from tests.preparation.own_data.conftest import (
    SIDE,
    labels_of,
    labels_read,
    lines,
    names,
    run,
    write,
    write_images,
    write_masks,
)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(checks.listing, "warn", found.append)
    return found


def begin(cfg: Config) -> None:
    DATASETS.build(cfg.train_dataloader.dataset)
    checks.check_set(DATASETS.build(cfg.val_dataloader.dataset), checks.EVALUATION)


def rewrite(path: str, pixels: np.ndarray) -> None:
    """Within the same tick of the clock, too, a change is one."""
    stat = os.stat(path)
    write(path, pixels)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


# -- masks that were written anew -------------------------------------------------------------------------------------


def test_masks_that_were_corrected_since(said: list[str]) -> None:
    write_images(names(6))
    write_masks(names(5), factor=100)  # values 0, 100, 200
    cfg = run()
    begin(cfg)
    os.utime("masks/00.png")  # touched, and as it was
    begin(cfg)
    assert not said
    rewrite("masks/02.png", labels_of(0) * 100)
    begin(cfg)
    [message] = said
    assert message.startswith("1 files have changed since `mmseg-css init` made masks in 'data/own/index_masks' of")
    assert (
        "the first: 'masks/02.png'; to use what they hold now, call `mmseg-css init` again as you did then" in message
    )
    said.clear()
    cfg = run("--overwrite")
    begin(cfg)
    assert not said
    np.testing.assert_array_equal(labels_read(cfg)["02.png"], labels_of(0))


def test_masks_that_are_gone_since(said: list[str]) -> None:
    """The copies are all that a training needs."""
    write_images(names(6))
    write_masks(names(5), factor=100)
    cfg = run()
    for path in Path("masks").iterdir():
        path.unlink()
    begin(cfg)
    Path("masks").rmdir()
    begin(cfg)
    assert not said


# -- masks that came later --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1, 100])
def test_masks_that_were_added_since(said: list[str], factor: int) -> None:
    write_images(names(6))
    write_masks(names(5), factor=factor)
    cfg = run()
    begin(cfg)
    assert not said
    write("masks/05.png", labels_of(5) * factor)
    begin(cfg)
    [message] = said
    assert message.startswith("1 images in 'images' have masks, and stand neither in 'configs/own/train.txt' nor")
    assert "the first: '05.png'" in message
    assert "call `mmseg-css init" in message and "again as you did then, with --overwrite" in message
    # Masks that init rewrites are not where one would append.
    assert ("or append their paths to 'configs/own/train.txt'" in message) == (factor == 1)


@pytest.mark.parametrize("factor", [1, 100])
def test_masks_beside_their_images(said: list[str], factor: int) -> None:
    write_images(names(6, ".jpg"))
    for number, name in enumerate(names(5)):
        write(f"images/{name}", labels_of(number) * factor)
    call(["init", "images", "images", "--mask-names", "*.png"])
    cfg = Config.fromfile("configs/own/css_lite0_own.py")
    begin(cfg)
    assert not said
    write("images/05.png", labels_of(5) * factor)
    begin(cfg)
    [message] = said
    assert message.startswith("1 images in 'images' have masks,")
    assert "the first: '05.jpg'" in message


# -- another call of init ---------------------------------------------------------------------------------------------


def test_another_call_keeps_validation_and_what_was_changed_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """More labels, as after `suggest`: no image changes sides, and nothing that was written by hand is lost."""
    write_images(names(30))
    write_masks(names(10))
    run()
    base, val = Path("configs/own/_base_/data.py"), lines("configs/own/val.txt")
    changed = base.read_text().replace("max_iters = 3500", "max_iters = 7000")
    base.write_text(changed)
    Path("configs/own/train.txt").write_text("\n".join(lines("configs/own/train.txt")))  # no end of line: as good
    write_masks(names(20))
    capsys.readouterr()
    run("--overwrite")
    said = " ".join(capsys.readouterr().out.split())
    joined = sorted({*lines("configs/own/val.txt")} - {*val})
    assert {*val} < {*lines("configs/own/val.txt")}
    assert joined and min(joined) >= "10.png"
    assert f"2 images ({', '.join(joined)}) joined the validation images of before, which stay" in said
    assert "is kept: train.txt.~1~, val.txt.~1~, _base_/data.py.~1~. Carry over" in said
    assert base.with_name("data.py.~1~").read_text() == changed
    assert "max_iters = 3500" in base.read_text()
    run("--overwrite", "--val", "0.5")
    said = capsys.readouterr().out
    assert "is kept" not in said
    assert "The lists that were there decide what validates: --val is of new images alone" in said
    base.write_text(changed)
    run("--overwrite")
    assert base.with_name("data.py.~2~").read_text() == changed


def test_another_call_without_the_options_of_the_first_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(6))
    write_masks(names(5))
    run("--classes", "a,b", "--ignore", "2")
    run("--classes", "a,b", "--ignore", "2", "--overwrite")
    assert "Before, the classes were others" not in capsys.readouterr().out
    run("--overwrite")
    said = " ".join(capsys.readouterr().out.split())
    assert "Before, the classes were others, or other values of the masks" in said
    assert "with the --classes and --ignore of then" in said


# -- masks of polygons ------------------------------------------------------------------------------------------------


def write_shapes(name: str, middle: int) -> None:
    shapes = [
        {"label": label, "points": [[left, 0], [right, SIDE]], "shape_type": "rectangle"}
        for label, left, right in (("ground", 0, middle), ("sky", middle, SIDE))
    ]
    content = {"shapes": shapes, "imageHeight": SIDE, "imageWidth": SIDE, "imagePath": f"{name}.png"}
    Path("polygons").mkdir(exist_ok=True)
    Path(f"polygons/{name}.json").write_text(json.dumps(content))


def test_polygons_that_were_corrected_since(said: list[str]) -> None:
    write_images(names(6))
    for name in names(5, ""):
        write_shapes(name, 20)
    make = ["data", "masks", "polygons", "--out", "masks", "--classes", "ground,sky"]
    call(make)
    cfg = run("--classes", "ground,sky")
    begin(cfg)
    assert not said
    stat = os.stat("polygons/03.json")
    write_shapes("03", 30)
    os.utime("polygons/03.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    begin(cfg)
    [message] = said
    assert "`mmseg-css data masks` made masks in 'masks' of them" in message
    assert "the first: 'polygons/03.json'" in message
    said.clear()
    call([*make, "--overwrite"])
    begin(cfg)
    assert not said


def test_polygons_behind_masks_that_were_resized(said: list[str]) -> None:
    """Polygons, masks of these, and masks of these at the size of their images."""
    write_images(names(6))
    for name in names(5, ""):
        write_shapes(name, 20)
    call(["data", "masks", "polygons", "--out", "masks", "--classes", "ground,sky"])
    for path in Path("masks").glob("*.png"):
        write(path, labels_of(0, 2, 2 * SIDE))
    cfg = run("--classes", "ground,sky", "--resize-masks")
    begin(cfg)
    assert not said
    write_shapes("03", 30)
    begin(cfg)
    [message] = said
    assert "the first: 'polygons/03.json'" in message


def test_what_was_made_of_other_masks_first(said: list[str]) -> None:
    """The second call wrote all of them: the first one's masks may change."""
    write_images(names(6))
    write_masks(names(5), factor=100)
    Path("masks").rename("first")
    write_masks(names(5), factor=90)
    call(["init", "images", "first"])
    cfg = run("--overwrite")
    write("first/02.png", labels_of(0) * 100)
    begin(cfg)
    assert not said


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_masks_of_configs_elsewhere_are_not_written_over(overwrite: list[str]) -> None:
    write_images(names(6))
    write_masks(names(5), factor=100)
    call(["init", "images", "masks", "--out", "first/own"])
    before = Path("data/own/index_masks/00.png").read_bytes()
    again = ["init", "images", "masks", "--out", "second/own", "--ignore", "0"]
    with pytest.raises(FileExistsError, match="holds masks for the configs in 'first/own'.* --out with another last"):
        call([*again, *overwrite])
    assert Path("data/own/index_masks/00.png").read_bytes() == before
    call(["init", "images", "masks", "--out", "./first/../first/own", "--overwrite"])
    Path("first").rename("elsewhere")
    call([*again, "--overwrite"])
    assert Path("data/own/index_masks/00.png").read_bytes() != before


@pytest.mark.parametrize("content", ["", "{}", '{"command": "x", "sources": {"a": 1}}', '{"no": 1}', "[1]"])
def test_a_record_that_cannot_be_read_is_none(said: list[str], content: str) -> None:
    write_images(names(6))
    write_masks(names(5), factor=100)
    cfg = run()
    Path("data/own/index_masks/.made_of.json").write_text(content)
    write("masks/02.png", labels_of(0) * 100)
    begin(cfg)
    run("--overwrite")
    assert not said


def test_what_is_noted_is_no_annotation() -> None:
    """Masks beside the files they are made of, and a second call."""
    for name in names(2, ""):
        write_shapes(name, 20)
    make = ["data", "masks", "polygons", "--out", "polygons", "--classes", "ground,sky"]
    call(make)
    call([*make, "--overwrite"])
    assert sorted(path.name for path in Path("polygons").iterdir()) == [
        *(".made_of.json", "00.json", "00.png", "01.json", "01.png")
    ]
