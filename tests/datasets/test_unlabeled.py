import os
from pathlib import Path

import pytest
from mmseg.registry import DATASETS

from tests.datasets.helpers import AUGMENT, LOAD, unlabeled_config, write_image, write_list


def build(root: Path, **changes: object):
    return DATASETS.build(unlabeled_config(root, **changes))


def ids(dataset) -> list[str]:
    folder = dataset.data_prefix["img_path"]
    return [os.path.relpath(dataset.get_data_info(i)["img_path"], folder) for i in range(len(dataset))]


def test_folder_is_searched_recursively_in_code_point_order(tmp_path: Path) -> None:
    names = ["b.png", "B.jpg", "a/z.PNG", "a/é.bmp", "a/sub folder/x y.tif", "c.jpeg"]
    for name in names:
        write_image(tmp_path / "images" / name)
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    assert ids(build(tmp_path)) == ["B.jpg", "a/sub folder/x y.tif", "a/z.PNG", "a/é.bmp", "b.png", "c.jpeg"]


@pytest.mark.parametrize("record", ["predictions.json", "suggestions.json"])
def test_what_predict_and_suggest_wrote_is_no_image(record: str, tmp_path: Path) -> None:
    """Beside the images, and into their own folder."""
    for name in ("a.png", "b/a.png", "b/masks/a.png", "masks/a.png", "overlays/a.png", "out/masks/a.png"):
        write_image(tmp_path / "images" / name)
    for folder in ("images", "images/out"):
        (tmp_path / folder / record).write_text("{}")
    assert ids(build(tmp_path)) == ["a.png", "b/a.png", "b/masks/a.png"]


def test_list_may_leave_suffixes_out(root: Path) -> None:
    listed = write_list(root / "list.txt", ["town 1/frame 03.png", "", "town 0/frame 00"])
    assert ids(build(root, ann_file=listed)) == ["town 0/frame 00.png", "town 1/frame 03.png"]
    assert ids(build(root, ann_file="list.txt")) == ["town 0/frame 00.png", "town 1/frame 03.png"]


def test_ids_may_hold_dots(tmp_path: Path) -> None:
    for name in ("video.png.001.png", "video.png.002.png"):
        write_image(tmp_path / "images" / name)
    dataset = build(tmp_path, exclude=write_list(tmp_path / "labeled.txt", ["video.png.001"]))
    assert ids(dataset) == ["video.png.002.png"]


def test_the_name_of_a_file_means_that_file(tmp_path: Path) -> None:
    """And not the mask beside it, of which it is the id."""
    for name in ("1.jpg", "1.jpg.png", "2.jpg"):
        write_image(tmp_path / "images" / name)
    assert ids(build(tmp_path, exclude=write_list(tmp_path / "labeled.txt", ["1.jpg"]))) == ["1.jpg.png", "2.jpg"]
    assert ids(build(tmp_path, ann_file=write_list(tmp_path / "list.txt", ["1.jpg"]))) == ["1.jpg"]


def test_unlabelled_is_all_minus_labelled(root: Path) -> None:
    dataset = build(root, exclude="labeled.txt")
    labelled = {f"{line}.png" for line in (root / "labeled.txt").read_text().splitlines()}
    assert len(labelled) == 3
    assert len(dataset) == 7
    assert labelled.isdisjoint(ids(dataset))


def test_several_lists_and_a_pool(root: Path) -> None:
    pool = write_list(root / "pool.txt", [f"town {n % 2}/frame {n:02d}" for n in range(6)])
    more = write_list(root / "more.txt", ["town 1/frame 05", "town 1/frame 09"])
    dataset = build(root, ann_file=pool, exclude=["labeled.txt", more])
    assert ids(dataset) == ["town 0/frame 04.png", "town 1/frame 03.png"]


def test_long_suffix_gives_cityscapes_ids(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / "images" / "aachen" / f"aachen_{number}_leftImg8bit.png")
        write_image(tmp_path / "images" / "aachen" / f"aachen_{number}_gtFine_color.png")
    labelled = write_list(tmp_path / "labeled.txt", ["aachen/aachen_1"])
    dataset = build(tmp_path, suffixes=("_leftImg8bit.png",), exclude=labelled)
    assert ids(dataset) == ["aachen/aachen_0_leftImg8bit.png", "aachen/aachen_2_leftImg8bit.png"]


