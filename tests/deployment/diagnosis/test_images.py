"""The images that a diagnosis looks at, in batches as in training."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from torch.utils.data import DataLoader

from mmseg_css.deployment.diagnosis.images import as_labelled_in_training, batch_without_rest
from tests.datasets.helpers import LOAD, unlabeled_config, write_image


@pytest.mark.parametrize(
    ("sampler", "paired", "expected"),
    [
        ({"ratio": (1, 1)}, True, 6),
        ({}, True, 6),
        ({"ratio": (1, 2)}, True, 8),
        ({"ratio": (3, 1)}, True, 3),
        ({"ratio": (11, 1)}, True, 2),  # one image has no statistics
        ({}, False, 12),
    ],
)
def test_a_batch_is_what_a_step_labels(sampler: dict, paired: bool, expected: int) -> None:
    train = {"batch_size": 12, "sampler": sampler, "dataset": {"unlabeled": {}} if paired else {}}
    cfg = Config({"train_dataloader": train, "test_dataloader": {"num_workers": 0}})
    assert as_labelled_in_training(DataLoader([*range(120)]), cfg).batch_size == expected


def test_images_of_several_sizes_have_no_statistics_in_common(tmp_path: Path) -> None:
    for name, size in (("square", (16, 16)), ("wide", (16, 24))):
        write_image(tmp_path / "images" / f"{name}.png", size=size)
    init_default_scope("mmseg")
    dataset = DATASETS.build(unlabeled_config(tmp_path, pipeline=[*LOAD, {"type": "PackSegInputs"}]))
    cfg = Config({"train_dataloader": {"batch_size": 4, "dataset": {}}, "test_dataloader": {"num_workers": 0}})
    with pytest.raises(ValueError, match=r"--training-mode takes statistics of batches, and .*16x16 .*16x24"):
        as_labelled_in_training(DataLoader(dataset), cfg)


def test_a_config_without_a_training_labels_nothing_as_in_training() -> None:
    with pytest.raises(ValueError, match="--training-mode: None has no train_dataloader"):
        as_labelled_in_training(DataLoader([*range(4)]), Config({"test_dataloader": {"num_workers": 0}}))


def test_no_image_is_left_alone() -> None:
    for images in range(2, 40):
        for batch in range(2, 12):
            found = batch_without_rest(images, batch)
            assert images % found != 1
            assert all(images % smaller == 1 for smaller in range(batch, found))
    with pytest.raises(ValueError, match="there is one image"):
        batch_without_rest(1, 4)
