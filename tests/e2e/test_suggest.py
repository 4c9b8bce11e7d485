"""``mmseg-css suggest``: from a config and a checkpoint to a list and labels to correct."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_css.cli.main import call, run
from mmseg_css.deployment.suggestion import request
from mmseg_css.models import CSS
from mmseg_css.registry import MODELS
from tests.configs.groups import LOOKED_AT, METHODS
from tests.trained import MakeConfig

UNLABELED = "train_dataloader.dataset.unlabeled"


def save(config: Path, path: Path, **meta: object) -> Path:
    """A checkpoint of what a training starts with."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(Config.fromfile(config).model).state_dict(), "meta": meta}, path)
    return path


@pytest.fixture(scope="module")
def few(make_config: MakeConfig) -> Path:
    """Eight of the unlabelled images."""
    return make_config("few", {f"{UNLABELED}.indices": 8})


@pytest.fixture(scope="module")
def checkpoint(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(few, tmp_path_factory.mktemp("start") / "iter_1.pth")


def rows_of(out: Path) -> list[dict]:
    with (out / "suggestions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_list_and_labels_and_the_same_again(few: Path, checkpoint: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        call(
            ["suggest", str(few), str(checkpoint), "--budget", "3", "--candidates", "2", "--out", str(tmp_path / name)]
        )
    out = tmp_path / "a"
    record, rows = json.loads((out / "suggestions.json").read_text()), rows_of(out)
    assert (record["schema"], record["method"], record["by"], record["unreadable"]) == (1, "CSS", "views", [])
    assert (record["labelled"], record["unlabelled"], record["candidates"]) == (8, 8, 2)
    assert [*rows[0]] == ["rank", "image", "line", "rare", "views", "spaces", "entropy", "distance"]
    assert [int(row["rank"]) for row in rows] == [1, 2, 3]
    assert [float(row["rare"]) for row in rows] == [image["rare"] for image in record["images"]]
    lines = (out / "suggested.txt").read_text().split()
    assert lines == [row["line"] for row in rows] and len({*lines}) == 3
    labelled = Config.fromfile(few).train_dataloader.dataset.labeled
    assert not {*lines} & {*(Path(labelled.data_root) / labelled.ann_file).read_text().split()}
    for row in rows:
        mask = cv2.imread(str(out / "masks" / f"{row['line']}.png"), cv2.IMREAD_UNCHANGED)
        assert mask.shape[:2] == cv2.imread(row["image"]).shape[:2]
        assert all((out / kind / f"{row['line']}.json").is_file() for kind in ("coco", "labelme"))
    classes = json.loads((out / "coco" / f"{lines[0]}.json").read_text())["categories"]
    assert [own["name"] for own in classes] == [*record["weights"]]  # the config's: the checkpoint has none
    for name in ("suggestions.csv", "suggestions.json", "suggested.txt"):
        assert (out / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("method", LOOKED_AT)
def test_one_method_of_each_kind(method: str, make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(f"suggested_{method}", {f"{UNLABELED}.indices": 3}, method=method)
    checkpoint = save(config, tmp_path / "some.pth")
    arguments = ["suggest", str(config), str(checkpoint), "--budget", "2", "--by", "views", "--formats", "masks"]
    call([*arguments, "--out", str(tmp_path / "out")])
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 2 and ("spaces" in rows[0]) == (METHODS[method] is CSS)
    assert all(0 <= float(row[score]) <= 1 for row in rows for score in ("views", "entropy"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("masks", "suggestions.csv", "suggestions.json", "suggested.txt")
    }


@pytest.fixture
def plain(few: Path, tmp_path: Path) -> Config:
    """A supervised config, without a trace of unlabelled images."""
    cfg = Config.fromfile(few)
    cfg.model = {**cfg.model.segmentor, "data_preprocessor": {"type": "SegDataPreProcessor", "size": (64, 64)}}
    cfg.model.decode_head.type = "DeepLabV3PlusHead"
    del cfg.model.decode_head["projection"]
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.labeled
    cfg.pop("unlabeled", None)
    return cfg


def test_a_supervised_config(plain: Config, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config, out = tmp_path / "plain.py", tmp_path / "out"
    plain.dump(str(config))
    arguments = ["suggest", str(config), str(save(config, tmp_path / "p.pth")), "--budget", "2", "--out", str(out)]
    assert run(arguments) == 1
    assert "plain.py names no unlabelled images" in capsys.readouterr().err
    plain.unlabeled = Config.fromfile(few).train_dataloader.dataset.unlabeled
    plain.dump(str(config))
    call([*arguments, "--by", "random", "--seed", "3"])
    record = json.loads((out / "suggestions.json").read_text())
    assert (record["method"], record["seed"], record["candidates"]) == ("EncoderDecoder", 3, None)
    assert [image["distance"] for image in record["images"]] == [None, None]


def test_an_unreadable_image_is_told_at_the_end(
    few: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    images = tmp_path / "images"
    for name in ("a", "sub/b", "sub/c"):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(images / f"{name}.png"), np.full((64, 64, 3), 90, np.uint8))
    (images / "sub" / "b.png").write_bytes(b"no image")
    options = [f"{UNLABELED}.data_prefix.img_path={images}", f"{UNLABELED}.exclude=[]"]
    arguments = ["suggest", str(few), str(checkpoint), "--budget", "3", "--out", str(tmp_path / "out")]
    assert run([*arguments, "--cfg-options", *options]) == 1
    said = capsys.readouterr().err
    assert "1 file could not be read, all others are done" in said and "sub/b.png" in said
    assert (tmp_path / "out" / "suggested.txt").read_text() == "a\nsub/c\n"
    assert (tmp_path / "out" / "masks" / "sub" / "c.png").is_file()


def test_what_is_there_is_not_replaced_unasked(
    few: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["suggest", str(few), str(checkpoint), "--budget", "1", "--by", "diversity", "--out", str(tmp_path)]
    (tmp_path / "theirs.txt").write_text("")
    for overwrite in ([], ["--overwrite"]):
        assert run([*arguments, *overwrite]) == 1
        assert "is not empty, and no" in capsys.readouterr().err
    (tmp_path / "theirs.txt").unlink()
    call(arguments)
    assert run(arguments) == 1
    assert "holds suggestions, and maybe corrected labels" in capsys.readouterr().err
    call([*arguments, "--overwrite", "--formats", "coco"])
    assert (tmp_path / "coco").is_dir() and not (tmp_path / "masks").exists()


def test_corrected_labels_are_there_until_new_ones_are(
    few: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = ["suggest", str(few), str(checkpoint), "--budget", "2", "--by", "random", "--out", str(out)]
    call(arguments)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")}
    assert len(before) == 9

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(request, "write_labels", full)
    assert run([*arguments, "--overwrite", "--seed", "1"]) == 1
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")} == before
    assert [*tmp_path.iterdir()] == [out]


def test_a_folder_that_cannot_be_written_into_is_refused_before_the_passes(
    few: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(request, "look", lambda *_: looked.append(1))
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        assert run(["suggest", str(few), str(checkpoint), "--budget", "1", "--out", str(out)]) == 1
        assert f"{out} cannot be written into (" in capsys.readouterr().err
    assert not looked


def test_nothing_is_written_beside_the_folder(
    few: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may be a share, whose parent is nobody's to write into; what a kill left in it goes."""
    out, seen = tmp_path / "mount" / "out", []
    left = out / ".new-killed" / "masks" / "a.png"
    left.parent.mkdir(parents=True)
    left.touch()
    write = request.write_labels
    monkeypatch.setattr(request, "write_labels", lambda *all_: seen.append([*out.parent.iterdir()]) or write(*all_))
    call(["suggest", str(few), str(checkpoint), "--budget", "1", "--by", "random", "--out", str(out)])
    assert seen == [[out]]
    assert {path.name for path in out.iterdir()} == {
        *("masks", "coco", "labelme", "suggestions.csv", "suggestions.json", "suggested.txt")
    }
    [file] = (out / "labelme").rglob("*.json")
    assert (file.parent / json.loads(file.read_text())["imagePath"]).resolve().is_file()


def test_images_that_a_list_cannot_name_are_said(
    few: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.bmp"), np.full((64, 64, 3), 90, np.uint8))
    options = [f"{UNLABELED}.data_prefix.img_path={tmp_path / 'images'}", f"{UNLABELED}.exclude=[]"]
    arguments = ["suggest", str(few), str(checkpoint), "--budget", "1", "--out", str(tmp_path / "out")]
    call([*arguments, "--cfg-options", *options])
    assert (tmp_path / "out" / "suggested.txt").read_text() == "a\n"
    assert "1 of them do not end in '.png', as the labelled images do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "0"], "--budget must be at least 1, got 0"),
        (["--budget", "9"], "--budget 9: "),
        (["--budget", "1", "--by", "random", "--candidates", "2"], "--by random has none"),
        (["--budget", "1", "--by", "diversity", "--candidates", "0"], "--candidates must be at least 1"),
    ],
)
def test_refusals(
    arguments: list[str], message: str, few: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(["suggest", str(few), str(checkpoint), *arguments, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_checkpoints_that_do_not_fit(
    few: Path, make_config: MakeConfig, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    other = save(few, tmp_path / "other.pth", dataset_meta={"classes": ("x", *"bcde")[: number_of(few)]})
    one_space = make_config("one_space", method="fixmatch")
    for config, path, by, message in (
        (few, tmp_path / "none.pth", "rare", "there is no checkpoint"),
        (few, other, "rare", "has: class 0 is 'x' there and 'background' here"),
        (one_space, save(one_space, tmp_path / "one.pth"), "spaces", "a FixMatch has one space"),
        (one_space, other, "rare", "is not a checkpoint of this config's FixMatch"),
    ):
        arguments = ["suggest", str(config), str(path), "--budget", "1", "--by", by]
        assert run([*arguments, "--out", str(tmp_path / "out")]) == 1
        assert message in capsys.readouterr().err


def number_of(config: Path) -> int:
    return Config.fromfile(config).model.segmentor.decode_head.num_classes
