"""``mmseg-css data masks``: from folders of JSON files to masks that init and training read."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_css.cli.main import call, run
from mmseg_css.preparation.own_data.coding import find_coding
from mmseg_css.preparation.own_data.masks import look_at_mask
from tests.preparation.own_data.conftest import labels_read, names, write_images
from tests.preparation.own_data.conftest import run as run_init

LEFT, ALL = [[0, 0], [1, 9]], [[0, 0], [9, 9]]


def write(path: str, *shapes: tuple[str, list], height: int = 2, width: int = 4) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    entries = [{"label": label, "shape_type": "rectangle", "points": points} for label, points in shapes]
    content = {"imageHeight": height, "imageWidth": width, "shapes": entries}
    Path(path).write_text(json.dumps(content), encoding="utf-8")


def masks(*arguments: str, classes: str = "road,car") -> None:
    call(["data", "masks", *arguments, "--out", "masks", *(["--classes", classes] if classes else [])])


def pixels(path: str) -> list[list[int]]:
    with Image.open(path) as mask:
        assert mask.mode == "P"
        return np.array(mask).tolist()


def written() -> list[str]:
    return sorted(path.relative_to("masks").as_posix() for path in Path("masks").rglob("[!.]*.*"))


def test_masks_have_the_paths_of_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    write("labelme/a.json", ("road", ALL), ("car", LEFT))
    write("labelme/site 1/ü.b.JSON", ("car", LEFT))
    for hidden in ("labelme/._a.json", "labelme/.ipynb_checkpoints/a-checkpoint.json"):
        write(hidden, ("none", ALL))
    masks("labelme")
    assert written() == ["a.png", "site 1/ü.b.png"]
    assert pixels("masks/a.png") == [[1, 1, 0, 0]] * 2
    assert pixels("masks/site 1/ü.b.png") == [[1, 1, 255, 255]] * 2
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "2 masks written to masks; 25.00% of their pixels are ignored (255).",
        "! Pixels in no shape are ignored. If they are of a class, name it: --background NAME",
        "Next: mmseg-css init IMAGES masks --classes road,car --ignore 255",
    ]


def test_files_that_are_named_have_their_path_below_the_folder_of_all() -> None:
    for path in ("labels/x/a.json", "labels/y/a.json", "labels/y/b.json"):
        write(path, ("road", ALL))
    masks("labels/x/a.json", "labels/y/a.json")
    assert written() == ["x/a.png", "y/a.png"]


def test_several_files_of_coco() -> None:
    pytest.importorskip("pycocotools", reason="decoding COCO's instances takes pycocotools")
    for number, part in enumerate(("train", "val")):
        image = {"id": 1, "file_name": f"{part}/a.jpg", "height": 2, "width": 4}
        category = {"id": 4 - number, "name": ["car", "road"][number]}
        square = {"image_id": 1, "category_id": 4 - number, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}
        content = {"images": [image], "categories": [category], "annotations": [square]}
        Path(f"{part}.json").write_text(json.dumps(content))
    masks("train.json", "val.json", "--background", "road")
    assert pixels("masks/train/a.png") == [[1, 1, 0, 0]] * 2
    assert pixels("masks/val/a.png") == [[0, 0, 0, 0]] * 2


def test_the_background_and_what_is_to_be_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    write("labelme/a.json", ("__ignore__", LEFT))
    write("labelme/empty.json")
    masks("labelme", "--background", "road", "--ignore", "__ignore__,void")
    assert pixels("masks/a.png") == [[255, 255, 0, 0]] * 2
    assert pixels("masks/empty.png") == [[0, 0, 0, 0]] * 2
    said = capsys.readouterr().out
    assert "! No shape is called car.\n! 1 without shapes are road as a whole: empty\n" in said


def test_without_a_background_an_image_without_shapes_is_not_labelled(capsys: pytest.CaptureFixture[str]) -> None:
    write("labelme/a.json", ("road", ALL))
    write("labelme/empty.json")
    masks("labelme")
    assert written() == ["a.png"]
    assert "! 1 without shapes got no mask: empty\n" in capsys.readouterr().out
    Path("labelme/a.json").unlink()
    with pytest.raises(ValueError, match="none of the 1 images has a shape"):
        masks("labelme")


def test_init_and_training_read_them_as_they_are() -> None:
    write_images(names(5))
    for number in range(4):
        write(
            f"labelme/{number:02d}.json",
            ("car", [[0, 0], [39, 19]]),
            ("road", [[0, 30], [39, 39]]),
            height=40,
            width=40,
        )
    masks("labelme", classes="road,car")
    cfg = run_init("--classes", "road,car", "--ignore", "255")
    expected = np.repeat([1, 255, 0], [20, 10, 10])[:, None].repeat(40, 1)
    for labels in labels_read(cfg).values():
        np.testing.assert_array_equal(labels, expected)
    assert not Path("data").exists()  # nothing had to be written anew


def test_a_class_that_stands_alone_is_not_taken_for_two() -> None:
    """Of masks of 0 and 255 alone init would make two classes, unless it is told what 255 is."""
    write("labelme/a.json", ("road", LEFT))
    masks("labelme")
    with pytest.raises(ValueError, match="--classes names 2, but the masks hold 1 values"):
        find_coding([look_at_mask(Path("masks/a.png"))], ["road", "car"], 255)


def test_labels_that_are_no_classes(capsys: pytest.CaptureFixture[str]) -> None:
    write("labelme/a.json", ("road", ALL), ("Cra", LEFT))
    write("labelme/b.json", ("tree", ALL), ("tree", ALL))
    assert run(["data", "masks", "labelme", "--out", "masks", "--classes", "road,car"]) == 1
    assert capsys.readouterr().err.splitlines()[-4:] == [
        "error: labels of shapes are no classes, which are road, car:",
        "  'Cra' (labelme/a.json, shape 2); did you mean 'car'?",
        "  'tree' (labelme/b.json, shape 1, and 1 more)",
        "Correct the labels, name all classes, or say --ignore LABEL if nothing is known of such pixels",
    ]
    assert not Path("masks").exists()


def test_what_is_there_is_not_replaced_unasked_and_images_never() -> None:
    write("labelme/a.json", ("car", ALL))
    write("labelme/b.json", ("road", ALL))
    masks("labelme/a.json")
    with pytest.raises(FileExistsError, match="masks/a.png is there already: name another --out, or say --overwrite"):
        masks("labelme")
    assert written() == ["a.png"]
    masks("labelme", "--overwrite", classes="car,road")
    assert pixels("masks/a.png") == [[0] * 4] * 2
    for mode in ("RGB", "L"):
        Image.new(mode, (4, 2)).save("labelme/b.png")
        with pytest.raises(FileExistsError, match="labelme/b.png is there, and is no mask of an earlier call"):
            call(["data", "masks", "labelme", "--out", "labelme", "--classes", "car,road", "--overwrite"])
    assert not Path("labelme/a.png").exists()


def test_masks_that_init_made_are_not_the_place() -> None:
    """What they were made of would be forgotten, and changes of it be missed."""
    write_images(names(3))
    for name in names(2):
        mask = np.zeros((40, 40, 3), np.uint8)
        mask[20:] = 200
        Path("masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(f"masks/{name}")
    run_init()
    write("labelme/00.json", ("road", ALL))
    made = Path("data/own/index_masks")
    before = (made / ".made_of.json").read_bytes(), (made / "00.png").read_bytes()
    message = "index_masks holds what `mmseg-css init` made of the masks in 'masks': if .* --out masks, otherwise"
    with pytest.raises(FileExistsError, match=message):
        call(["data", "masks", "labelme", "--out", str(made), "--classes", "road,car", "--overwrite"])
    assert before == ((made / ".made_of.json").read_bytes(), (made / "00.png").read_bytes())


def test_files_that_cannot_be_used_are_all_named() -> None:
    write("labelme/a.json", ("road", ALL))
    write("labelme/b.json", ("road", ALL), height=0)
    Path("labelme/c.json").write_text('{"shapes": [')
    Path("labelme/d.json").write_bytes(b'{"shapes": "\xff"}')
    Path("labelme/suggestions.json").write_text("{}")
    with pytest.raises(ValueError) as raised:
        masks("labelme")
    first, *lines = str(raised.value).splitlines()
    assert first == "4 of 5 files cannot be used:"
    assert [line.split(":")[0].strip() for line in lines] == [
        f"labelme/{name}.json" for name in ("b", "c", "d", "suggestions")
    ]
    assert "no JSON" in lines[1] and "no JSON" in lines[2] and "neither LabelMe's" in lines[3]


def test_two_files_of_one_image() -> None:
    write("one/a.json", ("road", ALL))
    write("two/a.json", ("road", ALL))
    with pytest.raises(ValueError, match="two/a.json: 'a' is in one/a.json, too, and both would be one mask"):
        masks("one", "two")


@pytest.mark.parametrize(
    ("arguments", "classes", "said"),
    [
        (
            ["labelme"],
            "",
            "in the order of their indices: --classes car,road, as shapes are called, or --config CONFIG",
        ),
        (["labelme", "--background", "Raod"], "road,car", "--background Raod is no class; did you mean 'road'?"),
        (["labelme", "--ignore", "car"], "road,car", "'car' is a class and to be ignored"),
        (["labelme"], ",".join(map(str, range(256))), "there are 256 classes, and a mask of 8 bits holds 255 at most"),
        (["nowhere"], "road,car", "there is no file or folder 'nowhere'"),
        (["none"], "road,car", "'none' and its folders hold no JSON files"),
    ],
)
def test_arguments_that_do_not_fit(arguments: list[str], classes: str, said: str) -> None:
    Path("none").mkdir()
    write("labelme/a.json", ("road", ALL), ("car", LEFT))
    with pytest.raises((OSError, ValueError)) as raised:
        masks(*arguments, classes=classes)
    assert said in str(raised.value)


# -- classes of a config ----------------------------------------------------------------------------------------------


def config(**settings: object) -> str:
    for folder in ("images", "truth"):
        Path(folder).mkdir()
    labeled = {
        "type": "BaseSegDataset",
        "metainfo": {"classes": ["road", "traffic, light"], "palette": [[9, 8, 7], [1, 2, 3]]},
        "data_prefix": {"img_path": "images", "seg_map_path": "truth"},
        **settings,
    }
    paired = {"type": "PairedDataset", "labeled": labeled, "unlabeled": {"type": "UnlabeledDataset"}}
    Path("config.py").write_text(f"train_dataloader = dict(dataset={paired!r})\n")
    return "config.py"


def test_classes_and_colours_of_a_config() -> None:
    write("labelme/a.json", ("traffic, light", ALL))
    masks("labelme", "--config", config(), classes="")
    assert pixels("masks/a.png") == [[1] * 4] * 2
    with Image.open("masks/a.png") as mask:
        assert mask.getpalette()[:6] == [9, 8, 7, 1, 2, 3]


def test_a_config_whose_masks_hold_other_values_is_refused() -> None:
    write("labelme/a.json", ("road", ALL))
    with pytest.raises(ValueError, match="config.py reads masks with reduce_zero_label, so that their values"):
        masks("labelme", "--config", config(reduce_zero_label=True), classes="")


def test_a_config_without_labelled_images_is_refused() -> None:
    write("labelme/a.json", ("road", ALL))
    Path("config.py").write_text("model = dict()\n")
    with pytest.raises(ValueError, match="config.py names no folder of labelled images"):
        masks("labelme", "--config", "config.py", classes="")
