from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_css.datasets import checks
from tests.datasets.helpers import AUGMENT, LOAD, labeled_config, unlabeled_config, write_image, write_list, write_mask


def build(root: Path, *, check_masks: bool = True, **changes: object):
    return DATASETS.build(
        {
            "type": "PairedDataset",
            "labeled": labeled_config(root, **changes),
            "unlabeled": unlabeled_config(root),
            "check_masks": check_masks,
        }
    )


def mask_of(root: Path) -> Path:
    return root / "masks" / "town 0" / "frame 04.png"


def test_sound_data_pass(root: Path) -> None:
    assert build(root).num_labeled == 10


@pytest.mark.parametrize("key", ["img_path", "seg_map_path"])
def test_missing_folder(root: Path, key: str) -> None:
    prefix = {"img_path": "images", "seg_map_path": "masks", key: "nowhere"}
    with pytest.raises(FileNotFoundError, match=rf"data_prefix\['{key}'\]: there is no folder .*nowhere"):
        build(root, data_prefix=prefix)


def test_missing_folder_where_mmseg_only_asserts(root: Path) -> None:
    config = labeled_config(root, type="PascalVOCDataset", ann_file="labeled.txt", data_prefix={"img_path": "nowhere"})
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        DATASETS.build({"type": "PairedDataset", "labeled": config, "unlabeled": unlabeled_config(root)})


