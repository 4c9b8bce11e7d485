"""tools/init_dataset.py: from folders as people have them to configs that train, on images of some 40 pixels."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.apis import inference_model
from PIL import Image

from mmseg_css.datasets import FolderDataset, StretchTo8Bit
from mmseg_css.preparation.own_data.coding import find_coding, to_indices, write_indices
from mmseg_css.preparation.own_data.folders import pair
from mmseg_css.preparation.own_data.images import ImageFacts, choose_sizes
from mmseg_css.preparation.own_data.masks import MaskFacts, look_at_mask, pack
from mmseg_css.preparation.own_data.split import split
from mmseg_css.registry import DATASETS, MODELS
from tests.configs.helpers import ROOT, shrink, walk
from tests.test_tools import load_tool

SIDE = 40
COLOURS = np.array([[0, 0, 0], [20, 180, 40], [200, 30, 60]], np.uint8)  # in their order

tool = load_tool("init_dataset")


@pytest.fixture(autouse=True)
def _start_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmseg")


def labels_of(number: int, classes: int = 3, side: int = SIDE) -> np.ndarray:
    """Stripes of all classes, at another place in each image."""
    stripes = np.arange(side) * classes // side
    return np.broadcast_to((stripes + number) % classes, (side, side)).astype(np.uint8)


def write(path: Path | str, pixels: np.ndarray, **settings: object) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.uint16 or (pixels.ndim == 3 and path.suffix == ".tif"):
        assert cv2.imwrite(str(path), pixels)
    else:
        Image.fromarray(pixels).save(path, **settings)


def write_images(
    names: Iterable[str], channels: int = 3, dtype: type = np.uint8, folder: str = "images", top: int = 256
) -> None:
    rng = np.random.default_rng(len(folder))
    for name in names:
        pixels = rng.integers(0, top, (SIDE, SIDE, channels), dtype)
        write(Path(folder) / name, pixels[..., 0] if channels == 1 else pixels)


def write_masks(names: Iterable[str], factor: int = 1, classes: int = 3) -> None:
    for number, name in enumerate(names):
        write(Path("masks") / name, labels_of(number, classes) * factor)


def names(count: int, ending: str = ".png", first: int = 0) -> list[str]:
    return [f"{number:02d}{ending}" for number in range(first, first + count)]


def run(*arguments: str) -> Config:
    """Call the tool; the CSS config that it wrote."""
    tool.main(["images", "masks", *arguments])
    return Config.fromfile("configs/own/css_lite0_own.py")


def lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def labels_read(cfg: Config) -> dict[str, np.ndarray]:
    """All labels as training and validation read them, by the image's name."""
    found = {}
    for dataset in (cfg.train_dataloader.dataset.labeled, cfg.val_dataloader.dataset):
        pipeline = [dict(type="LoadImageFromFile"), dict(type="LoadAnnotations")]
        for sample in DATASETS.build({**dataset, "pipeline": pipeline}):
            assert sample["gt_seg_map"].shape == sample["img"].shape[:2]
            found[Path(sample["img_path"]).name] = sample["gt_seg_map"]
    return found


def assert_labels(cfg: Config, classes: int = 3) -> None:
    read = labels_read(cfg)
    for number, name in enumerate(sorted(read)):
        np.testing.assert_array_equal(read[name], labels_of(number, classes), err_msg=name)


def make_step(cfg: Config, name: str) -> Runner:
    """One iteration with its validation."""
    shrink(cfg, 32)
    cfg.work_dir = "work_dirs/test"
    cfg.experiment_name = name
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert all(torch.isfinite(value).all() for value in runner.model.parameters())
    assert 0 <= runner.message_hub.log_scalars["val/mIoU"].current() <= 100
    return runner


# -- masks of every kind, from the folder to a training step ----------------------------------------------------------


