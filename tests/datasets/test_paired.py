import builtins
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.registry import DATASETS

from mmseg_css.datasets import PairedDataset, paired_collate
from mmseg_css.datasets.seeded import Draw, seeded
from tests.datasets.helpers import (
    AUGMENT,
    LOAD,
    METAINFO,
    dataloader_config,
    labeled_config,
    unlabeled_config,
    write_image,
    write_list,
    write_mask,
)


@pytest.fixture
def dataset(root: Path) -> PairedDataset:
    return DATASETS.build(dataloader_config(root, "labeled.txt")["dataset"])


def test_labelled_first(dataset: PairedDataset) -> None:
    assert (dataset.num_labeled, dataset.num_unlabeled, len(dataset)) == (3, 7, 10)
    assert [sample.branch for sample in dataset] == ["labeled"] * 3 + ["unlabeled"] * 7
    assert dataset.metainfo["classes"] == METAINFO["classes"]
    dataset.full_init()
    with pytest.raises(IndexError, match="index 10 is outside of the 10 images"):
        dataset[10]
    with pytest.raises(IndexError):
        dataset[-1]


def test_takes_built_data_sets(root: Path) -> None:
    labeled = DATASETS.build(labeled_config(root, lazy_init=True))
    unlabeled = DATASETS.build(unlabeled_config(root))
    assert len(PairedDataset(labeled=labeled, unlabeled=unlabeled)) == 20


def test_takes_wrapped_data_sets(root: Path) -> None:
    repeated = {"type": "RepeatDataset", "times": 3, "dataset": labeled_config(root, ann_file="labeled.txt")}
    both = {"type": "ConcatDataset", "datasets": [repeated, labeled_config(root)]}
    dataset = PairedDataset(labeled=both, unlabeled=unlabeled_config(root))
    assert dataset.num_labeled == 3 * 3 + 10
    assert dataset.metainfo["classes"] == METAINFO["classes"]


AUGMENTATIONS = {
    "draws from numpy's": AUGMENT,
    "draws from Python's": [{"type": "RandomScale", "scale": (0.5, 2.0)}, {"type": "PackSegInputs"}],
}


