"""What happened to the images that a network learnt, and what happens to those that it is used with."""

from typing import Any

import pytest
from mmengine.config import Config
from mmseg.models import SegDataPreProcessor

from mmseg_css.engine import preprocessing


def noted(**settings: object) -> dict:
    """The checkpoint of a run with this preprocessor."""
    prepare = SegDataPreProcessor(**settings)
    return {"meta": {"mmseg_css": {"run": {preprocessing.PREPROCESSING: preprocessing.preprocessing_of(prepare)}}}}


NORMALISED: dict[str, Any] = {"mean": [127.0] * 3, "std": [128.0] * 3, "bgr_to_rgb": True}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean": [0.0] * 3}, r"mean was \[127\.0, 127\.0, 127\.0\], and is \[0\.0, 0\.0, 0\.0\]"),
        ({"std": [1.0] * 3}, "std was"),
        ({"bgr_to_rgb": False}, "channels turned was True, and is False"),
        ({"mean": None, "std": None}, r"and is \[0\.0\]"),
    ],
)
def test_other_pictures_than_were_learnt_are_refused(changes: dict[str, Any], said: str) -> None:
    checkpoint = noted(**NORMALISED)
    preprocessing.check_preprocessing(SegDataPreProcessor(**NORMALISED, pad_val=3), checkpoint)
    preprocessing.check_preprocessing(SegDataPreProcessor(), {"meta": {}})  # older ones do not say
    with pytest.raises(ValueError, match=rf"iter_1\.pth was trained on images normalised in another way: .*{said}"):
        preprocessing.check_preprocessing(SegDataPreProcessor(**{**NORMALISED, **changes}), checkpoint, "iter_1.pth")
    with pytest.raises(ValueError, match=r"mean was \[0\.0\]"):
        preprocessing.check_preprocessing(SegDataPreProcessor(**NORMALISED), noted())
    with pytest.raises(ValueError, match="channels turned was False, and is True"):
        preprocessing.check_preprocessing(SegDataPreProcessor(bgr_to_rgb=True), noted())


def test_the_same_in_other_words_is_the_same() -> None:
    for one, other in (
        (NORMALISED, {**NORMALISED, "mean": [127.0004] * 3}),
        ({"mean": [127.0] * 3, "std": [128.0] * 3}, {"mean": [127.0], "std": [128.0]}),
        ({}, {"mean": [0.0], "std": [1.0]}),
    ):
        preprocessing.check_preprocessing(SegDataPreProcessor(**other), noted(**one))
        preprocessing.check_preprocessing(SegDataPreProcessor(**one), noted(**other))


def config_of(*steps: dict) -> Config:
    pipeline = [{"type": "LoadImageFromFile"}, *steps, {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]
    dataset = {"type": "BaseSegDataset", "data_prefix": {}, "pipeline": pipeline}
    return Config({f"{part}_dataloader": {"dataset": dataset} for part in ("val", "test")})


def test_other_steps_than_those_of_the_validation_are_said() -> None:
    resize, stretch = {"type": "Resize", "scale": (64, 32)}, {"type": "StretchTo8Bit", "low": 3, "high": 9}
    checkpoint = {
        "meta": {"mmseg_css": {"run": {preprocessing.STEPS: preprocessing.steps_of(config_of(stretch), "val")}}}
    }
    assert preprocessing.other_steps(config_of(stretch), checkpoint) is None
    assert preprocessing.other_steps(config_of(), {"meta": {}}) is None  # older ones do not say
    assert preprocessing.other_steps(Config(), checkpoint) is None
    assert preprocessing.other_steps(config_of({"type": "TestTimeAug", "transforms": []}), checkpoint) is None
    wrapped = config_of(resize, stretch)
    wrapped.test_dataloader.dataset = {"type": "ConcatDataset", "datasets": [wrapped.test_dataloader.dataset]}
    assert preprocessing.steps_of(wrapped) == preprocessing.steps_of(config_of(resize, stretch))
    wrapped.test_dataloader, wrapped.test_pipeline = None, [resize]
    assert preprocessing.steps_of(wrapped) == ["Resize(scale=(64, 32))"]
    dumped = {"high": 9, "low": 3, "type": "StretchTo8Bit"}  # MMEngine sorts keys
    assert preprocessing.other_steps(config_of(dumped), checkpoint) is None
    said = preprocessing.other_steps(config_of(resize, {**stretch, "low": 4}), checkpoint, "iter_1.pth") or ""
    assert said.startswith("images go through Resize(scale=(64, 32)), StretchTo8Bit(high=9, low=4) here")
    assert "iter_1.pth was validated with went through StretchTo8Bit(high=9, low=3): unless that is meant" in said