def write_binary() -> list[str]:
    """Grey images, masks of 0 and 255, unlabelled images in a folder of their own."""
    write_images(names(5), channels=1)
    write_images(names(3, ".jpg"), channels=1, folder="more")
    write_masks(names(5), factor=255, classes=2)
    return ["more"]


def write_coloured() -> list[str]:
    """Names with spaces and umlauts in subfolders, endings mixed; masks with an ending of their own, in colours."""
    own = [f"Süd {number % 2}/Straße {number}" for number in range(5)]
    write_images([f"{name}{'.JPG' if number % 2 else '.png'}" for number, name in enumerate(own)])
    for number, name in enumerate(own):
        write(f"masks/{name}_label.png", COLOURS[labels_of(number)])
    write_images(["Süd 1/ohne Maske.tiff", "Nord.bmp"])
    return []


def write_palette() -> list[str]:
    """Palette PNGs, which MMSeg reads as they are, and grey images of 16 bits of which 12 are used."""
    write_images(names(7, ".tif"), channels=1, dtype=np.uint16, top=4096)
    for number, name in enumerate(names(5)):
        write_indices(Path("masks") / name, labels_of(number), [tuple(colour) for colour in COLOURS.tolist()])
    return []


def write_four_channels() -> list[str]:
    write_images(names(4, ".tif"), channels=4)
    write_images(names(2, ".tif"), channels=4, folder="more")
    write_masks(names(4))
    return ["more"]


def write_one_image() -> list[str]:
    write_images(names(3))
    write_masks(names(1))
    return []


@pytest.mark.parametrize(
    ("write_data", "classes", "channels"),
    [
        (write_binary, 2, 3),
        (write_coloured, 3, 3),
        (write_palette, 3, 3),
        (write_four_channels, 3, 4),
        (write_one_image, 3, 3),
    ],
)
def test_css_trains(write_data, classes: int, channels: int) -> None:
    cfg = run(*write_data())
    if write_data not in (write_palette, write_four_channels):  # whose images need another loader
        assert_labels(cfg, classes)
    runner = make_step(cfg, write_data.__name__)
    assert runner.model.teacher.step == 1
    assert runner.train_dataloader.dataset.num_unlabeled > 1
    assert runner.model.student.backbone.timm_model.conv_stem.in_channels == channels
    runner.model.cfg = runner.cfg
    image = sorted(path for path in Path("images").rglob("*.*"))[0]
    result = inference_model(runner.model, str(image))
    assert result.seg_logits.data.shape == (classes, SIDE, SIDE)
    assert result.pred_sem_seg.data.max() < classes


@pytest.mark.parametrize("method", ["supervised", "pc2seg"])
@pytest.mark.parametrize(
    ("write_data", "classes", "channels"), [(write_binary, 2, 3), (write_palette, 3, 3), (write_four_channels, 3, 4)]
)
def test_supervised_and_pc2seg_train(write_data, classes: int, channels: int, method: str) -> None:
    run(*write_data())
    cfg = Config.fromfile(f"configs/own/{method}_lite0_own.py")
    runner = make_step(cfg, f"own-{method}-{write_data.__name__}")
    model = runner.model if method == "supervised" else runner.model.student
    assert (model.decode_head.num_classes, model.decode_head.out_channels) == (classes, classes)
    assert model.backbone.timm_model.conv_stem.in_channels == channels


def test_what_the_page_says_to_change() -> None:
    """docs/own-data.md: network, loss and length, each in the shared file; with four channels, the harder case."""
    run(*write_four_channels())
    page = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
    [length] = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    [loss] = re.findall(r"`(loss_decode=.*)`", page)
    shared = Path("configs/own/_base_/data.py")
    text = shared.read_text().replace("deeplabv3plus_efficientnet-lite0.py", "deeplabv3plus_r50_os16.py")
    text = text.replace("num_classes=len(classes)", f"num_classes=len(classes), {loss}")
    shared.write_text(text + textwrap.dedent(length))
    cfg = Config.fromfile("configs/own/css_lite0_own.py")
    assert cfg.train_cfg == {"type": "PairedTrainLoop", "max_iters": 10000, "val_interval": 500}
    assert cfg.param_scheduler[0].end == 10000
    shrink(cfg, 32)
    segmentor = MODELS.build(cfg.model.segmentor)
    assert segmentor.backbone.depth == 50
    assert segmentor.backbone.conv1.in_channels == 4
    assert segmentor.decode_head.conv_seg.out_channels == 3
    assert segmentor.decode_head.loss_decode.min_kept == 30000