@pytest.mark.parametrize("transforms", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_draw_fixes_the_augmentation_and_leaves_the_generators_alone(root: Path, transforms: list[dict]) -> None:
    dataset = PairedDataset(labeled=labeled_config(root), unlabeled=unlabeled_config(root, pipeline=LOAD + transforms))
    states = random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()
    images = [dataset[Draw(index=15, seed=seed)].sample["inputs"] for seed in (*range(20), 0)]
    assert torch.equal(images[0], images[-1])
    assert len({tuple(image.shape) for image in images}) > 1
    assert states == (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist())


GENERATORS = {
    "python": (random.seed, random.random),
    "numpy": (np.random.seed, np.random.random),
    "torch": (torch.manual_seed, lambda: torch.rand(1).item()),
}


@pytest.mark.parametrize(("seed", "draw"), GENERATORS.values(), ids=GENERATORS)
def test_a_seed_is_that_of_each_generator_and_what_is_drawn_around_it_goes_on(
    seed: Callable[[int], object], draw: Callable[[], float]
) -> None:
    seed(1)
    plain = [draw(), draw()]
    seed(1)
    around = [draw()]
    with seeded(3):
        inside = draw()
    around.append(draw())
    assert around == plain
    with seeded(3):
        assert draw() == inside
    with seeded(4):
        assert draw() != inside


def test_unlabelled_masks_are_never_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    original = builtins.open

    def spy(file, *arguments, **keywords):
        opened.append(str(file))
        return original(file, *arguments, **keywords)

    monkeypatch.setattr(builtins, "open", spy)
    dataset = DATASETS.build(dataloader_config(root, "labeled.txt")["dataset"])
    for index in range(len(dataset)):
        dataset[index]
    masks = {Path(path).stem for path in opened if "masks" in Path(path).parts}
    assert masks == {"frame 00", "frame 01", "frame 02"}


def test_collate(dataset: PairedDataset) -> None:
    batch = paired_collate([dataset[index] for index in (0, 4, 1, 5, 6)])
    assert {branch: {key: len(values) for key, values in part.items()} for branch, part in batch.items()} == {
        "labeled": {"inputs": 2, "data_samples": 2},
        "unlabeled": {"inputs": 3, "data_samples": 3},
    }
    assert all("gt_sem_seg" in sample for sample in batch["labeled"]["data_samples"])
    assert not any("gt_sem_seg" in sample for sample in batch["unlabeled"]["data_samples"])
    with pytest.raises(ValueError, match="a batch of 2 images has no unlabeled one; set sampler"):
        paired_collate([dataset[0], dataset[1]])


def test_runner_builds_it_and_workers_change_nothing(root: Path) -> None:
    def images(workers: int) -> list[torch.Tensor]:
        config = dataloader_config(root, "labeled.txt", num_workers=workers, persistent_workers=workers > 0)
        batches = list(islice(Runner.build_dataloader(config, seed=3), 5))
        assert all(len(batch["labeled"]["inputs"]) == 2 for batch in batches)
        assert all(len(batch["unlabeled"]["inputs"]) == 4 for batch in batches)
        return [image for batch in batches for part in batch.values() for image in part["inputs"]]

    alone, helped = images(0), images(2)
    assert len(alone) == len(helped) == 30
    assert all(torch.equal(first, second) for first, second in zip(alone, helped, strict=True))


@pytest.mark.parametrize("link", [False, True])
def test_a_mask_beside_its_image_is_no_unlabelled_image(tmp_path: Path, link: bool) -> None:
    """``1.png`` and ``1_mask.png`` in one folder, of which a list excludes the labelled image alone."""
    images = tmp_path / "images"
    for name in ("1", "2", "3"):
        write_image(images / f"{name}.png")
    write_mask(tmp_path / "masks" / "1_mask.png")
    (images / "1_mask.png").symlink_to(tmp_path / "masks" / "1_mask.png")
    prefix = {"img_path": "images", "seg_map_path": "masks" if link else "images"}
    listed = write_list(tmp_path / "labeled.txt", ["1"])
    labeled = labeled_config(tmp_path, ann_file=listed, data_prefix=prefix, seg_map_suffix="_mask.png")
    message = "^1 unlabelled images are masks of labelled ones, .* the first: '.*/images/1_mask.png'; move the masks"
    with pytest.raises(ValueError, match=message):
        PairedDataset(labeled=labeled, unlabeled=unlabeled_config(tmp_path, exclude=listed))
    others = write_list(tmp_path / "others.txt", ["2", "3"])
    assert PairedDataset(labeled=labeled, unlabeled=unlabeled_config(tmp_path, ann_file=others)).num_unlabeled == 2


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"type": "LoadAnnotations"}, "LoadAnnotations, but there are no masks to load"),
        ({"type": "Pad", "size": (64, 64)}, "Pad of the unlabelled pipeline pads"),
        ({"type": "RandomCrop", "crop_size": (8, 8), "cat_max_ratio": 0.75}, "cat_max_ratio=0.75"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_unlabelled_pipelines_of_any_data_set_need_no_masks(
    root: Path, transform: dict, message: str, times: int
) -> None:
    def unlabeled(*transforms: dict) -> dict:
        dataset = labeled_config(root, pipeline=[*LOAD, *transforms, *AUGMENT])
        return dataset if times == 1 else {"type": "RepeatDataset", "times": times, "dataset": dataset}

    with pytest.raises(ValueError, match=message):
        PairedDataset(labeled=labeled_config(root), unlabeled=unlabeled(transform))
    assert PairedDataset(labeled=labeled_config(root), unlabeled=unlabeled()).num_unlabeled == 10 * times
