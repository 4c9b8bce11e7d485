"""How lists are read, and what is said where one is missing."""

import re
import subprocess
from pathlib import Path

import pytest
from mmseg.registry import DATASETS

from mmseg_css.datasets import checks
from mmseg_css.datasets.protocols import missing_list_remedy
from mmseg_css.datasets.splits import read_ids
from tests.datasets.helpers import LOAD, labeled_config, unlabeled_config, write, write_image, write_list, write_mask

# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "image_id"),
    [
        ("JPEGImages/2007_000032.jpg SegmentationClass/2007_000032.png", "2007_000032"),
        ("JPEGImages/2007_000032.jpg\tSegmentationClass/2007_000032.png", "2007_000032"),
        ("VOC2012/JPEGImages/2007_000032.jpg", "2007_000032"),
        ("/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png", "2007_000032"),
        ("C:/VOC 2012/JPEGImages/2007_000032.jpg", "2007_000032"),
        ("2007_000032", "2007_000032"),
        ("\ufeff2007_000032\r", "2007_000032"),
        ("train2017/000000283213.jpg masks/000000283213.png", "000000283213"),
        ("leftImg8bit/train/ulm/ulm_000079_000019_leftImg8bit.png", "ulm/ulm_000079_000019"),
        (
            "leftImg8bit/train/ulm/ulm_000079_000019_leftImg8bit.png gtFine/train/ulm/"
            "ulm_000079_000019_gtFine_labelTrainIds.png",
            "ulm/ulm_000079_000019",
        ),
        ("ulm_000079_000019", "ulm_000079_000019"),
        ("town 0/frame 00.png", "town 0/frame 00"),
        ("./town 0//frame 00", "town 0/frame 00"),
        ("video.png.001", "video.png.001"),
    ],
)
def test_formats(tmp_path: Path, line: str, image_id: str) -> None:
    assert read_ids(write(tmp_path / "list.txt", f"{line}\n\n")) == [image_id]


