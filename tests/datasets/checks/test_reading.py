"""What fails on one image says which, whoever reads it: paired data, plain data, in a worker or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.runner import Runner
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image

from mmseg_css.preparation.own_data.survey import survey
from tests.datasets.helpers import AUGMENT, LOAD, labeled_config, unlabeled_config, write_image, write_mask

NAME = "frame 04.png"


@TRANSFORMS.register_module()
class Stumbles(BaseTransform):
    """Fails on one image, as a transform does that divides by a size, say."""

    def transform(self, results: dict) -> dict:
        if results["img_path"].endswith(NAME):
            raise ZeroDivisionError("a step too small")
        return results


@TRANSFORMS.register_module()
class Relabels(BaseTransform):
    """Makes a label that is none, as a rotation with another padding does."""

    def transform(self, results: dict) -> dict:
        if results["img_path"].endswith(NAME):
            results["gt_seg_map"][0, 0] = 77
        return results


def loader(dataset: dict, workers: int = 0, **changes: object) -> torch.utils.data.DataLoader:
    sampler = {"type": "DefaultSampler", "shuffle": False}
    return Runner.build_dataloader(
        {"batch_size": 1, "num_workers": workers, "sampler": sampler, "dataset": dataset, **changes}
    )


@pytest.mark.parametrize("workers", [0, 1])
def test_plain_data(root: Path, workers: int) -> None:
    pipeline = [*LOAD, {"type": "LoadAnnotations"}, {"type": "Stumbles"}, *AUGMENT]
    with pytest.raises(
        RuntimeError, match=r"Stumbles failed on the image '.*frame 04\.png': ZeroDivisionError: a step"
    ):
        list(loader(labeled_config(root, pipeline=pipeline), workers))


@pytest.mark.parametrize("wrapper", ["ConcatDataset", "RepeatDataset"])
def test_wrapped_data(root: Path, wrapper: str) -> None:
    inner = labeled_config(root, pipeline=[*LOAD, {"type": "Stumbles"}])
    config = {"datasets": [inner]} if wrapper == "ConcatDataset" else {"dataset": inner, "times": 2}
    with pytest.raises(RuntimeError, match=r"Stumbles failed on the image '.*frame 04\.png'"):
        list(loader({"type": wrapper, **config}))


@pytest.mark.parametrize("part", ["labeled", "unlabeled"])
def test_both_halves_of_paired_data(root: Path, part: str) -> None:
    parts = {"labeled": labeled_config(root), "unlabeled": unlabeled_config(root)}
    parts[part]["pipeline"] = [*parts[part]["pipeline"][:-1], {"type": "Stumbles"}, AUGMENT[-1]]
    dataset = DATASETS.build({"type": "PairedDataset", **parts})
    with pytest.raises(
        RuntimeError, match=r"Stumbles failed on the image '.*frame 04\.png': ZeroDivisionError: a step"
    ):
        list(map(dataset.__getitem__, range(20)))


@pytest.mark.parametrize("paired", [True, False])
def test_a_label_that_a_transform_made(root: Path, paired: bool) -> None:
    config = labeled_config(root, pipeline=[*LOAD, {"type": "LoadAnnotations"}, {"type": "Relabels"}, AUGMENT[-1]])
    built = {"type": "PairedDataset", "labeled": config, "unlabeled": unlabeled_config(root)}
    dataset = DATASETS.build(built) if paired else loader(config).dataset
    message = r"made the labels \[77\] of the mask '.*masks/.*frame 04\.png' .*neither one of the 2 classes.*\(255\)"
    with pytest.raises(ValueError, match=message):
        list(map(dataset.__getitem__, range(10)))


def test_test_time_augmentation(root: Path) -> None:
    steps = [[{"type": "RandomFlip", "prob": 0.0}, {"type": "RandomFlip", "prob": 1.0}], [{"type": "LoadAnnotations"}]]
    augmented = {"type": "TestTimeAug", "transforms": [*steps, [{"type": "Relabels"}], [{"type": "PackSegInputs"}]]}
    with pytest.raises(ValueError, match=r"made the labels \[77\] of the mask '.*frame 04\.png'"):
        list(loader(labeled_config(root, pipeline=[*LOAD, augmented])))


def test_sound_data_come_as_they_would(root: Path) -> None:
    """The ignored value, too, is no fault, and the samples are those of MMSeg."""
    write_mask(root / "masks/town 0" / NAME, np.full((16, 16), 255, np.uint8))
    config = labeled_config(root, pipeline=[*LOAD, {"type": "LoadAnnotations"}, AUGMENT[-1]])
    plain = BaseSegDataset(**{key: value for key, value in config.items() if key != "type"})
    for own, theirs in zip(loader(config).dataset, plain, strict=True):
        assert torch.equal(own["inputs"], theirs["inputs"])
        assert torch.equal(own["data_samples"].gt_sem_seg.data, theirs["data_samples"].gt_sem_seg.data)


# -- worker processes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paired", [True, False])
def test_without_workers(root: Path, paired: bool) -> None:
    """`num_workers=0`, the first thing to try when loading fails, beside what the configs set for workers."""
    config, changes = labeled_config(root), {}
    if paired:
        config = {"type": "PairedDataset", "labeled": config, "unlabeled": unlabeled_config(root)}
        changes = {"sampler": {"type": "PairedSampler"}, "batch_size": 2, "collate_fn": {"type": "paired_collate"}}
    assert next(iter(loader(config, 0, persistent_workers=True, prefetch_factor=4, **changes)))


def test_workers_stay_as_they_are_set(root: Path) -> None:
    built = loader(labeled_config(root), 1, persistent_workers=True, prefetch_factor=3)
    assert (built.num_workers, built.persistent_workers, built.prefetch_factor) == (1, True, 3)


def test_the_config_is_left_alone(root: Path) -> None:
    """The Runner dumps it, and builds from it again."""
    config = {"batch_size": 1, "num_workers": 0, "persistent_workers": True, "dataset": labeled_config(root)}
    config["sampler"] = {"type": "DefaultSampler", "shuffle": False}
    Runner.build_dataloader(config)
    assert config["persistent_workers"] is True


# -- odd sizes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 16), (16, 1)])
def test_images_of_one_pixel(root: Path, size: tuple[int, int]) -> None:
    write_image(root / "images/town 0" / NAME, size)
    write_mask(root / "masks/town 0" / NAME, np.zeros(size, np.uint8))
    parts = {"labeled": labeled_config(root), "unlabeled": unlabeled_config(root)}
    message = rf"frame 04\.png' is {size[1]}x{size[0]} \(width x height\), and of a mask of one pixel"
    with pytest.raises(ValueError, match=message):
        DATASETS.build({"type": "PairedDataset", **parts})
    with pytest.raises(ValueError, match=rf"(?s)frame 04\.png': it is {size[1]}x{size[0]} \(width x height\), and of"):
        survey(root / "images", root / "masks")


@pytest.mark.parametrize("part", ["images", "masks"])
def test_far_too_large(root: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Pillow calls it a decompression bomb, which is none of its usual errors."""
    side = 40
    for folder in ("images", "masks") if part == "images" else ["masks"]:
        Image.new("RGB" if folder == "images" else "L", (side, side)).save(root / folder / "town 0" / NAME)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # twice that is an error
    with pytest.raises(ValueError, match=r"(?s)frame 04\.png'.*exceeds limit.*cut image and mask into tiles"):
        survey(root / "images", root / "masks")
    if part == "images":
        parts = {"labeled": labeled_config(root), "unlabeled": unlabeled_config(root)}
        with pytest.raises(ValueError, match=r"(?s)frame 04\.png'.*exceeds limit.*cut image and mask into tiles"):
            DATASETS.build({"type": "PairedDataset", **parts})


