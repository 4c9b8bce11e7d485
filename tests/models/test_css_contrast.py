"""The contrast of a CSS step, against the description of the algorithm."""

import numpy as np
import pytest
import torch

from mmseg_css.models.segmentors import Progress
from tests.models.conftest import PROTOTYPES, assert_finite, fill_bank, reading_batch, record, total_of
from tests.models.helpers import NUM_CLASSES, build_css, build_reading_css, random_batch, tiny_segmentor
from tests.reference import contrastive as reference_contrast
from tests.reference import prototypes as reference_prototypes
from tests.reference.ramps import exponential_rampdown


@pytest.mark.parametrize(("temperature", "threshold"), [(0.5, 0.5), (0.2, 0.8)])
def test_indicator_reads_the_old_prototypes_and_the_loss_the_new_ones(temperature: float, threshold: float) -> None:
    model = build_reading_css(
        indicator="similarity", strong_threshold=threshold, prototype_decay=0.5, temperature=temperature
    )
    fill_bank(model)
    step = record(model, *reading_batch())

    embeddings, labels = step.embeddings.numpy(), step.labels.numpy()
    seen = np.ones(NUM_CLASSES, bool)
    sums, counts = reference_prototypes.class_sums(embeddings, labels, NUM_CLASSES)
    updated, _ = reference_prototypes.ema_prototypes(PROTOTYPES.numpy(), seen, sums, counts, decay=0.5)
    np.testing.assert_allclose(step.prototypes, updated, atol=1e-5)
    assert torch.equal(model.bank.prototypes, PROTOTYPES)  # the hook commits, not the loss

    valid = labels != 255
    old, new = (
        reference_contrast.similarity_indicator(embeddings, labels, prototypes, seen, temperature)[valid] < threshold
        for prototypes in (PROTOTYPES.numpy(), updated)
    )
    assert (old != new).any()
    np.testing.assert_array_equal(step.hard.numpy()[valid], old)


def test_every_valid_pixel_is_hard_before_the_first_prototype() -> None:
    model = build_reading_css(indicator="similarity", strong_threshold=0.01)
    step = record(model, *reading_batch())
    assert step.hard[step.labels != 255].all()
    # ... and the loss has prototypes already, those of this batch.
    sums, counts = reference_prototypes.class_sums(step.embeddings.numpy(), step.labels.numpy(), NUM_CLASSES)
    np.testing.assert_allclose(step.prototypes, sums / counts[:, None], atol=1e-5)


def test_confidence_indicator() -> None:
    model = build_reading_css(strategy="logit", indicator="confidence", strong_threshold=0.8)
    fill_bank(model)
    inputs, samples = reading_batch()
    step = record(model, inputs, samples)
    logits = 4.0 * torch.cat([inputs["labeled"], inputs["unlabeled"]])[:, :NUM_CLASSES]
    expected = reference_contrast.confidence_indicator(logits.numpy(), step.labels.numpy()) < 0.8
    valid = step.labels.numpy() != 255
    assert 0.1 < expected[valid].mean() < 0.95
    np.testing.assert_array_equal(step.hard.numpy()[valid], expected[valid])


@pytest.mark.parametrize("iteration", [0, 40, 99])
def test_value_of_the_contrast(iteration: int) -> None:
    """Two classes present out of three: InfoNCE of the drawn pixels, times the ramp."""
    model = build_reading_css()
    fill_bank(model)
    model.progress = Progress(iteration, 100, 0)
    inputs, samples = reading_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data[sample.gt_sem_seg.data == 2] = 1
    inputs["unlabeled"][:, 2] = -1.0  # class 2 is never the most probable
    step = record(model, inputs, samples)
    assert step.draw.present.tolist() == [True, True, False]
    draw = reference_contrast.Draw(*(field.tolist() for field in step.draw[:4]))
    embeddings = step.embeddings.numpy()
    expected = reference_contrast.prototype_contrast_loss(embeddings, embeddings, draw, step.prototypes.numpy())
    expected *= exponential_rampdown(iteration / 100)
    assert step.losses["unsup.loss_contrast"].item() == pytest.approx(expected, rel=1e-4)
    assert step.losses["unsup.anchor_classes"].item() == len(draw.classes)
    assert model.diagnostics.anchors.tolist() == [8.0 * (c in draw.classes) for c in range(3)]


def test_one_class_batch_has_an_attached_zero() -> None:
    model = build_reading_css()
    fill_bank(model)
    inputs, samples = reading_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(1)
    inputs["unlabeled"][:, 1] = 1.0
    inputs["unlabeled"][:, [0, 2]] = -1.0
    losses = model.loss(inputs, samples)
    contrast = losses["unsup.loss_contrast"]
    assert contrast.item() == 0.0
    assert contrast.requires_grad
    contrast.backward()
    gradient = model.student.decode_head.projection.conv.weight.grad
    assert gradient.tolist() == torch.zeros_like(gradient).tolist()
    assert losses["unsup.anchor_classes"] == 0


def test_two_class_model() -> None:
    model = build_css(segmentor=tiny_segmentor(num_classes=2))
    model.progress = Progress(1, 10, 0)
    losses = model.loss(*random_batch(num_classes=2))
    total_of(losses).backward()
    assert_finite(model, losses)
    assert losses["unsup.loss_contrast"] > 0
