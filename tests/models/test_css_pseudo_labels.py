"""The pseudo-labels of a CSS step, against the description of the algorithm."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mmseg_css.models import CSS
from mmseg_css.models.segmentors import Progress
from tests.models.conftest import SIZE, fill_bank, reading_batch, record
from tests.models.helpers import (
    EMBEDDING,
    NO_AUGMENTATION,
    NUM_CLASSES,
    build_css,
    build_reading_css,
    random_labels,
    samples_of,
    samples_without_masks,
)
from tests.reference import pseudo_label as reference_label

SURE = {"type": "PseudoLabelLoss", "threshold": 0.9}  # which prototypes of three classes can be, too
MASKED = {"type": "MaskedPseudoLabelLoss", "threshold": 0.9}


def spaces(model: CSS, images: Tensor, factor: float = 4.0) -> tuple[tuple, tuple]:
    """Labels and confidences of the logit space and of the representation space, from the reference."""
    return (
        reference_label.logit_pseudo_label((factor * images[:, :NUM_CLASSES]).numpy(), SIZE),
        reference_label.prototype_pseudo_label(
            images[:, NUM_CLASSES:].numpy(), model.bank.prototypes.numpy(), model.bank.seen.numpy(), SIZE
        ),
    )


@pytest.mark.parametrize("seen", [(True, True, True), (True, False, True), (False, False, False)])
@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_supervision_of_the_logit_space(strategy: str, seen: tuple[bool, ...]) -> None:
    model = build_reading_css(strategy=strategy, pseudo_label_loss=SURE)
    fill_bank(model, seen=seen)
    inputs, samples = reading_batch()
    by_logits, by_prototypes = spaces(model, inputs["unlabeled"])
    expected = {
        "mix": (reference_label.agreement(by_logits[0], by_prototypes[0]), by_logits[1]),
        "cross": by_prototypes,
        "logit": by_logits,
    }[strategy]

    step = record(model, inputs, samples)
    np.testing.assert_array_equal(step.supervision, expected[0])
    np.testing.assert_allclose(step.confidence, expected[1], atol=1e-5)
    assert step.losses["unsup.kept"].item() == pytest.approx((expected[0] != 255).mean())
    assert step.losses["unsup.agreement"].item() == pytest.approx((by_logits[0] == by_prototypes[0]).mean())
    assert step.losses["unsup.loss_pseudo_label"].item() == pytest.approx(
        reference_label.pseudo_label_loss(step.logits.numpy(), *expected, threshold=0.9), abs=1e-5
    )


def test_a_temperature_of_ones_own_sharpens_the_representation_space() -> None:
    model = build_reading_css(strategy="cross", temperature=0.2)
    fill_bank(model)
    inputs, samples = reading_batch()
    embeddings, bank = inputs["unlabeled"][:, NUM_CLASSES:].numpy(), model.bank
    label, confidence = reference_label.prototype_pseudo_label(
        embeddings, bank.prototypes.numpy(), bank.seen.numpy(), SIZE, temperature=0.2
    )
    step = record(model, inputs, samples)
    np.testing.assert_array_equal(step.supervision, label)
    np.testing.assert_allclose(step.confidence, confidence, atol=1e-5)


def means_of(label: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    return np.array([confidence[label == k].mean() for k in range(NUM_CLASSES)])


@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_confidences_beside_the_mean_ones_of_their_classes(strategy: str) -> None:
    """Those of the labels that supervise; a first step takes the means as they are, the next one blends its own in."""
    model = build_reading_css(strategy=strategy, confidence_decay=0.75, pseudo_label_loss=MASKED)
    fill_bank(model)
    running = None
    for seed in (0, 1):
        inputs, samples = reading_batch(seed)
        by_logits, by_prototypes = spaces(model, inputs["unlabeled"])
        label, confidence = {
            "mix": (reference_label.agreement(by_logits[0], by_prototypes[0]), by_logits[1]),
            "cross": by_prototypes,
            "logit": by_logits,
        }[strategy]
        means = means_of(label, confidence)
        running = means if running is None else 0.75 * running + 0.25 * means
        scaled = np.minimum(1, confidence / np.append(running / running.max(), 1)[np.minimum(label, NUM_CLASSES)])
        step = record(model, inputs, samples)
        np.testing.assert_allclose(step.confidence, scaled, atol=1e-5)
        model.banks[1].commit()
        model.bank.discard()
        np.testing.assert_allclose(model.confidences.prototypes[:, 0], running, atol=1e-5)


def test_padding_has_no_part_in_the_mean_confidences() -> None:
    model = build_reading_css(confidence_decay=0.9, pseudo_label_loss=MASKED)
    fill_bank(model)
    inputs, samples = reading_batch()
    for sample in samples["unlabeled"]:
        sample.set_metainfo({"padding_size": (0, 0, 4, 0)})
    by_logits, by_prototypes = spaces(model, inputs["unlabeled"])
    label = reference_label.agreement(by_logits[0], by_prototypes[0])
    record(model, inputs, samples)
    expected = means_of(label[:, 4:], by_logits[1][:, 4:])
    np.testing.assert_allclose(model.confidences.lookahead()[0][:, 0], expected, atol=1e-5)


def test_a_decay_out_of_range_in_words() -> None:
    with pytest.raises(ValueError, match="model.confidence_decay"):
        build_css(confidence_decay=1.5)


@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_labels_of_the_contrast(strategy: str) -> None:
    """Labelled pixels as they are; unlabelled ones where the logit space is sure enough (0.7)."""
    model = build_reading_css(strategy=strategy, weak_threshold=0.7, pseudo_label_loss=SURE)
    fill_bank(model)
    inputs, samples = reading_batch()
    by_logits, by_prototypes = spaces(model, inputs["unlabeled"])
    source = reference_label.agreement(by_logits[0], by_prototypes[0]) if strategy == "mix" else by_logits[0]
    expected = np.where(by_logits[1] >= 0.7, source, 255)
    assert 0.1 < (by_logits[1] >= 0.7).mean() < 0.9

    step = record(model, inputs, samples)
    truth = torch.cat([sample.gt_sem_seg.data for sample in samples["labeled"]])
    np.testing.assert_array_equal(step.labels[:2], truth)
    np.testing.assert_array_equal(step.labels[2:], expected)
    torch.testing.assert_close(step.embeddings[:2], inputs["labeled"][:, NUM_CLASSES:])
    torch.testing.assert_close(step.embeddings[2:], inputs["unlabeled"][:, NUM_CLASSES:], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("iteration", "source"), [(0, "logits"), (9, "logits"), (10, "prototypes")])
def test_cross_warms_up_with_the_logit_space(iteration: int, source: str) -> None:
    model = build_reading_css(strategy="cross", cross_warmup=10, pseudo_label_loss=SURE)
    fill_bank(model)
    model.progress = Progress(iteration, 100, 0)
    inputs, samples = reading_batch()
    expected = dict(zip(("logits", "prototypes"), spaces(model, inputs["unlabeled"]), strict=True))
    assert (expected["logits"][0] != expected["prototypes"][0]).any()
    np.testing.assert_array_equal(record(model, inputs, samples).supervision, expected[source][0])


def test_labels_are_downsampled_by_nearest_to_the_decoders_stride() -> None:
    model = build_reading_css(stride=4, strategy="logit", weak_threshold=0.0)
    inputs, samples = reading_batch(size=(16, 16))
    truth = torch.cat([sample.gt_sem_seg.data for sample in samples["labeled"]])
    step = record(model, inputs, samples)
    assert step.supervision.shape == (2, 16, 16)
    assert step.embeddings.shape == (4, EMBEDDING, 4, 4)
    np.testing.assert_array_equal(step.labels[:2], truth[:, ::4, ::4])
    np.testing.assert_array_equal(step.labels[2:], step.supervision[:, ::4, ::4])


def test_padding_of_unlabeled_images_has_no_pseudo_label() -> None:
    model = build_reading_css(strategy="logit", weak_threshold=0.0)
    fill_bank(model)
    inputs, samples = reading_batch()
    samples["unlabeled"] = samples_without_masks(2, padding=(0, 3, 0, 2))  # 3 columns right, 2 rows below
    step = record(model, inputs, samples)
    shown = torch.zeros(2, *SIZE, dtype=torch.bool)
    shown[:, :6, :5] = True
    assert torch.equal(step.supervision != 255, shown)
    assert torch.equal(step.confidence > 0, shown)
    assert torch.equal(step.labels[2:] != 255, shown)
    by_logits, by_prototypes = spaces(model, inputs["unlabeled"])
    agreed = (by_logits[0] == by_prototypes[0])[shown.numpy()].mean()
    assert step.losses["unsup.agreement"].item() == pytest.approx(agreed)


def test_preprocessors_padding_reaches_the_model() -> None:
    """The whole way of a small unlabelled image, through the data preprocessor."""
    model = build_css(strategy="logit", weak_threshold=0.0, augmentation=NO_AUGMENTATION)
    labels = random_labels(0, 2, (32, 32))
    data = {
        "labeled": {"inputs": [torch.zeros(3, 32, 32)] * 2, "data_samples": samples_of(labels)},
        "unlabeled": {"inputs": [torch.zeros(3, 27, 32)] * 2, "data_samples": samples_without_masks(2)},
    }
    data["unlabeled"]["inputs"][1] = torch.zeros(3, 32, 25)
    step = record(model, *model.data_preprocessor(data, training=True).values())
    shown = torch.ones(2, 32, 32, dtype=torch.bool)
    shown[0, 27:] = False
    shown[1, :, 25:] = False
    assert torch.equal(step.supervision != 255, shown)


def test_student_sees_the_augmented_view_and_the_teacher_the_weak_one() -> None:
    model = build_reading_css(strategy="logit", augmentation={**NO_AUGMENTATION, "flip_probability": 1.0})
    inputs, samples = reading_batch()
    step = record(model, inputs, samples)
    by_logits, _ = spaces(model, inputs["unlabeled"])
    np.testing.assert_array_equal(step.supervision, by_logits[0][:, :, ::-1])
    mirrored = inputs["unlabeled"].flip(-1)
    torch.testing.assert_close(step.logits, 4.0 * mirrored[:, :NUM_CLASSES], atol=1e-4, rtol=0)


@pytest.mark.parametrize("strategy", ["mix", "cross"])
def test_under_autocast_labels_and_prototypes_are_those_of_full_precision(strategy: str) -> None:
    """Of images with few digits, which pass the network unrounded."""
    model = build_reading_css(strategy=strategy, prototype_decay=0.5, pseudo_label_loss=SURE)
    fill_bank(model)
    inputs, samples = reading_batch()
    inputs = {half: images.bfloat16().float() for half, images in inputs.items()}
    exact = record(model, inputs, samples)
    model.bank.discard()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = record(model, inputs, samples)
    torch.testing.assert_close(cast.logits, exact.logits)
    assert torch.equal(cast.supervision, exact.supervision)
    torch.testing.assert_close(cast.confidence, exact.confidence)
    torch.testing.assert_close(cast.prototypes, exact.prototypes)
    for name in ("unsup.agreement", "unsup.loss_pseudo_label", "unsup.loss_contrast"):
        torch.testing.assert_close(cast.losses[name], exact.losses[name])