def test_pretrained_weights_but_for_the_first_convolution_of_four_channels(tmp_path: Path) -> None:
    backbone = {"type": "TIMMBackbone", "model_name": "tf_efficientnet_lite0", "pretrained": False}
    pretrained = MODELS.build(backbone)
    torch.save({"state_dict": pretrained.state_dict()}, tmp_path / "weights.pth")
    init_cfg = {"type": "Pretrained", "checkpoint": str(tmp_path / "weights.pth")}
    four = MODELS.build({**backbone, "in_channels": 4, "init_cfg": init_cfg})
    four.init_weights()
    different = [
        name for name, value in pretrained.state_dict().items() if not torch.equal(value, four.state_dict()[name])
    ]
    assert different == ["timm_model.conv_stem.weight"]


# -- what is written --------------------------------------------------------------------------------------------------


def test_lists_commands_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(10) + names(6, ".jpg", first=10))
    write_masks(names(10))
    cfg = run("--classes", "ground, tree,sky")
    assert cfg.classes == ["ground", "tree", "sky"]
    train, val = lines("configs/own/train.txt"), lines("configs/own/val.txt")
    assert sorted(train + val) == names(10)
    assert len(val) == 2
    assert len(DATASETS.build(cfg.train_dataloader.dataset).unlabeled) == 6
    assert not Path("data").exists()  # the masks are in order, and so used where they are
    assert_labels(cfg)
    printed = capsys.readouterr().out
    assert "8 for training, 2 for validation, 6 unlabelled" in printed
    assert "Only 2 images for validation" in printed
    for command in (
        f"{ROOT}/tools/get_lite0_weights.py",
        f"{ROOT}/tools/train.py configs/own/supervised_lite0_own.py",
        f"{ROOT}/tools/train.py configs/own/css_lite0_own.py",
        f"{ROOT}/tools/train.py configs/own/pc2seg_lite0_own.py",
        f"{ROOT}/tools/test.py configs/own/css_lite0_own.py work_dirs/css_lite0_own/iter_2000.pth",
    ):
        assert f"python {command}\n" in printed


def test_configs_anywhere_and_data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's own files are found from --out, wherever it lies; data outside of the folder are absolute."""
    write_images(names(3))
    write_masks(names(2))
    (tmp_path / "start" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "start")
    tool.main(["../images", "../masks", "--out", "here/own configs"])
    cfg = Config.fromfile("here/own configs/css_lite0_own configs.py")
    assert cfg.images == str(tmp_path / "images")
    assert cfg.lists == "here/own configs"
    assert all("Config" not in str(node.get("type")) for node in walk(cfg.model))
    assert len(DATASETS.build(cfg.train_dataloader.dataset).unlabeled) == 1


def test_earlier_files_stay_unless_told_otherwise() -> None:
    write_images(names(4))
    write_masks(names(3))
    run()
    with pytest.raises(SystemExit, match="is there already; choose another --out, or say --overwrite"):
        run("--classes", "a,b,c")
    assert run("--classes", "a,b,c", "--overwrite").classes == ["a", "b", "c"]
    for name in names(1, first=3):
        (Path("images") / name).unlink()
    tool.main(["images", "masks", "--overwrite"])
    assert [path.name for path in Path("configs/own").glob("*.py")] == ["supervised_lite0_own.py"]


