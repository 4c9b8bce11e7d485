"""Classes of the left and of the right: said where a mirror mixes them up, and exchanged where init writes configs."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmseg_css.datasets import checks
from mmseg_css.registry import DATASETS
from tests.datasets.checks.before_the_start.helpers import METHODS, config, labeled_of, run
from tests.datasets.helpers import labeled_config, write_mask

ARMS = {"classes": ("left arm", "right arm"), "palette": [[0, 0, 0], [255, 255, 255]]}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(checks.sides, "warn", found.append)
    return found


@pytest.mark.parametrize(
    ("classes", "pairs"),
    [
        (["Left-arm", "Right-arm", "hat"], [(0, 1)]),
        (["hand_R", "hand_L"], [(1, 0)]),
        (["upperLeftArm", "upperRightArm"], [(0, 1)]),
        (["left", "right"], [(0, 1)]),
        (["LINE LEFT", "line right", "left line"], [(0, 1)]),
        (["left shoe", "right boot"], []),  # two things
        (["left ärmel", "right armel"], []),
        (["l", "r"], []),  # of a letter alone nothing is known
        (["L1", "R1", "C1"], []),  # nor of one beside a number: coils and resistors
        (["LHand", "RHand"], [(0, 1)]),
        (["left of right", "right of left"], []),
        (["bright", "leftover"], []),
    ],
)
def test_which_classes_a_mirror_exchanges(classes: list[str], pairs: list[tuple[int, int]]) -> None:
    assert checks.mirrored(classes) == pairs


def with_sides(root: Path, method: str) -> dict:
    cfg = config(root, method)
    for dataset in (labeled_of(cfg), cfg["val_dataloader"]["dataset"]):
        dataset["metainfo"] = ARMS
    return cfg


@pytest.mark.parametrize("method", METHODS)
def test_mirrored_labels_are_named(root: Path, said: list[str], method: str) -> None:
    run(with_sides(root, method), "train")
    message = said[0]  # another is of CSS's strong view
    assert "left arm and right arm" in message and "swap_seg_labels=[[0, 1]]" in message
    assert len(said) == (2 if method == "css" else 1)


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ({"type": "RandomFlip", "prob": 0.5}, True),
        ({"type": "RandomFlip", "prob": 0.0}, False),
        ({"type": "RandomFlip", "prob": [0.3, 0.5], "direction": ["horizontal", "vertical"]}, True),
        ({"type": "RandomFlip", "prob": [0.0, 0.5], "direction": ["horizontal", "diagonal"]}, False),  # a half turn
        ({"type": "RandomFlip", "prob": 0.5, "swap_seg_labels": [[0, 1]]}, False),
        ({"type": "RandomRotFlip", "rotate_prob": 0.5, "flip_prob": 0.5}, True),
        ({"type": "RandomRotFlip", "rotate_prob": 0.5, "flip_prob": 0.0}, False),
        ({"type": "RandomChoice", "transforms": [[{"type": "RandomFlip", "prob": 0.5}]] * 2}, True),
    ],
)
def test_what_mirrors(root: Path, said: list[str], step: dict, wrong: bool) -> None:
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, step, {"type": "PackSegInputs"}]
    dataset = DATASETS.build(labeled_config(root / "train", metainfo=ARMS, pipeline=pipeline))
    checks.check_masks(dataset)
    assert len(said) == wrong
    checks.check_set(dataset, checks.EVALUATION)
    assert len(said) == wrong  # of a test nothing is learnt


@pytest.mark.parametrize("method", METHODS)
def test_the_remedies_silence_it(root: Path, said: list[str], method: str) -> None:
    cfg = with_sides(root, method)
    flip = next(step for step in labeled_of(cfg)["pipeline"] if step["type"] == "RandomFlip")
    flip["swap_seg_labels"] = [[1, 0]]
    if method == "css":
        cfg["model"]["augmentation"]["flip_probability"] = 0.5
        run(cfg, "train")
        (message,) = said
        assert "set model.augmentation.flip_probability=0" in message
        said.clear()
        cfg = with_sides(root, method)
        cfg["experiment_name"] += " again"
        dataset = labeled_of(cfg)
        dataset["pipeline"] = [step for step in dataset["pipeline"] if step["type"] != "RandomFlip"]
        cfg["model"]["augmentation"]["flip_probability"] = 0
    run(cfg, "train")
    assert not said


def test_what_is_advised_exchanges_them(tmp_path: Path) -> None:
    """A left half of class 0: mirrored, the left half is still of class 0."""
    init_default_scope("mmseg")
    labels = np.repeat([[0] * 8 + [1] * 8], 16, axis=0).astype(np.uint8)
    dataset = DATASETS.build(
        labeled_config(
            tmp_path / "one",
            metainfo=ARMS,
            lazy_init=True,
            pipeline=[
                {"type": "LoadAnnotations"},
                {"type": "RandomFlip", "prob": 1.0, "swap_seg_labels": [[0, 1]]},
            ],
        )
    )
    write_mask(tmp_path / "mask.png", labels)
    picture = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    results = {"img": picture, "seg_map_path": str(tmp_path / "mask.png"), "seg_fields": [], "label_map": None}
    mirrored = dataset.pipeline({**results, "reduce_zero_label": False})
    np.testing.assert_array_equal(mirrored["img"], picture[:, ::-1])
    np.testing.assert_array_equal(mirrored["gt_seg_map"], labels)