def test_missing_and_empty_list(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no list of images .*nothing\.txt"):
        build(root, ann_file="nothing.txt")
    with pytest.raises(ValueError, match=r"empty\.txt' is empty; write one id per line"):
        build(root, ann_file=write_list(root / "empty.txt", []))


def test_folder_without_images_of_the_suffix(root: Path) -> None:
    with pytest.raises(ValueError, match=r"the labeled data set \(BaseSegDataset\) has no image.*'\.jpg'.*img_suffix"):
        build(root, img_suffix=".jpg")


def test_listed_image_absent(root: Path) -> None:
    listed = write_list(root / "list.txt", ["town 0/frame 00", "town 0/frame 77"])
    with pytest.raises(FileNotFoundError, match=r"(?s)1 of the 2 .*the image .*frame 77\.png' is missing; supply it"):
        build(root, ann_file=listed)


def test_mask_missing(root: Path) -> None:
    mask_of(root).unlink()
    with pytest.raises(FileNotFoundError, match=r"the mask .*frame 04\.png' is missing.*seg_map_suffix"):
        build(root)
    build(root, check_masks=False)


def test_no_mask_folder_given(root: Path) -> None:
    with pytest.raises(ValueError, match=r"has no mask; set data_prefix=dict\(img_path=\.\.\., seg_map_path"):
        build(root, data_prefix={"img_path": "images"})


def test_mask_of_another_size(root: Path) -> None:
    write_mask(mask_of(root), np.zeros((8, 16), np.uint8))
    with pytest.raises(ValueError, match=r"frame 04\.png' is 16x8, its image .* is 16x16 \(width x height\)"):
        build(root)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_exif_rotation_counts(root: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[checks.EXIF_ORIENTATION] = 6
    folder = root / "turned"
    folder.mkdir()
    Image.new("RGB", (16, 8)).save(folder / f"a{suffix}", exif=exif)  # decoded as 8 wide, 16 high
    write_mask(root / "turned masks" / "a.png", np.eye(16, 8, dtype=np.uint8))
    build(root, data_prefix={"img_path": "turned", "seg_map_path": "turned masks"}, img_suffix=suffix)


@pytest.mark.parametrize(
    "loading",
    [
        {"color_type": "unchanged"},
        {"color_type": "color_ignore_orientation"},
        {"color_type": cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION},
        {"color_type": "unchanged", "imdecode_backend": "pillow"},
    ],
)
@pytest.mark.parametrize(("suffix", "turned"), [(".png", False), (".tif", True)])
def test_exif_rotation_counts_where_it_is_made(root: Path, loading: dict, suffix: str, turned: bool) -> None:
    """TIFF is turned by its decoder, whatever it is asked for."""
    exif = Image.Exif()
    exif[checks.EXIF_ORIENTATION] = 6
    (root / "turned").mkdir()
    Image.new("RGB", (16, 8)).save(root / "turned" / f"a{suffix}", exif=exif)
    pipeline = [{**LOAD[0], **loading}, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    data = {"data_prefix": {"img_path": "turned", "seg_map_path": "turned masks"}, "pipeline": pipeline}
    for height, width in ((16, 8), (8, 16)):
        write_mask(root / "turned masks" / "a.png", np.eye(height, width, dtype=np.uint8))
        if turned == (height == 16):
            assert build(root, **data, img_suffix=suffix)[0].sample["inputs"].shape[1:] == (height, width)
        else:
            with pytest.raises(ValueError, match=f"is {width}x{height}, its image .* is {height}x{width}"):
                build(root, **data, img_suffix=suffix)


def test_colour_mask(root: Path) -> None:
    write_image(mask_of(root))
    with pytest.raises(ValueError, match=r"frame 04\.png' is of shape \(16, 16, 3\).*convert colours to indices"):
        build(root)


def test_masks_in_jpeg_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one value each they are what was meant, and others rarely are."""
    said: list[str] = []
    monkeypatch.setattr(checks.masks, "warn", said.append)
    build(root)
    assert not said
    for path in (root / "masks").rglob("*.png"):
        write_mask(path.with_suffix(".JPG"), np.full((16, 16), "town 0" in str(path), np.uint8))
    build(root, seg_map_suffix=".JPG")
    [message] = said
    assert message.startswith("10 of the 10 masks of BaseSegDataset are JPEG, whose compression changes values along")
    assert "the first: " in message and "frame 00.JPG'; export them as PNG" in message


def test_palette_mask_is_read_by_index(root: Path) -> None:
    picture = Image.fromarray(np.eye(16, dtype=np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.save(mask_of(root))
    build(root)


def test_unreadable_mask(root: Path) -> None:
    mask_of(root).write_bytes(b"this is no image")
    with pytest.raises(ValueError, match=r"frame 04\.png' cannot be read: "):
        build(root)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_value_outside_the_classes(root: Path, dtype: type) -> None:
    value = 7 if dtype is np.uint8 else 256  # MMSeg would read 256 as 0
    write_mask(mask_of(root), np.full((16, 16), value, dtype))
    message = rf"frame 04\.png' holds \[{value}\], neither one of the 2 classes \(0\.\.1\) nor ignored \(\[255\]\)"
    with pytest.raises(ValueError, match=message):
        build(root)


@pytest.mark.parametrize("value", [-1, 256, 2**31 - 1])
def test_values_of_32_bits(root: Path, value: int) -> None:
    """-1 would be read as 255, which is ignored, and a count of all values up to the highest finds no memory."""
    labels = np.zeros((16, 16), np.int32)
    labels[3, 4] = value
    for path in (root / "masks").rglob("*.png"):
        Image.fromarray(0 * labels).save(path.with_suffix(".tif"))
    Image.fromarray(labels).save(mask_of(root).with_suffix(".tif"))
    with pytest.raises(ValueError, match=rf"frame 04\.tif' holds \[{value}\], neither one of the 2 classes"):
        build(root, seg_map_suffix=".tif")


def test_ignored_values_pass(root: Path) -> None:
    write_mask(mask_of(root), np.full((16, 16), 255, np.uint8))
    build(root)
    write_mask(mask_of(root), np.full((16, 16), 7, np.uint8))
    build(root, ignore_index=7)


def test_reduce_zero_label(root: Path) -> None:
    write_mask(mask_of(root), np.full((16, 16), 2, np.uint8))
    with pytest.raises(ValueError, match=r"holds \[2\].*reduce_zero_label=False"):
        build(root)
    build(root, reduce_zero_label=True)  # 0, 1, 2 become 255, 0, 1
    write_mask(mask_of(root), np.full((16, 16), 3, np.uint8))
    with pytest.raises(ValueError, match=r"holds \[3\].*reduce_zero_label=True"):
        build(root, reduce_zero_label=True)


def test_label_map(root: Path) -> None:
    """A choice of classes: what is left out is ignored, and only what the map leaves out of range is an error."""
    write_mask(mask_of(root), np.full((16, 16), 18, np.uint8))
    config = {"type": "CityscapesDataset", "seg_map_suffix": ".png", "metainfo": {"classes": ("road", "bicycle")}}
    build(root, **config)
    write_mask(mask_of(root), np.full((16, 16), 19, np.uint8))
    with pytest.raises(ValueError, match=r"holds \[19\].*label_map=\{0: 0, 1: 255"):
        build(root, **config)


def test_label_map_agrees_with_what_training_reads(root: Path) -> None:
    config = {"type": "CityscapesDataset", "seg_map_suffix": ".png", "metainfo": {"classes": ("road", "bicycle")}}
    write_mask(mask_of(root), np.arange(256, dtype=np.uint8).reshape(16, 16))
    for reduce_zero_label in (False, True):
        pipeline = [*LOAD, {"type": "LoadAnnotations"}]
        labeled = labeled_config(root, **config, reduce_zero_label=reduce_zero_label, pipeline=pipeline)
        dataset = DATASETS.build(labeled)
        index = next(i for i in range(10) if dataset.get_data_info(i)["seg_map_path"] == str(mask_of(root)))
        read = dataset[index]["gt_seg_map"].ravel()
        check = checks.MaskCheck(dataset)
        labels = [check._label(value, dataset.get_data_info(index)) for value in range(256)]
        assert labels == [value if value in (0, 1, 255) else checks.FAULTY for value in read.tolist()]


def test_many_faults_are_counted_and_some_named(root: Path) -> None:
    for path in (root / "masks").rglob("*.png"):
        path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        build(root)
    message = str(caught.value)
    assert message.startswith("10 of the 10 labelled images of BaseSegDataset cannot be trained on")
    assert message.count("is missing") == 5
    assert "... and 5 more" in message
    assert "check_masks=False" in message


def test_pipeline_without_masks(root: Path) -> None:
    with pytest.raises(ValueError, match="loads no masks; put dict"):
        build(root, pipeline=[*LOAD, *AUGMENT])


def test_no_classes(root: Path) -> None:
    with pytest.raises(ValueError, match="BaseSegDataset has no classes; give it metainfo"):
        build(root, metainfo=None)


def test_masks_are_checked_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(checks, "check_masks", calls.append)
    build(root).full_init()
    assert len(calls) == 1


@pytest.mark.parametrize(("batch_size", "advice"), [(7, "6 or 9"), (2, "3")])
def test_batch_size_that_does_not_fit(batch_size: int, advice: str) -> None:
    message = rf"batch_size={batch_size} .*no multiple of 3, the sum of .*ratio=\(1, 2\); set batch_size={advice}$"
    with pytest.raises(ValueError, match=message):
        checks.check_batch(batch_size, (1, 2))


def test_batch_size_that_fits() -> None:
    checks.check_batch(6, (1, 2))
    with pytest.raises(ValueError, match="no batch_size"):
        checks.check_batch(None, (1, 2))


@pytest.mark.parametrize(
    ("backbone", "named"),
    [
        ({"type": "ResNetV1c", "depth": 18}, False),
        ({"type": "MixVisionTransformer", "pretrained": None, "init_cfg": [{"type": "Normal"}]}, False),
        ({"init_cfg": {"type": "Pretrained", "checkpoint": "some.pth"}}, True),
        ({"init_cfg": [{"type": "Pretrained", "checkpoint": "some.pth"}]}, True),
        ({"type": "TIMMBackbone", "pretrained": True}, True),
        ({"pretrained": "open-mmlab://resnet18_v1c"}, True),
    ],
)
def test_whether_a_network_starts_from_weights(backbone: dict, named: bool) -> None:
    assert checks.names_weights({"type": "FixMatch", "segmentor": {"backbone": backbone}}) == named


def test_missing_pretrained_weights(tmp_path: Path) -> None:
    def model(checkpoint: str) -> dict:
        return {
            "type": "CSS",
            "segmentor": {"backbone": {"init_cfg": {"type": "Pretrained", "checkpoint": checkpoint}}},
        }

    (tmp_path / "there.pth").touch()
    for fine in (str(tmp_path / "there.pth"), "torchvision://resnet50", "https://somewhere/weights.pth"):
        checks.check_pretrained(model(fine))
    with pytest.raises(FileNotFoundError, match=r"'gone.pth' of model.segmentor.backbone.init_cfg are missing: put"):
        checks.check_pretrained(model("gone.pth"))
    with pytest.raises(
        FileNotFoundError, match=r"'gone.pth' of model.init_cfg\[1\] are missing.*set model.init_cfg=None"
    ):
        checks.check_pretrained({"init_cfg": [{"type": "Normal"}, {"type": "Pretrained", "checkpoint": "gone.pth"}]})
    for name, command in (("efficientnet-lite0", ""), ("mobilenetv2", " --network mobilenetv2")):
        with pytest.raises(FileNotFoundError, match=rf"are missing: run mmseg-css data weights{command}$"):
            checks.check_pretrained(model(f"nowhere/{name}_stride-16.pth"))