def test_resizing_of_large_images() -> None:
    write_images(names(4))
    write_masks(names(3))
    cfg = run("--crop", "32")
    assert (cfg.crop_size, cfg.scale) == ((32, 32), (128, 32))
    assert {"type": "Resize", "scale": (128, 32), "keep_ratio": True} in cfg.unlabeled.pipeline
    assert cfg.test_pipeline[1].type == "Resize"
    sample = DATASETS.build(cfg.train_dataloader.dataset)[0].sample
    assert sample["inputs"].shape == (3, 32, 32) or max(sample["inputs"].shape[1:]) < 32


def test_images_of_16_bits_are_stretched() -> None:
    cfg = run(*write_palette())
    load, stretch = cfg.loading
    assert load.color_type == cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    assert 0 <= stretch.low < 20
    assert 4076 < stretch.high <= 4096
    image = DATASETS.build(cfg.val_dataloader.dataset)[0]["inputs"]
    assert (image.dtype, image.shape[0]) == (torch.uint8, 3)
    assert 120 < image.float().mean() < 135


def test_images_labelled_and_unlabelled_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    write_masks(names(3))
    write_images(names(2, ".jpg", first=20), folder="more")
    Path("more/00.png").write_bytes(Path("images/00.png").read_bytes())
    write("more/01.png", np.zeros((SIDE, SIDE, 3), np.uint8))  # another image of the same name
    cfg = run("more")
    dataset = DATASETS.build(cfg.unlabeled)
    unlabeled = [Path(dataset.get_data_info(index)["img_path"]).name for index in range(len(dataset))]
    assert unlabeled == ["01.png", "20.jpg", "21.jpg"]
    assert lines("configs/own/repeated.txt") == ["00.png"]
    assert "1 image in IMAGES without a mask, not used because UNLABELED is given (03.png)" in capsys.readouterr().out


def test_folder_dataset_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(FileNotFoundError, match="no list of images"):
        FolderDataset(ann_file=str(tmp_path / "no.txt"), data_prefix={"img_path": str(tmp_path / "images")})


def test_stretching() -> None:
    stretch = StretchTo8Bit(low=[0, 100], high=[255, 200])
    image = np.array([[[10, 90], [300, 150]]], np.uint16)
    assert stretch({"img": image})["img"].tolist() == [[[10, 0], [255, 128]]]
    with pytest.raises(ValueError, match="low must be below high"):
        StretchTo8Bit(low=3, high=3)


@pytest.mark.parametrize(
    ("sizes", "crop", "shorter_side"),
    [
        ([(480, 640)] * 2 + [(3000, 2000)], 480, None),
        ([(100, 90)], 80, None),
        ([(20, 30)], 32, None),
        ([(1080, 1920)], 512, 512),
    ],
)
def test_sizes(sizes: list[tuple[int, int]], crop: int, shorter_side: int | None) -> None:
    images = [ImageFacts(size, 3, 8, "none", False, (0,), (255,)) for size in sizes]
    assert choose_sizes(images, 512) == (crop, shorter_side)


# -- which value or colour is which class -----------------------------------------------------------------------------


def values(*found: int) -> MaskFacts:
    return MaskFacts((1, len(found)), True, dict.fromkeys(found, 1), {}, {})


@pytest.mark.parametrize(
    ("found", "named", "ignore", "table"),
    [
        ([0, 1, 2], None, None, {0: 0, 1: 1, 2: 2}),
        ([0, 1, 255], None, None, {0: 0, 1: 1, 255: 255}),
        ([0, 255], None, None, {0: 0, 255: 1}),
        ([0, 128, 255], None, None, {0: 0, 128: 1, 255: 2}),
        ([0, 128, 255], None, 255, {0: 0, 128: 1, 255: 255}),
        ([0, 2, 5], None, None, {0: 0, 2: 2, 5: 5}),
        ([0, 2, 5], 3, None, {0: 0, 2: 1, 5: 2}),
        ([0, 2, 5], 6, None, {0: 0, 2: 2, 5: 5}),
        ([1, 2, 3], 3, None, {1: 0, 2: 1, 3: 2}),
        ([0, 1, 2], None, 0, {0: 255, 1: 0, 2: 1}),
        ([0, 1, 11], None, 11, {0: 0, 1: 1, 11: 255}),
        ([0, 1000, 2000], None, None, {0: 0, 1000: 1, 2000: 2}),
    ],
)
def test_table_of_values(found: list[int], named: int | None, ignore: int | None, table: dict[int, int]) -> None:
    coding = find_coding([values(*found)], None if named is None else [f"n{i}" for i in range(named)], ignore)
    assert coding.table == table
    assert coding.readable == all(value == index for value, index in table.items())


