"""Settings of the methods that cannot work, in words; and a step that waits for no device."""

from typing import Any

import pytest
import torch

from mmseg_css.registry import MODELS
from tests.models.helpers import batch_of, random_images, random_labels
from tests.models.methods.helpers import METHODS, PLAIN, TEACHER, build, config
from tests.models.test_no_waiting import _what_has_no_meta_device, step


@pytest.mark.parametrize(
    ("method", "changes", "said"),
    [
        (
            "fixmatch",
            {"labeller": "teacher"},
            r"model.labeller='teacher' needs a teacher: .*decay=0.996, mode='eval', buffers='average'",
        ),
        ("fixmatch", {"labeller": "both"}, "model.labeller must be one of teacher, student; got 'both'"),
        ("fixmatch", {"predict_on": "teacher"}, "model.predict_on='teacher' needs a teacher"),
        ("cps", {"predict_on": "peer"}, "model.predict_on must be one of teacher, student; got 'peer'"),
        ("unimatch", {"rampup": 2.0}, r"model.rampup is a share of the training: it must lie in \[0, 1\], got 2.0"),
        ("unimatch", {"augmentation": {"type": "StrongView", "boxes": "two"}}, "augmentation.boxes must be one of"),
        ("unimatch_v2", {"augmentation": {"type": "StrongView", "partner": "me"}}, "augmentation.partner must be one"),
        (
            "unimatch",
            {"augmentation": {"type": "StrongView", "blur_probability": 50}},
            r"blur_probability must lie in \[",
        ),
        ("unimatch", {"dropped": 1.0}, r"model.dropped must lie in \[0, 1\), got 1.0"),
        ("unimatch_v2", {"data_preprocessor": {"type": "SemiDataPreprocessor"}}, "has no mean and std"),
    ],
)
def test_what_cannot_work_in_words(method: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MODELS.build(config(method, **changes))


@pytest.mark.parametrize("missing", ["augmentation", "pseudo_label_loss"])
@pytest.mark.parametrize("method", ["fixmatch", "unimatch", "unimatch_v2"])
def test_a_missing_part_is_named(method: str, missing: str) -> None:
    incomplete = config(method)
    del incomplete[missing]
    with pytest.raises(TypeError, match=missing):
        MODELS.build(incomplete)


@pytest.mark.parametrize("method", PLAIN)
def test_misspelt_keyword_is_an_error(method: str) -> None:
    with pytest.raises(TypeError, match="strong_wieght"):
        MODELS.build(config(method, strong_wieght=1.0))


@pytest.mark.parametrize("method", METHODS)
def test_single_output_in_words(method: str) -> None:
    with pytest.raises(ValueError, match="num_classes=2 and out_channels=1; .* set num_classes=2, out_channels=2"):
        MODELS.build(config(method, head={"num_classes": 2, "out_channels": 1, "threshold": 0.5}))


@pytest.mark.parametrize("method", ["fixmatch", "unimatch", "cps"])
def test_halves_of_two_sizes_in_words(method: str) -> None:
    model = build(method)
    batch = batch_of(random_images(0, 2, 3, (32, 32)), random_labels(1, 2, (32, 32)), random_images(2, 2, 3, (16, 16)))
    with pytest.raises(ValueError, match=r"labelled images have \(32, 32\) pixels and unlabelled ones \(16, 16\)"):
        model.loss(*batch)


@pytest.mark.parametrize("method", ["mean_teacher", "unimatch_v2", "cps_cutmix"])
def test_halves_that_pass_apart_may_differ(method: str) -> None:
    """In size and in number."""
    batch = batch_of(random_images(0, 2, 3, (32, 32)), random_labels(1, 2, (32, 32)), random_images(2, 3, 3, (16, 16)))
    total, _ = (model := build(method)).parse_losses(model.loss(*batch))
    assert torch.isfinite(total)


def test_the_average_of_the_student_may_predict_without_labelling() -> None:
    model = build("unimatch", teacher=TEACHER)
    assert model.predictor is model.teacher.model
    model = build("unimatch", teacher=TEACHER, predict_on="student")
    assert model.predictor is model.student


@pytest.mark.usefixtures(_what_has_no_meta_device.__name__)
@pytest.mark.parametrize("method", METHODS)
def test_a_step_reads_nothing_back_from_its_device(method: str) -> None:
    step(config(method))