def test_pipeline_runs_without_a_mask(root: Path) -> None:
    (root / "masks").rename(root / "gone")
    sample = build(root)[0]
    assert sample["inputs"].shape[0] == 3
    assert "gt_sem_seg" not in sample["data_samples"]


def test_missing_folder(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"data_prefix\['img_path'\].*no folder.*nowhere.*check data_root"):
        build(root, data_prefix={"img_path": "nowhere"})


@pytest.mark.parametrize("argument", ["ann_file", "exclude"])
def test_missing_list(root: Path, argument: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"no list of images .*nothing\.txt"):
        build(root, **{argument: "nothing.txt"})


def test_empty_list(root: Path) -> None:
    with pytest.raises(ValueError, match=r"list of images .*empty\.txt' is empty"):
        build(root, ann_file=write_list(root / "empty.txt", ["", " "]))


@pytest.mark.parametrize("argument", ["ann_file", "exclude"])
def test_listed_image_absent(root: Path, argument: str) -> None:
    listed = write_list(root / "list.txt", ["town 0/frame 00", "town 0/frame 77"])
    message = r"list\.txt' lists 1 of 2 images .*the first: 'town 0/frame 77'.*for instance, 'town 0/frame 00'"
    with pytest.raises(FileNotFoundError, match=message):
        build(root, **{argument: listed})


def test_nothing_left(root: Path) -> None:
    everything = write_list(root / "all.txt", [f"town {n % 2}/frame {n:02d}" for n in range(10)])
    with pytest.raises(ValueError, match=r"no unlabelled image is left.*holds 10 .*10 excluded"):
        build(root, exclude=everything)


def test_two_files_of_one_id(root: Path) -> None:
    write_image(root / "images" / "town 0" / "frame 00.jpg")
    with pytest.raises(ValueError, match=r"'town 0/frame 00\.jpg' and 'town 0/frame 00\.png' .*suffixes"):
        build(root)
    assert len(build(root, suffixes=(".png",))) == 10


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"type": "LoadAnnotations"}, "LoadAnnotations.*no masks to load.*remove it"),
        ({"type": "Pad", "size": (64, 64)}, "Pad of the unlabelled pipeline pads .*data_preprocessor pads"),
        (
            {"type": "CenterCrop", "crop_size": (64, 64), "auto_pad": True},
            r"CenterCrop\(auto_pad=True\) of the .* pads",
        ),
        ({"type": "RandomRotate", "prob": 0.5, "degree": 10}, "^RandomRotate of the unlabelled pipeline pads"),
        (
            {"type": "RandomCrop", "crop_size": (8, 8), "cat_max_ratio": 0.75},
            r"cat_max_ratio=0\.75.*set cat_max_ratio=1",
        ),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_pipeline_that_needs_masks(root: Path, transform: dict, message: str, nested: bool) -> None:
    if nested:
        transform = {"type": "RandomChoice", "transforms": [[transform], [{"type": "RandomFlip", "prob": 0.5}]]}
    with pytest.raises(ValueError, match=message):
        build(root, pipeline=[*LOAD, transform, *AUGMENT])


class Albu:
    """As MMSeg's, whose package need not be there."""

    def __init__(self, *transforms: dict) -> None:
        self.transforms = transforms

    def __call__(self, results: dict) -> dict:
        return results


def test_albumentations_that_pad(root: Path) -> None:
    jitter = {"type": "ColorJitter", "p": 0.5}
    with pytest.raises(ValueError, match="Albu's SafeRotate of the unlabelled pipeline pads"):
        build(root, pipeline=[*LOAD, Albu(jitter, {"type": "OneOf", "transforms": [{"type": "SafeRotate"}]}), *AUGMENT])
    build(root, pipeline=[*LOAD, Albu(jitter), *AUGMENT])


def test_lists_of_elsewhere(root: Path) -> None:
    """`data_root` goes before paths below it alone, as MMEngine has it of `ann_file`."""
    found = build(root, exclude=["s3://bucket/labelled.txt", "labeled.txt"], lazy_init=True)
    assert found.exclude == ["s3://bucket/labelled.txt", str(root / "labeled.txt")]
