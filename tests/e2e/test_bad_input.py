"""The rows of docs/bad-input.md on images, masks and sets, and that every row has a test: what is said, and when."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_css.datasets import checks
from tests.configs.helpers import ROOT
from tests.datasets.helpers import METAINFO, dataloader_config, write_image, write_list, write_mask, write_pairs
from tests.e2e import test_bad_checkpoints_and_configs  # noqa: F401  (its rows)
from tests.engine.tiny import config, train
from tests.trained import ROWS, row, truncated

IMAGE, MASK = "images/town 0/frame 00.png", "masks/town 0/frame 00.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Eight images and masks of 16 x 16 pixels, noise so that they take some bytes; the first four are labelled."""
    init_default_scope("mmseg")
    ids = [f"town 0/frame {number:02d}" for number in range(8)]
    write_pairs(tmp_path, ids)
    rng = np.random.default_rng(0)
    for name in ids:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / "images" / f"{name}.png")
    write_list(tmp_path / "labeled.txt", ids[:4])
    return tmp_path


def build(root: Path, **labeled: object):
    config = dataloader_config(root, str(root / "labeled.txt"))["dataset"]
    config["labeled"].update(labeled)
    return DATASETS.build(config)


def train_one_step(root: Path) -> dict[str, float]:
    """One iteration of CSS with crops of 16 x 16; the losses."""
    hooks = {"custom_hooks": [{"type": "FiniteStepHook", "patience": 1}], "default_hooks__checkpoint": None}
    scalars = train(config(root, iterations=1, **hooks)).message_hub.log_scalars
    return {name: scalars[f"train/{name}"].current() for name in ("loss", "sup.loss_ce", "unsup.loss_contrast")}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings of the checks."""
    warnings: list[str] = []
    monkeypatch.setattr(checks.labels, "warn", warnings.append)
    return warnings


# -- images -----------------------------------------------------------------------------------------------------------


def truncated_jpeg(path: Path) -> None:
    Image.open(path).save(path, format="JPEG")  # the ending stays
    truncated(path)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_image(path: Path) -> None:
    path.write_text("this is no image")


@row("Truncated or unreadable image", "Zero-byte file")
@pytest.mark.parametrize("number", [0, 7], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (truncated, "cannot be read .*copy or export it again, or take it out"),
        (truncated_jpeg, "cannot be read .*(?i:truncated)"),
        (no_image, "cannot be read "),
        (empty, r"is empty \(0 bytes\); copy it again, or take it out"),
    ],
)
def test_image_that_cannot_be_read(root: Path, number: int, harm: Callable[[Path], None], message: str) -> None:
    build(root)
    harm(root / f"images/town 0/frame {number:02d}.png")
    with pytest.raises(ValueError, match=rf"(?s)1 of the \d .*frame {number:02d}\.png' {message}"):
        build(root)


@row("File vanished or spoilt during training")
@pytest.mark.parametrize(
    ("harm", "kind", "message"),
    [(Path.unlink, FileNotFoundError, "is missing"), (empty, ValueError, r"is empty \(0 bytes\)")],
)
@pytest.mark.parametrize(("name", "what", "workers"), [(IMAGE, "image", 0), (MASK, "mask", 1)])
def test_file_that_vanishes(
    root: Path, harm: Callable[[Path], None], kind: type, message: str, name: str, what: str, workers: int
) -> None:
    dataset = build(root)
    harm(root / name)
    loader = torch.utils.data.DataLoader(dataset, num_workers=workers, collate_fn=list)
    with pytest.raises(kind, match=rf"(?s)the {what} '.*frame 00\.png' {message}.*; then go on with --resume"):
        list(loader)


@row("Grey, RGBA or CMYK image")
@pytest.mark.parametrize(("mode", "suffix"), [("L", ".png"), ("LA", ".png"), ("RGBA", ".png"), ("CMYK", ".jpg")])
def test_other_channels_are_read_as_three(root: Path, mode: str, suffix: str) -> None:
    Image.new("RGB", (16, 16), (200, 100, 50)).convert(mode).save(root / f"images/town 0/other{suffix}")
    write_mask(root / "masks/town 0/other.png")
    listed = write_list(root / "other.txt", ["town 0/other"])
    sample = build(root, ann_file=listed, img_suffix=suffix)[0].sample
    assert sample["inputs"].shape[0] == 3


@row("EXIF-rotated image")
def test_exif_rotation(root: Path) -> None:
    exif = Image.Exif()
    exif[checks.EXIF_ORIENTATION] = 6
    Image.new("RGB", (16, 8)).save(root / "images/turned.jpg", exif=exif)
    write_mask(root / "masks/turned.png", np.eye(16, 8, dtype=np.uint8))
    listed = write_list(root / "turned.txt", ["turned"])
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    dataset = build(root, ann_file=listed, img_suffix=".jpg", pipeline=pipeline)
    assert dataset[0].sample["inputs"].shape == (3, 16, 8)
    write_mask(root / "masks/turned.png", np.zeros((8, 16), np.uint8))
    with pytest.raises(ValueError, match=r"turned\.png' is 16x8, its image .* is 8x16"):
        build(root, ann_file=listed, img_suffix=".jpg", pipeline=pipeline)


@row("Images smaller than the crop")
def test_small_images_are_padded(root: Path) -> None:
    for number in range(8):
        write_image(root / f"images/town 0/frame {number:02d}.png", size=(6, 9), value=100)
        write_mask(root / f"masks/town 0/frame {number:02d}.png", np.eye(6, 9, dtype=np.uint8))
    assert all(map(np.isfinite, train_one_step(root).values()))


@row("Names with spaces and non-ASCII characters")
def test_any_name(root: Path) -> None:
    for part in ("images", "masks"):
        shutil.move(root / part / "town 0", root / part / "Überlingen 東京")
    listed = write_list(root / "labeled.txt", [f"Überlingen 東京/frame {number:02d}" for number in range(4)])
    dataset = build(root, ann_file=listed)
    assert (dataset.num_labeled, dataset.num_unlabeled) == (4, 4)
    assert dataset[0].sample["data_samples"].img_path.endswith("Überlingen 東京/frame 00.png")


# -- masks ------------------------------------------------------------------------------------------------------------


def colours(path: Path) -> None:
    write_image(path)


def palette(path: Path) -> None:
    picture = Image.fromarray(np.eye(16, dtype=np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.save(path)


def sixteen_bits(path: Path) -> None:
    write_mask(path, np.full((16, 16), 1000, np.uint16))


def small(path: Path) -> None:
    write_mask(path, np.zeros((8, 16), np.uint8))


def outside(path: Path) -> None:
    write_mask(path, np.full((16, 16), 7, np.uint8))


@row("Image and mask of different sizes", "RGB mask", "Palette mask", "16-bit mask", "Label value outside the classes")
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (small, r"is 16x8, its image .* is 16x16 \(width x height\); export the mask again"),
        (colours, r"is of shape \(16, 16, 3\).*convert colours to indices first"),
        (palette, None),
        (sixteen_bits, r"holds \[1000\], neither one of the 2 classes"),
        (outside, r"holds \[7\], neither one of the 2 classes \(0\.\.1\) nor ignored .*correct classes or the masks"),
        (truncated, "cannot be read"),
        (empty, "cannot be read"),
    ],
)
def test_mask(root: Path, harm: Callable[[Path], None], message: str | None) -> None:
    harm(root / MASK)
    if message is None:
        build(root)
    else:
        with pytest.raises(ValueError, match=rf"(?s)1 of the 4 labelled images .*{MASK}' .*{message}"):
            build(root)


@row("A class absent from all labels")
def test_absent_class(root: Path, said: list[str]) -> None:
    classes = (*METAINFO["classes"], "unicorn")
    build(root, metainfo={"classes": classes, "palette": [[0, 0, 0]] * 3})
    [warning] = said
    assert re.search("no mask of BaseSegDataset holds the class unicorn, .* label an image that shows it", warning)


@row("All-ignored masks")
def test_ignored_masks(root: Path, said: list[str]) -> None:
    write_mask(root / MASK, np.full((16, 16), 255, np.uint8))
    build(root)
    [warning] = said
    assert re.search(r"1 of the 4 masks .* teach nothing; the first: '.*frame 00\.png'", warning)
    for number in range(8):
        write_mask(root / f"masks/town 0/frame {number:02d}.png", np.full((16, 16), 255, np.uint8))
    with pytest.raises(ValueError, match=r"every pixel of the 4 masks .* is ignored, the first: '.*frame 00\.png'"):
        build(root)


# -- sets -------------------------------------------------------------------------------------------------------------


@row("Empty labelled set", "Empty unlabelled set")
def test_empty_sets(root: Path) -> None:
    write_list(root / "none.txt", [])
    with pytest.raises(ValueError, match=r"none\.txt' is empty; write one id per line"):
        build(root, ann_file=str(root / "none.txt"))
    with pytest.raises(ValueError, match=r"the labeled data set .* has no image: nothing in .* ends in '\.jpg'"):
        build(root, img_suffix=".jpg", ann_file="")
    write_list(root / "labeled.txt", [f"town 0/frame {number:02d}" for number in range(8)])
    with pytest.raises(ValueError, match=r"no unlabelled image is left: .* holds 8 .* 8 excluded"):
        build(root)


@row("One image in a set")
def test_one_image_in_each_set(root: Path) -> None:
    for number in range(2, 8):
        (root / f"images/town 0/frame {number:02d}.png").unlink()
    write_list(root / "labeled.txt", ["town 0/frame 00"])
    assert all(map(np.isfinite, train_one_step(root).values()))


# -- the table --------------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_has_a_test() -> None:
    table = (ROOT / "docs" / "bad-input.md").read_text().partition("\n## ")[0]
    listed = re.findall(r"^\| ([^|]+?) +\|", table, re.MULTILINE)
    assert sorted(listed[1:]) == sorted(ROWS)  # the first is the table's head
