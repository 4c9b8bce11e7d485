"""Settings of the strong views and of the losses that cannot work: refused when a model is built, with their key."""

import re
from typing import Any

import pytest

from mmseg_css.models import StrongAugmentation, StrongView
from mmseg_css.models.losses import (
    CosineConsistencyLoss,
    MaskedPseudoLabelLoss,
    PixelContrastLoss,
    PrototypeContrastLoss,
    PseudoLabelLoss,
)
from mmseg_css.registry import MODELS
from tests.models.helpers import PREPROCESSOR, css_config
from tests.models.methods.helpers import config

RANGE = "must be a range (low, high) with 0 < low <= high, got"


@pytest.mark.parametrize("kind", [StrongAugmentation, StrongView])
@pytest.mark.parametrize("sigma", [1.0, (2.0, 0.1), (-1.0, 0.5), (0.0, 1.0), (1.0,)])
def test_ranges_of_the_blur(kind: type, sigma: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(f"model.augmentation.blur_sigma {RANGE} {sigma!r}")):
        kind(blur_sigma=sigma)


@pytest.mark.parametrize("scale", [1.0, (1.5, 0.5), (0.0, 1.0)])
def test_ranges_of_the_scale(scale: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(f"model.augmentation.scale {RANGE} {scale!r}")):
        StrongAugmentation(scale=scale)


@pytest.mark.parametrize("crop", [512, (512,), (0, 32), (32.5, 32), "512"])
def test_a_crop_is_height_and_width(crop: Any) -> None:
    said = f"model.augmentation.crop must be (height, width), two positive whole numbers, or None; got {crop!r}"
    with pytest.raises(ValueError, match=re.escape(said)):
        StrongAugmentation(crop=crop)


@pytest.mark.parametrize("area", [0.0, 1.0, 1.5])
def test_a_box_is_a_part_of_the_image(area: float) -> None:
    with pytest.raises(ValueError, match=rf"model.augmentation.box_area must lie in \(0, 1\), got {area}"):
        StrongAugmentation(box_area=area)


def test_lists_are_ranges_as_tuples_are() -> None:
    """As config files in JSON and YAML have them."""
    assert StrongAugmentation(crop=[32, 48], scale=[0.5, 1], blur_sigma=[0.1, 1]).moves_pixels


@pytest.mark.parametrize(
    ("loss", "place"),
    [
        (PseudoLabelLoss, "pseudo_label_loss"),
        (MaskedPseudoLabelLoss, "pseudo_label_loss"),
        (PrototypeContrastLoss, "contrast_loss"),
        (PixelContrastLoss, "contrast_loss"),
        (CosineConsistencyLoss, "consistency_loss"),
    ],
)
def test_a_loss_that_would_be_made_larger(loss: type, place: str) -> None:
    with pytest.raises(ValueError, match=rf"model.{place}.loss_weight must not be negative, got -1.0"):
        loss(loss_weight=-1.0)


@pytest.mark.parametrize("key", ["strong_weight", "feature_weight"])
def test_a_view_that_would_be_unlearnt(key: str) -> None:
    with pytest.raises(ValueError, match=rf"model.{key} must not be negative, got -0.5"):
        MODELS.build(config("unimatch", **{key: -0.5}))


def test_a_contrast_that_would_grow() -> None:
    with pytest.raises(ValueError, match=r"model.contrast_loss.ramp_mult must not be positive, got 5.0: .* falls as"):
        PrototypeContrastLoss(ramp_mult=5.0)


@pytest.mark.parametrize("method", ["css", "fixmatch"])
@pytest.mark.parametrize("mean", [20000.0, -400.0])
def test_pictures_of_other_than_8_bits(method: str, mean: float) -> None:
    with pytest.raises(
        ValueError, match=rf"model.data_preprocessor.mean=\[{mean}\] lies outside of 0..255, .*StretchTo8Bit"
    ):
        MODELS.build(config(method, data_preprocessor={**PREPROCESSOR, "mean": [mean]}))


def test_supervision_by_prototypes_that_no_confidence_reaches() -> None:
    """Of 3 classes at T = 0.5 none is above e^2 / (e^2 + 2 e^-2) = 0.9647."""
    cross = {"strategy": "cross", "cross_warmup": 10}
    with pytest.raises(
        ValueError,
        match=r"model.pseudo_label_loss.threshold=0.97 is above 0.964\d, the highest confidence .* of 3 classes "
        r"at model.temperature=0.5.*: lower the threshold .* model.confidence_decay",
    ):
        MODELS.build(css_config(**cross))
    for fitting in (
        {"pseudo_label_loss": {"type": "MaskedPseudoLabelLoss", "threshold": 0.96}},
        {"temperature": 0.3},
        {"confidence_decay": 0.97},
        {"strategy": "mix", "cross_warmup": 0},
    ):
        MODELS.build(css_config(**{**cross, **fitting}))


@pytest.mark.parametrize("warmup", [0.3, -1, True])
def test_a_warmup_counts_iterations(warmup: Any) -> None:
    with pytest.raises(ValueError, match=rf"model.cross_warmup .* a whole number of iterations, got {warmup}"):
        MODELS.build(css_config(strategy="cross", temperature=0.3, cross_warmup=warmup))


def test_a_warmup_of_another_strategy() -> None:
    with pytest.raises(ValueError, match="model.cross_warmup=100 is about strategy='cross', and it is 'mix'"):
        MODELS.build(css_config(cross_warmup=100))
