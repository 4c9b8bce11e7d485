"""mmseg-css init: arrangements that people have already, and what they cannot be taken for."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmseg_css.preparation.leaves import METHODS
from mmseg_css.preparation.own_data.coding import find_coding, to_indices
from mmseg_css.preparation.own_data.masks import look_at_mask
from mmseg_css.preparation.own_data.split import given_split, split
from mmseg_css.registry import DATASETS, MODELS
from tests.preparation.folders import SIDE, labels_of, lines, run, sets_of, write, write_image

REFUSED = (OSError, ValueError)


@pytest.fixture(autouse=True)
def _start_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmseg")


def number_of(sample: dict) -> int:
    return int(Path(sample["img_path"]).stem)


# -- folders for training and validation ------------------------------------------------------------------------------


@pytest.mark.parametrize(("train", "val"), [("train", "val"), ("Training", "validation"), ("train", "valid")])
def test_folders_for_training_and_validation(train: str, val: str, capsys: pytest.CaptureFixture) -> None:
    for number in range(6):
        part = train if number < 5 else val
        write_image(f"images/{part}/{number}.png")
        write(f"masks/{part}/{number}.png", labels_of(number))
    write_image(f"images/{train}/9.png")
    cfg = run("images", "masks", "--val", "0.5", "--seed", "3")
    assert lines("train") == [f"{train}/{number}.png" for number in range(5)]
    assert lines("val") == [f"{val}/5.png"]
    assert "The folders for training and validation are taken as they are" in capsys.readouterr().out
    assert {name: len(samples) for name, samples in sets_of(cfg).items()} == {"train": 5, "val": 1, "unlabeled": 1}


@pytest.mark.parametrize(
    "names",
    [
        ["train/a", "train/b"],  # there is no validation
        ["train/a", "car/b"],  # trains
        ["site 1/a", "site 2/b"],
        ["train", "val"],  # files
    ],
)
def test_folders_that_say_nothing_about_it(names: list[str]) -> None:
    assert given_split(names) is None
    found = split({name: {0} for name in names}, share=0.5)
    assert sorted(found.train + found.val) == sorted(names)


def test_folders_at_any_depth() -> None:
    assert given_split(["b/Validate/z", "a/train/x", "a/val/y"]) == (("a/train/x",), ("a/val/y", "b/Validate/z"))


@pytest.mark.parametrize("names", [["train/a", "b", "val/c"], ["train/a", "test/b"], ["train/a", "val/b", "test/c"]])
def test_nothing_is_thrown_together(names: list[str]) -> None:
    """Test images would be trained on."""
    with pytest.raises(ValueError, match="they would be trained on or validate by chance"):
        split({name: {0} for name in names}, share=0.5)


# -- images and masks in one folder -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "mask", "glob"),
    [
        ("{}.jpg", "{}.png", "*.png"),
        ("{}.png", "{}_mask.png", "*_mask.png"),
        ("site 1/{}.png", "site 1/{}_label.png", "*_label.*"),
        ("{}.png", "{}_mask.PNG", "*_mask.png"),
    ],
)
def test_side_by_side(image: str, mask: str, glob: str) -> None:
    for number in range(8):
        write_image(f"data/{image.format(number)}")
        if number < 5:
            write(f"data/{mask.format(number)}", labels_of(number))
    sets = sets_of(run("data", "data", "--mask-names", glob))
    assert sorted(map(number_of, sets["train"] + sets["val"])) == [0, 1, 2, 3, 4]
    assert sorted(map(number_of, sets["unlabeled"])) == [5, 6, 7]
    for sample in sets["train"] + sets["val"]:
        np.testing.assert_array_equal(sample["gt_seg_map"], labels_of(number_of(sample)))


def test_side_by_side_without_a_word(capsys: pytest.CaptureFixture) -> None:
    write_image("data/0.jpg")
    write("data/0.png", labels_of(0))
    with pytest.raises(
        (OSError, ValueError), match=r"say which names in one folder are masks \(--mask-names '\*_mask\.png'\)"
    ):
        run("data", "data")


# -- masks of another size --------------------------------------------------------------------------------------------


def write_halves(height: int = SIDE // 2, width: int = SIDE // 2) -> None:
    for number in range(4):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number, height, width))
    write_image("images/9.png")


def test_masks_are_resized(capsys: pytest.CaptureFixture) -> None:
    write_halves()
    with pytest.raises(
        (OSError, ValueError), match="(?s)4 of 4 images .*20x20, its image 40x40 .*or say --resize-masks"
    ):
        run("images", "masks")
    sets = sets_of(run("images", "masks", "--resize-masks"))
    assert "4 masks of another size than the image" in capsys.readouterr().out
    assert len(sets["train"] + sets["val"]) == 4
    for sample in sets["train"] + sets["val"]:
        small = labels_of(number_of(sample), SIDE // 2, SIDE // 2)
        np.testing.assert_array_equal(sample["gt_seg_map"], small.repeat(2, axis=0).repeat(2, axis=1))
    assert {Path(path).name for path in Path("masks").iterdir()} == {f"{number}.png" for number in range(4)}
    assert Image.open("masks/0.png").size == (20, 20)  # nothing of the user's is changed


@pytest.mark.parametrize(("height", "fits"), [(397, True), (403, True), (395, False), (405, False)])
def test_only_the_same_proportion(height: int, fits: bool) -> None:
    """Another proportion is another part of the scene; 1 % is what rounding leaves."""
    for number in range(2):
        write_image(f"images/{number}.png", 40, 40)
        write(f"masks/{number}.png", labels_of(number, height, 400))
    write_image("images/9.png")
    if fits:
        run("images", "masks", "--resize-masks")
    else:
        with pytest.raises(REFUSED, match="of another proportion, so that it shows something else"):
            run("images", "masks", "--resize-masks")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([[0, 1], [2, 0]], [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]]),
        ([[0, 0, 1, 1, 2, 2]] * 6, [[0, 1, 2]] * 3),
        ([[0, 1, 1, 2, 2, 0]] * 3, [[1, 2]]),
    ],
)
def test_the_nearest_pixel(old: list, new: list) -> None:
    write("mask.png", np.array(old, np.uint8))
    coding = find_coding([look_at_mask(Path("mask.png"))])
    size = (len(new), len(new[0]))
    assert to_indices(Path("mask.png"), coding, size).tolist() == new


# -- images far larger than the crop ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "crop", "hint"),
    [
        ((40, 40), 32, None),
        ((64, 200), 64, "1 validation image more than twice as long as the crop of 64"),
        ((200, 200), 64, "1 validation image shrunk to less than half"),
        ((120, 120), 64, None),
    ],
)
def test_a_hint_at_sliding_windows(
    size: tuple[int, int], crop: int, hint: str | None, capsys: pytest.CaptureFixture
) -> None:
    for number in range(4):
        write_image(f"images/{number}.png", *size)
        write(f"masks/{number}.png", labels_of(number, *size))
    write_image("images/9.png", *size)
    run("images", "masks", "--crop", str(crop))
    said = capsys.readouterr().out
    if hint is None:
        assert "sliding windows" not in said
    else:
        assert hint in said
        assert 'test_cfg=dict(mode="slide", crop_size=crop_size, stride=(42, 42))' in said


# -- what fits, and is odd ---------------------------------------------------------------------------------------------


def test_pictures_that_are_not_read_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number))
    write_image("more/5.png")
    for name in ("images/6.HEIC", "more/a/7.gif", "more/8.dng", "more/.9.gif", "more/notes.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"nothing")
    run("images", "masks", "more")
    said = capsys.readouterr().out
    assert "! 1 picture in images of a kind that is not read (6.HEIC), not used." in said
    assert "! 2 pictures in more of a kind that is not read (8.dng, a/7.gif), not used." in said


def test_a_folder_of_pictures_that_are_not_read() -> None:
    for number in range(2):
        write(f"masks/{number}.png", labels_of(number))
        Path("images").mkdir(exist_ok=True)
        Path(f"images/{number}.heic").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"holds no such file.*; convert its 2 others, '0\.heic' for one"):
        run("images", "masks")


@pytest.mark.parametrize(("side", "named"), [(SIDE, False), (2 * SIDE, False), (3 * SIDE, True)])
def test_unlabelled_images_of_another_size(side: int, named: bool, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number))
        write_image(f"more/{number}.png", side, side + 5)
    run("images", "masks", "more")
    expected = f"! The shorter side of labelled images has {SIDE} pixels, of unlabelled ones {side} (medians)."
    assert (expected in capsys.readouterr().out) == named


#: Methods whose strong view is mirrored.
MIRRORING = ("css", "aided_css", "fixmatch", "mean_teacher", "unimatch", "unimatch_v2", "cps_cutmix")


def without_weights(cfg: Config) -> dict:
    backbone = {key: value for key, value in cfg.model.segmentor.backbone.items() if key != "init_cfg"}
    return {**cfg.model.segmentor, "backbone": backbone}


def test_classes_that_a_mirror_exchanges(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        write_image(f"images/{number}.png")
        write(f"masks/{number}.png", labels_of(number))
    write_image("images/5.png")
    for classes, mirrored in (("door,body,roof", True), ("left door,body,right door", False)):
        run("images", "masks", "--classes", classes, "--overwrite", "--methods", *METHODS)
        assert ("shows left door and right door exchanged" in capsys.readouterr().out) != mirrored
        for method in METHODS:
            cfg = Config.fromfile(f"configs/own/{method}_lite0_own.py")
            for part in ("labeled", "unlabeled"):
                assert any(step["type"] == "RandomFlip" for step in cfg[part].pipeline) == mirrored
            model = MODELS.build({**cfg.model, "segmentor": without_weights(cfg)}) if "segmentor" in cfg.model else None
            augmentation = getattr(model, "augmentation", None)
            assert getattr(augmentation, "flip_probability", 0) == (0.5 if mirrored and method in MIRRORING else 0)


# -- files named after images -----------------------------------------------------------------------------------------


def test_masks_written_anew_keep_their_folders() -> None:
    """Two cameras that number their pictures alike."""
    for number in range(4):
        name = f"camera {number % 2}/{number // 2}.png"
        write_image(f"images/{name}")
        write(f"masks/{name}", labels_of(number) * 100)
    write_image("images/9.png")
    run("images", "masks")
    written = Path("data/own/index_masks")
    for number in range(4):
        name = f"camera {number % 2}/{number // 2}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(written / name)), labels_of(number))


# -- the parts outside, the kinds inside ------------------------------------------------------------------------------


def test_images_and_masks_within_train_and_val() -> None:
    """Refused with the links that make it fit, which do."""
    for part, numbers in (("train", range(4)), ("val", range(4, 6))):
        for number in numbers:
            write_image(f"my data/{part}/images/{number}.png")
            write(f"my data/{part}/masks/{number}.png", labels_of(number))
    with pytest.raises(ValueError, match=r"holds train/images, train/masks, val/images, val/masks\.") as error:
        run("my data", "my data")
    subprocess.run(str(error.value).splitlines()[-1], shell=True, check=True)
    write_image("more/6.png")
    cfg = run("my data/images", "my data/masks", "more")
    assert lines("train") == [f"train/{number}.png" for number in range(4)]
    assert lines("val") == ["val/4.png", "val/5.png"]
    assert len(DATASETS.build(cfg.val_dataloader.dataset)) == 2
    assert DATASETS.build(cfg.train_dataloader.dataset.labeled)[3]["data_samples"].gt_sem_seg is not None


def test_other_nested_folders_stay_as_they_are_told() -> None:
    write_image("data/train/1.png")
    with pytest.raises(ValueError, match="cannot be told apart") as error:
        run("data", "data/train")
    assert "ln -s" not in str(error.value)