def test_cities_are_added_where_mmseg_needs_them(tmp_path: Path) -> None:
    path = write(tmp_path / "list.txt", "ulm_000079_000019\nleftImg8bit/train/jena/jena_000001_000019_leftImg8bit.png")
    assert read_ids(path, "cityscapes") == ["ulm/ulm_000079_000019", "jena/jena_000001_000019"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; write one id per line"),
        ("\n \n", "is empty"),
        ("a\nb\n\na\n", r"list\.txt', line 4: 'a' is listed already, in line 1; remove one"),
        ("ulm/ulm_000079_000019\nulm_000079_000019", "line 2: .* is listed already, in line 1"),
        (b"a\n\xff\xfe\n", r"list\.txt', line 2 is not UTF-8 text"),
        ("a\nb\0c", "line 2: .* is no image"),
        (".png", "line 1: .* is no image"),
        ("a.jpg b.png", "line 1: .* neither an image nor an image and its mask"),
        ("a1.jpg a10.png", "line 1: .* neither an image nor an image and its mask"),
        ("a.jpg a.png a.png", "line 1: .* neither an image nor an image and its mask"),
        ("x\n../a", r"line 2: '\.\./a' leads out of the folder"),
        ("x\na/../../b", "line 2: .* leads out of the folder"),
        ("JPEGImages/../../a.jpg", "leads out of the folder"),
        ("a.jpg ../masks/a.png", "leads out of the folder"),
        ("/etc/passwd", "'/etc/passwd' is an absolute path; write the path below the folder of the images"),
        ("a.jpg /masks/a.png", "is an absolute path"),
        ("C:/images/a", "is an absolute path"),
        ("images\\a", "holds a backslash"),
    ],
)
def test_what_is_no_list(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_ids(write(tmp_path / "list.txt", content))


def test_missing_list(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no list of images"):
        read_ids(tmp_path / "nothing.txt")


def test_image_of_another_data_set(tmp_path: Path) -> None:
    path = write(tmp_path / "list.txt", "2007_000032")
    assert read_ids(path, "voc") == ["2007_000032"]
    with pytest.raises(ValueError, match="'2007_000032' is no image of cityscapes; its ids look like 'aachen/aachen_"):
        read_ids(path, "cityscapes")


# -- training on lists ------------------------------------------------------------------------------------------------


def test_lists_with_cities_fit_mmseg_and_the_unlabelled_images(tmp_path: Path) -> None:
    ids = [f"{city}_{number:06d}_000019" for city in ("ulm", "jena") for number in range(2)]
    for image_id in ids:
        folder = image_id.split("_")[0]
        write_image(tmp_path / "images" / folder / f"{image_id}_leftImg8bit.png")
        write_mask(tmp_path / "masks" / folder / f"{image_id}_gtFine_labelTrainIds.png")
    written = write_list(tmp_path / "published.txt", [f"{image_id}_leftImg8bit.png" for image_id in ids[:3]])
    listed = write_list(tmp_path / "list.txt", read_ids(written, "cityscapes"))
    prefix = {"img_path": "images", "seg_map_path": "masks"}
    common = {"data_root": str(tmp_path), "data_prefix": prefix, "pipeline": [*LOAD, {"type": "LoadAnnotations"}]}
    labeled = {"type": "CityscapesDataset", "ann_file": listed, **common}
    unlabeled = unlabeled_config(tmp_path, exclude=listed, suffixes=("_leftImg8bit.png",))
    dataset = DATASETS.build({"type": "PairedDataset", "labeled": labeled, "unlabeled": unlabeled})
    assert (dataset.num_labeled, dataset.num_unlabeled) == (3, 1)


def test_missing_published_list_names_both_ways_to_it(root: Path) -> None:
    config = labeled_config(root, ann_file="data/splits/coco-pseudoseg-232.txt")
    with pytest.raises(FileNotFoundError) as caught:
        DATASETS.build({"type": "PairedDataset", "labeled": config, "unlabeled": unlabeled_config(root)})
    message = str(caught.value)
    assert "coco-pseudoseg-232.txt'; import the published list: " in message
    assert "`mmseg-css split import coco-pseudoseg-1/512 SOURCE`" in message
    assert "github.com/LiheYoung/UniMatch (there it is splits/coco/1_512/labeled.txt)" in message
    assert "a list of your own, whose results compare with no published ones" in message
    assert "generate --config CONFIG --count 232 --out data/splits/coco-own-232.txt`" in message
    with pytest.raises(FileNotFoundError, match="mmseg-css split import coco-pseudoseg-1/512"):
        DATASETS.build(unlabeled_config(root, exclude="data/splits/coco-pseudoseg-232.txt"))


def test_missing_list_of_another_name_or_place() -> None:
    remedy = missing_list_remedy("data/splits/mine.txt")
    assert remedy is not None
    assert "import NAME SOURCE --out data/splits/mine.txt`" in remedy
    assert "generate --config CONFIG --count N --out data/splits/mine.txt`" in remedy
    own = missing_list_remedy("data/splits/ade20k-own-2527.txt")
    assert own is not None and "import" not in own
    assert "generate --config CONFIG --count 2527 --out data/splits/ade20k-own-2527.txt`" in own
    assert missing_list_remedy("data/demo/splits/labeled_8.txt") is None


LIST = "configs/splits/camvid/1-8.txt"


def test_missing_list_that_the_package_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As configs of a wheel name it, which are called from anywhere."""
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "images" / "a.png")
    with pytest.raises(FileNotFoundError) as caught:
        DATASETS.build(unlabeled_config(tmp_path, data_root="", exclude=LIST))
    [command] = re.findall("`(.*)`", str(caught.value))
    subprocess.run(command, shell=True, check=True)
    assert len(Path(LIST).read_text().split()) == 46
    assert missing_list_remedy(LIST) is None
    assert missing_list_remedy("mmseg_css/datasets/none.txt") is None  # other folders of a clone are not the package's


def test_missing_list_of_a_plain_data_set(root: Path) -> None:
    """Where MMSeg itself only asserts, and below wrappers."""
    config = labeled_config(root, type="PascalVOCDataset", ann_file="data/splits/voc-classic-92.txt")
    wrapped = {"type": "RepeatDataset", "times": 2, "dataset": {"type": "ConcatDataset", "datasets": [config]}}
    with pytest.raises(FileNotFoundError, match="import voc-classic-92 SOURCE"):
        checks.check_training_paths(wrapped)
    checks.check_training_paths({**wrapped, "dataset": labeled_config(root)})


def test_training_refuses_a_list_that_leads_out_of_the_folder(root: Path) -> None:
    config = labeled_config(
        root, ann_file=write_list(root / "list.txt", ["town 0/frame 00", "../masks/town 0/frame 02"])
    )
    with pytest.raises(ValueError, match=r"list\.txt', line 2: .* leads out of the folder"):
        DATASETS.build({"type": "PairedDataset", "labeled": config, "unlabeled": unlabeled_config(root)})
