"""What the log says about the images that are trained on."""

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.datasets.splits import fingerprint
from mmseg_css.engine.hooks import SplitHook
from mmseg_css.engine.images import ids_by_file, same_pictures
from tests.datasets.helpers import (
    METAINFO,
    labeled_config,
    unlabeled_config,
    write_image,
    write_list,
    write_mask,
    write_pairs,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    write_pairs(tmp_path, [f"town {n % 2}/{n:02d}" for n in range(10)])
    write_list(tmp_path / "labeled.txt", LABELED)
    write_list(tmp_path / "validated.txt", ["town 0/08", "town 1/09"])
    return tmp_path


LABELED = ["town 0/00", "town 1/01", "town 0/02"]


def said(
    caplog: pytest.LogCaptureFixture, train: dict, validation: dict | None = None, test: dict | None = None
) -> list[tuple[str, str]]:
    caplog.clear()
    logger = logging.getLogger("splits")
    loop = validation and SimpleNamespace(dataloader=SimpleNamespace(dataset=DATASETS.build(validation)))
    loader = SimpleNamespace(dataset=DATASETS.build(train))
    with caplog.at_level(logging.INFO, logger="splits"):
        cfg = Config({"test_dataloader": {"dataset": test}, "val_dataloader": {"dataset": validation}})
        SplitHook().before_train(SimpleNamespace(train_dataloader=loader, val_loop=loop, logger=logger, cfg=cfg))
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def paired(root: Path, **changes: object) -> dict:
    labeled = labeled_config(root, ann_file="labeled.txt")
    return {"type": "PairedDataset", "labeled": labeled, "unlabeled": unlabeled_config(root, **changes)}


def test_labelled_and_unlabelled(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    others = write_list(root / "train.txt", [f"town {n % 2}/{n:02d}" for n in range(8)])
    dataset = paired(root, ann_file=others, exclude="labeled.txt")
    assert said(caplog, dataset, labeled_config(root, ann_file="validated.txt")) == [
        (
            "INFO",
            f"labelled images: 3, protocol custom, fingerprint {fingerprint(LABELED)[:12]}; "
            "unlabelled images: 5, of them labelled: 0; validation images: 2, of them trained on: 0",
        )
    ]


def test_plain_and_wrapped_data_sets(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain = labeled_config(root, ann_file="labeled.txt")
    wrapped = {"type": "RepeatDataset", "times": 3, "dataset": {"type": "ConcatDataset", "datasets": [plain, plain]}}
    [(level, line)] = said(caplog, plain)
    assert level == "INFO"
    assert line.startswith(f"labelled images: 3, protocol custom, fingerprint {fingerprint(LABELED)[:12]}; ")
    assert "unlabelled images: 0, of them labelled: 0; validation images: 0, of them trained on: 0" in line
    assert said(caplog, wrapped) == [(level, line)]


def test_published_list_is_named(root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    names = SplitHook.before_train.__wrapped__.__globals__["identify"].__globals__["_NAMES"]
    monkeypatch.setitem(names, fingerprint(LABELED), "voc-small-3")
    [(_, line)] = said(caplog, paired(root, exclude="labeled.txt"))
    assert "labelled images: 3, protocol voc-small-3, fingerprint" in line


def test_overlaps_are_warned_of(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (_, line), both, leaked = said(caplog, paired(root), labeled_config(root, ann_file="validated.txt"))
    assert "unlabelled images: 10, of them labelled: 3; validation images: 2, of them trained on: 2" in line
    assert both[0] == leaked[0] == "WARNING"
    assert both[1].startswith("3 images are labelled and unlabelled at once, the first: ")
    assert "town 0/00.png'; name the labelled list in UnlabeledDataset(exclude=...)" in both[1]
    assert leaked[1].startswith("2 images are both trained on and validated on, the first: ")
    assert "town 0/08.png'" in leaked[1]


def test_test_images_that_are_trained_on_are_warned_of(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    others = write_list(root / "train.txt", [f"town {n % 2}/{n:02d}" for n in range(9)])
    dataset, validated = paired(root, ann_file=others, exclude="labeled.txt"), labeled_config(root, ann_file="last.txt")
    write_list(root / "last.txt", ["town 1/09"])
    tested = labeled_config(root, ann_file="validated.txt")
    _, (level, line) = said(caplog, dataset, validated, tested)
    assert level == "WARNING"
    assert line.startswith("1 images are both trained on and tested on, the first: ")
    assert "town 0/08.png'" in line
    assert len(said(caplog, dataset, validated, validated)) == 1  # which were looked at
    for absent in ({**tested, "ann_file": "to be had later.txt"}, {**tested, "type": "NotOfThisMachine"}):
        assert len(said(caplog, dataset, validated, absent)) == 1


def test_copies_under_another_name_are_warned_of(root: Path, caplog: pytest.LogCaptureFixture) -> None:

    for folder in ("images", "masks"):
        (root / folder / "more").mkdir()
        for number, name in enumerate(("town 0/00", "town 1/05")):
            content = (root / folder / f"{name}.png").read_bytes()
            (root / folder / f"more/copy {number}.png").write_bytes(content)
    validated = write_list(root / "copies.txt", ["more/copy 0", "more/copy 1", "town 0/08"])
    others = write_list(root / "train.txt", [f"town {n % 2}/{n:02d}" for n in range(8)])
    dataset = paired(root, ann_file=others, exclude="labeled.txt")
    _, (level, line) = said(caplog, dataset, labeled_config(root, ann_file=validated))
    assert level == "WARNING"
    assert line.startswith("2 images are trained on and, under another name, validated on, the first: '")
    assert "copy" in line
    assert "', byte for byte; the scores will be too good" in line


def test_files_of_one_size_are_told_apart(tmp_path: Path) -> None:
    """By what stands in their middle, and then by all of it."""
    for name, content in (("a", b"0" * 20000), ("b", b"1" * 20000), ("c", b"1" * 19999 + b"0"), ("d", b"0" * 20000)):
        (tmp_path / name).write_bytes(content)
    a, b, c, d = (str(tmp_path / name) for name in "abcd")
    assert same_pictures([a, b], [c, d, "s3://bucket/picture.png"]) == [(a, d)]
    assert same_pictures([a], [a]) == []


def test_ids_are_stems_whatever_suffix_the_type_inherits(tmp_path: Path) -> None:
    """FolderDataset takes any image, and inherits MMSeg's ".jpg"."""
    write_image(tmp_path / "images" / "town" / "a.png", (4, 4))
    write_mask(tmp_path / "masks" / "town" / "a.png", np.zeros((4, 4), np.uint8))
    write_list(tmp_path / "list.txt", ["town/a.png"])
    prefix = {"img_path": str(tmp_path / "images"), "seg_map_path": str(tmp_path / "masks")}
    own = {"type": "FolderDataset", "metainfo": METAINFO, "data_prefix": prefix, "ann_file": str(tmp_path / "list.txt")}
    assert list(ids_by_file(DATASETS.build(own)).values()) == ["town/a"]
