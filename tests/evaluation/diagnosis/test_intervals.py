"""Intervals of a summary, against the quantities of the drawn images' pixels."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from mmseg_css.evaluation.diagnosis import summary
from mmseg_css.evaluation.diagnosis.resampling import resampled
from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import CLASS_BINS, IMAGE_BINS, InspectedImage, Tally
from mmseg_css.types import PseudoLabel
from tests.evaluation.diagnosis.looks import CASES, CLASSES, HARD, RADIUS, THRESHOLD, K, flat, looks
from tests.reference import diagnosis as reference

DRAWS, IMAGES = 40, 6
EXACT = 1e-12  # values lie on the centres of bins, so that bins hide nothing


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "resampled", partial(resampled, draws=DRAWS))


def on_centres(values: torch.Tensor, bins: int) -> torch.Tensor:
    return ((values * bins).floor().clamp(0, bins - 1) + 0.5) / bins


def moved(one: InspectedImage) -> InspectedImage:
    """Indicators on the centres of bins."""
    own = {
        name: labelling._replace(
            indicators={key: on_centres(values, CLASS_BINS) for key, values in labelling.indicators.items()}
        )
        for name, labelling in one.labellings.items()
    }
    return one._replace(labellings=own)


def told(looked: list[InspectedImage], block: int, num_classes: int = K) -> dict[str, Any]:
    tally = Tally(num_classes=num_classes, threshold=THRESHOLD, hard=HARD, radius=RADIUS)
    for one in looked:
        tally.add(one)
    return summarise(tally, CLASSES[:num_classes], "logit", block=block)


def drawn_images(number: int, block: int) -> list[np.ndarray]:
    """The images of each draw, as often as they were drawn."""
    weights = resampled({"pixels": np.zeros((number, 1))}, block=block, draws=DRAWS).weights[1:]
    return [np.repeat(np.arange(number), np.repeat(own, block)[:number]) for own in weights]


def assert_interval(found: Mapping[str, Any], draws: list[np.ndarray], of: Callable[[np.ndarray], float]) -> None:
    values = np.array([of(images) for images in draws])
    values = values[np.isfinite(values)]
    expected = np.quantile(values, (0.025, 0.975)) if len(values) else [np.nan, np.nan]
    assert found["interval"] == pytest.approx(list(expected), abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("special", [*CASES])
def test_indicators(special: str, block: int) -> None:
    """Over all pixels, by class, and in the mean of the classes; some draws lack a class, or its wrong pixels."""
    looked = [moved(one) for one in looks(3, special, IMAGES)]
    found = told(looked, block)["indicators"]["pseudo"]["label_wrong"]["similarity"]
    own = [one.labellings["pseudo"] for one in looked]
    kept = [one.known.numpy() & reference.is_class(one.labels.numpy(), K) for one in own]
    labels, values, wrong = (
        [of(one)[there] for one, there in zip(own, kept, strict=True)]
        for of in (
            lambda one: one.labels.numpy(),
            lambda one: one.indicators["similarity"].numpy(),
            lambda one: one.targets["label_wrong"].numpy(),
        )
    )

    def of_class(measure: Callable, images: np.ndarray, index: int | None) -> float:
        values_, wrong_, labels_ = (flat([part[image] for image in images]) for part in (values, wrong, labels))
        there = np.ones(len(labels_), bool) if index is None else labels_ == index
        return measure(values_[there], wrong_[there].astype(bool), EXACT).low

    draws = drawn_images(IMAGES, block)
    for name, measure in (("auroc", reference.auroc), ("average_precision", reference.average_precision)):
        assert_interval(found[name], draws, lambda images, m=measure: of_class(m, images, None))
        for index, of in enumerate(CLASSES):
            assert_interval(
                found[f"{name}_classes"][of], draws, lambda images, m=measure, i=index: of_class(m, images, i)
            )
        assert_interval(
            found[f"{name}_macro"],
            draws,
            lambda images, m=measure: reference.mean([of_class(m, images, index) for index in range(K)]),
        )


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("special", [*CASES])
def test_sizes_of_parts(special: str, block: int) -> None:
    """What is small is settled by all images, not by those that are drawn."""
    looked = looks(5, special, IMAGES)
    told_of = told(looked, block)
    truths = [one.truth.numpy() for one in looked]
    size = [own.reshape(truth.shape) for own, truth in zip(reference.sizes(truths, K), truths, strict=True)]
    label = [one.sources["mix"].label.numpy() for one in looked]

    def pixels(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return tuple(flat([part[image] for image in images]) for part in (truths, size, label))

    def precision(images: np.ndarray, index: int) -> float:
        truth, own, said = pixels(images)
        return reference.share(said == truth, (own == index) & reference.is_class(said, K))

    def recall(images: np.ndarray, index: int, of_class: int) -> float:
        truth, own, said = pixels(images)
        return reference.share(said == truth, (own == index) & (truth == of_class) & reference.is_class(said, K))

    def agreed_wrong(images: np.ndarray, index: int) -> float:
        truth, own, _ = pixels(images)
        first, second = (
            flat([looked[image].sources[name].label for image in images]) for name in ("logit", "representation")
        )
        there = (own == index) & reference.is_class(first, K) & reference.is_class(second, K)
        return reference.share((first == second) & (first != truth), there)

    draws = drawn_images(IMAGES, block)
    for index, name in enumerate(reference.SIZES):
        own = told_of["sources"]["mix"]["regions"][name]
        assert_interval(own["precision"], draws, lambda images, i=index: precision(images, i))
        for number, of_class in enumerate(CLASSES):
            assert_interval(
                own["classes"][of_class]["recall"], draws, lambda images, i=index, k=number: recall(images, i, k)
            )
        cells = told_of["spaces"]["regions"][name]
        assert_interval(cells["agree_wrong"], draws, lambda images, i=index: agreed_wrong(images, i))


def test_calibration_error() -> None:
    """Of images with two levels of confidence in each of 15 bins of equal mass, and errors of their own."""
    levels, each = 30, 10
    rng = np.random.default_rng(0)
    confidence = np.repeat((np.arange(levels) + levels + 0.5) / IMAGE_BINS, each).astype(np.float32)
    shares = rng.random((IMAGES, levels))
    right = [np.arange(levels * each) % each < np.repeat(np.rint(each * own), each) for own in shares]
    truth = torch.zeros(1, levels * each, dtype=torch.long)
    looked = [
        InspectedImage(
            truth, {"logit": PseudoLabel(torch.from_numpy(~own).long()[None], torch.from_numpy(confidence)[None])}, {}
        )
        for own in right
    ]
    found = told(looked, 1, num_classes=2)["sources"]["logit"]["calibration"]["ece"]

    def error(images: np.ndarray) -> float:
        return reference.calibration_error(
            np.tile(confidence, len(images)), flat([right[image] for image in images]), 15
        )

    draws = drawn_images(IMAGES, 1)
    shift = found["value"] - error(np.arange(IMAGES))
    assert shift == pytest.approx(0, abs=0.5 / 1000)
    values = np.array([error(images) for images in draws]) + shift
    assert found["interval"] == pytest.approx(list(np.quantile(values, (0.025, 0.975))), abs=1e-6)