# -- what a data set takes one of -------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["labeled", "unlabeled"])
@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"data_prefix": {"img_path": ["images", "more"]}}, r"data_prefix\['img_path'\]"),
        ({"ann_file": ["a.txt", "b.txt"]}, "ann_file"),
    ],
)
def test_lists_of_folders(root: Path, part: str, changes: dict, key: str) -> None:
    parts = {"labeled": labeled_config(root), "unlabeled": unlabeled_config(root)}
    parts[part].update(changes)
    with pytest.raises(TypeError, match=rf"{key} is a list, .*ConcatDataset.*around them"):
        DATASETS.build({"type": "PairedDataset", **parts})
    with pytest.raises(TypeError, match=rf"{key} is a list, .*ConcatDataset.*around them"):
        loader(parts[part])


def test_several_folders_as_the_error_says(root: Path) -> None:
    towns = [unlabeled_config(root, data_prefix={"img_path": f"images/town {town}"}) for town in range(2)]
    unlabeled = {"type": "ConcatDataset", "datasets": towns}
    dataset = DATASETS.build({"type": "PairedDataset", "labeled": labeled_config(root), "unlabeled": unlabeled})
    assert dataset.num_unlabeled == 10
    assert dataset[19].sample["data_samples"].img_path.endswith("town 1/frame 09.png")
