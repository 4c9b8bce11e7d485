"""mmseg-css split: generate and describe."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmseg_css.cli.main import call, run
from mmseg_css.datasets.splits import fingerprint, read_ids
from mmseg_css.preparation.splits import report


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve images in two folders, classes 0 to 3, the working folder around them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for number in range(12):
        mask = np.zeros((8, 8), np.uint8)
        mask[0] = 255
        mask[4:] = (0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 3)[number]
        for kind, content in (("images", np.zeros((8, 8, 3), np.uint8)), ("masks", mask)):
            path = tmp_path / kind / f"day {number % 2}" / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), content)
    return tmp_path


FOLDERS = ("--images", "images", "--masks", "masks", "--image-suffix", ".png")


def test_generate_a_series_from_folders(camera: Path, capsys: pytest.CaptureFixture) -> None:
    call(["split", "generate", *FOLDERS, "--series", "1/2", "4", "--out", "lists/own.txt"])
    small, large = (read_ids(f"lists/own-{count}.txt") for count in (4, 6))
    assert set(small) < set(large)
    assert {"day 1/03", "day 0/06", "day 1/11"} < set(small)  # alone in showing their class
    said = capsys.readouterr().out
    assert "own lists, chosen from 12 images" in said
    assert "lists/own-4.txt" in said
    assert "4 of 4" in said
    assert fingerprint(small)[:12] in said


def test_names_with_endings_have_the_fingerprint_that_verify_says(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "own.txt"
    path.write_text("a.png\nb.png\n")
    report.generated({path: ["a.png", "b.png"]}, {"a.png": {0}, "b.png": {1}})
    assert fingerprint(["a", "b"])[:12] in capsys.readouterr().out
    call(["split", "verify", str(path)])
    assert fingerprint(["a", "b"])[:12] in capsys.readouterr().out


def test_generate_from_a_part(camera: Path) -> None:
    Path("pool.txt").write_text("day 0/00\nday 1/01\nday 0/02\n")
    call(["split", "generate", *FOLDERS, "--pool", "pool.txt", "--count", "3", "--out", "own.txt"])
    assert Path("own.txt").read_text() == "day 0/00\nday 0/02\nday 1/01\n"


CONFIG = """
metainfo = dict(classes=('a', 'b', 'c', 'd'), palette=[[0, 0, 0]] * 4)
labeled = dict(type='BaseSegDataset', metainfo=metainfo, img_suffix='.png', ann_file='missing.txt',
               data_prefix=dict(img_path='images', seg_map_path='masks'))
unlabeled = dict(type='UnlabeledDataset', data_prefix=dict(img_path='images'), exclude='missing.txt')
train_dataloader = dict(dataset=dict(type='PairedDataset', labeled=labeled, unlabeled=unlabeled))
"""


def test_generate_from_a_config_whose_list_is_missing(camera: Path) -> None:
    Path("config.py").write_text(CONFIG)
    call(["split", "generate", "--config", "config.py", "--fraction", "1/3", "--out", "a.txt"])
    call(["split", "generate", *FOLDERS, "--count", "4", "--out", "b.txt"])
    assert Path("a.txt").read_text() == Path("b.txt").read_text()
    Path("pool.txt").write_text("day 0/00\nday 1/01\n")
    Path("config.py").write_text(CONFIG.replace("exclude=", "ann_file='pool.txt', exclude="))
    call(["split", "generate", "--config", "config.py", "--fraction", "1/1", "--out", "c.txt"])
    assert read_ids("c.txt") == ["day 0/00", "day 1/01"]


def test_generate_from_the_labelled_set_of_a_plain_config(camera: Path) -> None:
    Path("config.py").write_text(CONFIG + "train_dataloader = dict(dataset=labeled)\n")
    Path("missing.txt").write_text("day 0/00\nday 1/01\nday 1/03\n")
    call(["split", "generate", "--config", "config.py", "--count", "3", "--out", "own.txt"])
    assert read_ids("own.txt") == read_ids("missing.txt")


def test_generate_from_the_labelled_half_of_own_images(camera: Path) -> None:
    """Lines are whole names, and the images beside them have no masks."""
    labeled = "labeled = dict(type='FolderDataset', metainfo=metainfo, ann_file='train.txt',"
    Path("config.py").write_text(re.sub(r"labeled = dict\(.*", labeled, CONFIG, count=1))
    names = ["day 0/00.png", "day 1/01.png", "day 1/03.png"]
    Path("train.txt").write_text("".join(f"{name}\n" for name in names))
    call(["split", "generate", "--config", "config.py", "--count", "2", "--out", "own.txt"])
    chosen = Path("own.txt").read_text().splitlines()
    assert len(chosen) == 2 and {*chosen} < {*names}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--images", "images", "--count", "3"], 1, "--images needs --masks"),
        (["--config", "config.py", "--pool", "x", "--count", "3"], 1, "--pool goes with --images"),
        (["--config", "nowhere.py", "--count", "3"], 2, r'"nowhere\.py" does not exist'),
        # The last alternative is what cyclopts 5.0 says.
        (["--config", "config.py", *FOLDERS, "--count", "3"], 2, r"Where from: .*(\{--config, --images\}|\[1, 1\])"),
        (FOLDERS, 2, r"How many: .*(\{--count, --fraction, --series\}|\[1, 1\])"),
    ],
)
def test_generate_refuses_options(
    camera: Path, capsys: pytest.CaptureFixture, arguments: list, status: int, said: str
) -> None:
    Path("config.py").touch()
    try:
        found = run(["split", "generate", *arguments, "--out", "own.txt"])
    except SystemExit as stopped:
        found = stopped.code
    printed = " ".join(capsys.readouterr().err.split())
    assert (found, bool(re.search(said, printed))) == (status, True), printed


def test_generate_says_what_is_wrong_with_the_data(camera: Path) -> None:
    with pytest.raises(
        (OSError, ValueError), match=r"no image in 'images' ends in '\.jpg'; give its ending with --image-suffix"
    ):
        call(["split", "generate", *FOLDERS[:4], "--count", "3", "--out", "own.txt"])
    with pytest.raises((OSError, ValueError), match=r"the mask 'masks/day 0/00_m\.png' is missing"):
        call(["split", "generate", *FOLDERS, "--mask-suffix", "_m.png", "--count", "3", "--out", "own.txt"])
    cv2.imwrite("masks/day 0/00.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(
        (OSError, ValueError), match=r"'masks/day 0/00\.png' is of shape \(8, 8, 3\); it must be one channel"
    ):
        call(["split", "generate", *FOLDERS, "--count", "3", "--out", "own.txt"])
    Path("masks/day 0/00.png").write_bytes(b"no image")
    with pytest.raises((OSError, ValueError), match=r"'masks/day 0/00\.png' cannot be read"):
        call(["split", "generate", *FOLDERS, "--count", "3", "--out", "own.txt"])


def test_describe(camera: Path, capsys: pytest.CaptureFixture) -> None:
    Path("[a].txt").write_text("day 0/00\nday 1/03\n")
    Path("b.txt").write_text("day 1/03\nday 1/05\nday 1/07\n")
    call(["split", "describe", "[a].txt", "--masks", "masks", "--other", "b.txt"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "[a].txt" in said
    assert "protocol custom images 2" in said
    # Of 2 x 56 pixels that are not ignored, the lower half of one image is of class 1.
    assert "0 71.43% 2 (100.0%) 1 28.57% 1 (50.0%)" in said
    assert "b.txt custom 3 1 (33.3%)" in said