def test_ignored_colour(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    for number, name in enumerate(names(3)):
        write(Path("masks") / name, COLOURS[labels_of(number)])
    cfg = run("--ignore", "20,180,40", "--classes", "a,b")
    np.testing.assert_array_equal(labels_read(cfg)["00.png"], np.array([0, 255, 1])[labels_of(0)])
    assert cfg.palette == [[0, 0, 0], [200, 30, 60]]
    assert "20,180,40" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no mask holds --ignore 1,2,3; the masks hold 0,0,0; 20,180,40; 200,30,60"):
        run("--ignore", "1,2,3", "--overwrite")


def test_grey_colours_and_transparency_are_values(tmp_path: Path) -> None:
    labels = labels_of(0)
    opaque = np.full_like(labels, 255)
    write(tmp_path / "rgb.png", np.stack([labels * 100] * 3, -1))
    write(tmp_path / "la.png", np.stack([labels * 100, opaque], -1))
    write(tmp_path / "grey.png", labels * 100)
    masks = [look_at_mask(tmp_path / name) for name in ("rgb.png", "la.png", "grey.png")]
    coding = find_coding(masks)
    assert (coding.kind, dict(coding.table)) == ("values", {0: 0, 100: 1, 200: 2})
    for name in ("rgb.png", "la.png", "grey.png"):
        np.testing.assert_array_equal(to_indices(tmp_path / name, coding), labels, err_msg=name)


def test_palettes_that_contradict_each_other_are_read_by_colour(tmp_path: Path) -> None:
    """As from a program that gives the first colour it meets the first index."""
    labels = labels_of(0)
    colours = [tuple(colour) for colour in COLOURS.tolist()]
    write_indices(tmp_path / "a.png", labels, colours)
    order = [2, 0, 1]
    write_indices(tmp_path / "b.png", np.argsort(order)[labels].astype(np.uint8), [colours[index] for index in order])
    coding = find_coding([look_at_mask(tmp_path / name) for name in ("a.png", "b.png")])
    assert coding.kind == "colours"
    assert not coding.readable
    first, second = (to_indices(tmp_path / name, coding) for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.array(coding.palette)[first], COLOURS[labels])


@pytest.mark.parametrize(
    ("masks", "named", "said"),
    [
        ([values(0)], None, "hold 0 and so fewer than two classes"),
        ([values(0, 255)], 3, "--classes names 3, but the masks hold 2 values, in this order: 0, 255"),
        ([MaskFacts((1, 3), False, None, {0: 1, 255: 1, 256: 1}, {})], 2, "hold 3 colours.*: 0,0,0; 0,0,255; 0,1,0"),
        (
            [MaskFacts((100, 100), True, {0: 5000, 255: 5000, **dict.fromkeys(range(100, 140), 2)}, {}, {})],
            None,
            r"hold 42 values, and 40 of them have hardly any pixels: soft \(anti-aliased\) edges",
        ),
    ],
)
def test_masks_that_make_no_classes(masks: list[MaskFacts], named: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        find_coding(masks, None if named is None else [f"n{index}" for index in range(named)])


def test_packed_colours() -> None:
    assert pack(np.array([[1, 2, 3]])).tolist() == [0x010203]


# -- the split --------------------------------------------------------------------------------------------------------


@given(
    labels=st.lists(st.frozensets(st.integers(0, 5), min_size=1), min_size=2, max_size=30),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_split(labels: list[frozenset[int]], share: float, seed: int) -> None:
    classes_of = {f"{number}.png": own for number, own in enumerate(labels)}
    train, val = parts = split(classes_of, share, seed)
    assert sorted([*train, *val]) == sorted(classes_of)
    assert train
    assert 1 <= len(val) <= max(1, round(share * len(labels)))
    assert parts == split(dict(reversed(classes_of.items())), share, seed)
    trained = frozenset().union(*(classes_of[name] for name in train))
    assert trained == frozenset().union(*labels) or len(val) == 1


def test_split_has_every_class_on_both_sides() -> None:
    classes_of = {f"{number:02d}": {0, number % 5} for number in range(25)}
    for seed in range(5):
        for names_of_part in split(classes_of, 0.2, seed):
            assert set().union(*(classes_of[name] for name in names_of_part)) == set(range(5))


# -- what is wrong, in words ------------------------------------------------------------------------------------------


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
        (lambda: Path("images/03.png").write_bytes(b""), r"1 of 1 images in 'images' cannot be used"),
        (lambda: Path("masks/01.png").write_bytes(b"nothing"), r"'01\.png': the mask cannot be read"),
        (lambda: write("images/00.jpg", np.zeros((9, 9, 3), np.uint8)), "differ in nothing but the ending"),
        (lambda: write("masks/03.jpg", labels_of(0)), "1 masks are JPEG, '03.jpg' for one"),
        (lambda: write_images(["00.png"], dtype=np.uint16), "1 of 4 images have 16 bits, the others 8"),
    ],
)
def test_what_stops_a_training(spoil, said: str) -> None:
    write_three()
    spoil()
    with pytest.raises(SystemExit, match=f"(?s)error: .*{said}"):
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
    with pytest.raises(SystemExit, match=said):
        tool.main(arguments)


@pytest.mark.parametrize("option", [["--classes", "a,a"], ["--ignore", "1,2"], ["--ignore", "300"]])
def test_options_are_checked(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tool.parse_args(["images", "masks", *option])
    assert f"argument {option[0]}: expected" in capsys.readouterr().err


def test_new_masks_are_not_written_among_the_images() -> None:
    write_images(names(2), folder="data/own")
    write_masks(names(2), factor=255, classes=2)
    with pytest.raises(SystemExit, match="within 'data/own', and be taken for images"):
        tool.main(["data/own", "masks"])


def test_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    """What is odd and no error: a mask too many, a class that nobody shows, a turned image, nothing unlabelled."""
    write_images(names(3))
    write_masks(names(3), classes=2)
    write("masks/99.png", labels_of(0))
    exif = Image.Exif()
    exif[0x0112] = 6
    write("images/05.jpg", np.zeros((SIDE, 2 * SIDE, 3), np.uint8), exif=exif)
    write("masks/05.png", np.tile(labels_of(0, classes=2), (2, 1)))
    tool.main(["images", "masks", "--classes", "a,b,c"])
    printed = capsys.readouterr().out
    for said in (
        "No image is unlabelled",
        "1 mask without an image (99.png)",
        "No mask shows c",
        "1 of 4 images are turned or mirrored",
        "Only 1 image for validation",
    ):
        assert said in printed, said


def test_masks_named_in_two_ways_are_copied() -> None:
    """The two ways of writing an umlaut are one name to the eye, and two to most file systems."""
    write_images(["\u00fc.png", "b.png", "c.png"])
    write("masks/u\u0308.png", labels_of(0))
    write("masks/b.png", labels_of(1))
    assert pair(Path("images"), Path("masks")).mask_suffix is None
    cfg = run()
    assert cfg.masks == "data/own/index_masks"
    np.testing.assert_array_equal(labels_read(cfg)["\u00fc.png"], labels_of(0))
