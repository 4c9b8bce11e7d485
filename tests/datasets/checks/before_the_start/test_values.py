"""Images whose values are not those of 8 bits, of which a strong view would cut most off."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform

from mmseg_css.registry import TRANSFORMS
from tests.datasets.checks.before_the_start.helpers import config, run

DEEP = {"type": "LoadImageFromFile", "color_type": "unchanged"}
STRETCH = {"type": "StretchTo8Bit", "low": 0, "high": 40000}


class Hounsfield(BaseTransform):
    """Values of a CT, from -1000 on."""

    def transform(self, results: dict) -> dict:
        return results | {"img": results["img"].astype(np.float32) * 8 - 1000}


def training(root: Path, method: str, *loading: dict) -> dict:
    rng = np.random.default_rng(0)
    for path in (root / "train/images").glob("*.png"):
        cv2.imwrite(str(path), rng.integers(0, 40000, (16, 16, 3), np.uint16))
    cfg = config(root, method)
    dataset = cfg["train_dataloader"]["dataset"]
    for half in (dataset["labeled"], dataset["unlabeled"]) if "labeled" in dataset else (dataset,):
        half["pipeline"][:1] = loading
    return cfg


def test_sixteen_bits_that_stay(root: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"the unlabelled image '.*\.png' has values from \d+ to 3\d{4} behind its pipeline, .*StretchTo8Bit.*"
        r"data_check.files=False",
    ):
        run(training(root, "css", DEEP), "train")


def test_values_below_0(root: Path) -> None:
    if Hounsfield.__name__ not in TRANSFORMS:
        TRANSFORMS.register_module(module=Hounsfield)
    with pytest.raises(ValueError, match=r"has values from -\d+ to \d+ behind its pipeline"):
        run(training(root, "css", {"type": "LoadImageFromFile"}, {"type": "Hounsfield"}), "train")


@pytest.mark.parametrize(
    ("method", "loading"), [("css", [DEEP, STRETCH]), ("css", [{"type": "LoadImageFromFile"}]), ("supervised", [DEEP])]
)
def test_what_is_stretched_or_has_no_strong_view(root: Path, method: str, loading: list[dict]) -> None:
    run(training(root, method, *loading), "train")


def test_a_step_is_the_same_as_without_the_look(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws from no generator of the training."""
    drawn: list[list[float]] = []
    monkeypatch.setattr("mmengine.hooks.Hook.before_train", lambda *_: drawn.append([*np.random.rand(2)]))
    for files in (True, False):
        cfg = training(root, "css", {"type": "LoadImageFromFile"})
        cfg["default_hooks"]["data_check"]["files"] = files
        cfg["randomness"] = {"seed": 5}
        run(cfg, "train")
    assert drawn[0] == drawn[len(drawn) // 2]
