"""Whole steps against the naive objectives: the loss, and autograd's gradient of every weight.

A network of single pixels: its logits are a matrix times the image's channels, which the naive form multiplies itself.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from mmseg_css.functional.pseudo_label import masked_pseudo_label_loss
from mmseg_css.models.segmentors import unimatch, unimatch_v2
from mmseg_css.registry import MODELS
from mmseg_css.types import View
from tests.models.helpers import NUM_CLASSES, batch_of, random_images, random_labels, samples_without_masks
from tests.models.methods.helpers import BASELINES, reading_config
from tests.reference import baselines as reference

SIDE, BATCH, THRESHOLD = 6, 2, 0.5
SIZE = (SIDE, SIDE)


class Recorded:
    """A reading model, and what it drew in a step."""

    def __init__(self, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        threshold = 0.0 if method.startswith("cps") else THRESHOLD
        loss = {**BASELINES[method]["pseudo_label_loss"], "threshold": threshold}
        torch.manual_seed(0)
        self.model: Any = MODELS.build(reading_config(method, pseudo_label_loss=loss)).double().train()
        for name in ("student", "peer"):
            if network := getattr(self.model, name, None):
                torch.nn.init.normal_(network.decode_head.conv_seg.weight, std=3.0)
        if self.model.teacher is not None:
            self.model.teacher.reset(self.model.student)
        self.views: list[View] = []
        self.dropped: list[Tensor] = []
        if self.model.augmentation is not None:
            augment = self.model.augment
            monkeypatch.setattr(
                self.model, "augment", lambda *args: self.views.append(augment(*args)) or self.views[-1]
            )
        for module, name in ((unimatch, "drop_channels"), (unimatch_v2, "drop_complementary")):
            drop = getattr(module, name)
            monkeypatch.setattr(module, name, lambda *args, drop=drop: self.record(drop(*args)))
        images, labels = random_images(0, BATCH, NUM_CLASSES, SIZE).double(), random_labels(1, BATCH, SIZE)
        unlabeled = random_images(2, BATCH, NUM_CLASSES, SIZE).double()
        inputs, samples = batch_of(images, labels, unlabeled)
        samples["unlabeled"] = samples_without_masks(BATCH, padding=(0, 1, 0, 0))
        self.images, self.labels, self.unlabeled = images, labels, unlabeled
        self.valid = torch.ones(BATCH, *SIZE, dtype=torch.bool)
        self.valid[:, :, -1] = False
        self.loss, _ = self.model.parse_losses(self.model.loss(inputs, samples))

    def record(self, features: list[Tensor]) -> list[Tensor]:
        self.dropped.extend(features)
        return features

    def logits(self, images: Tensor, network: str = "student") -> Tensor:
        head = getattr(self.model, network).decode_head.conv_seg
        weight, bias = head.weight[:, :, 0, 0], head.bias
        return torch.einsum("kc,bchw->bkhw", weight, images) + bias[:, None, None]

    def weak(self) -> tuple[Tensor, Tensor, Tensor]:
        confidence, label = self.logits(self.unlabeled).detach().softmax(dim=1).max(dim=1)
        return label, confidence, self.valid

    def of_view(self, logits: Tensor, view: View, source: int = 0, threshold: float = THRESHOLD) -> Tensor:
        return reference.masked(logits, view.labels[:, source], view.confidences[:, source], view.valid, threshold)

    def gradients(self, loss: Tensor) -> list[Tensor]:
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        return list(torch.autograd.grad(loss, parameters, retain_graph=True))


def objective(method: str, step: Recorded) -> Tensor:
    """The naive loss of what the step drew."""
    labelled = reference.supervised(step.logits(step.images), step.labels)
    if method.startswith("cps"):
        by_peer = reference.supervised(step.logits(step.images, "peer"), step.labels)
        if method == "cps_cutmix":
            [view] = step.views
        else:
            images = torch.cat([step.images, step.unlabeled])
            label = torch.stack([step.logits(images, name).argmax(dim=1) for name in ("student", "peer")], dim=1)
            valid = torch.cat([torch.ones_like(step.valid), step.valid])
            view = View(images, label, torch.ones(label.shape), valid)
        first = step.of_view(step.logits(view.image), view, 1, 0.0)
        second = step.of_view(step.logits(view.image, "peer"), view, 0, 0.0)
        return reference.cps(labelled, by_peer, first, second, 1.5)
    if method == "unimatch_v2":
        own = step.logits(step.dropped[0]).chunk(2)
        return reference.unimatch_v2(labelled, *(step.of_view(*pair) for pair in zip(own, step.views, strict=True)))
    strong = [step.of_view(step.logits(view.image), view) for view in step.views]
    if method == "unimatch":
        feature = reference.masked(step.logits(step.dropped[0][BATCH:]), *step.weak(), THRESHOLD)
        return reference.unimatch(labelled, *strong, feature)
    return reference.fixmatch(labelled, *strong)


@pytest.mark.parametrize("method", BASELINES)
def test_a_step_is_the_naive_objective_with_its_gradient(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Recorded(method, monkeypatch)
    expected = objective(method, step)
    assert step.loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for found, naive in zip(step.gradients(step.loss), step.gradients(expected), strict=True):
        torch.testing.assert_close(found, naive, rtol=1e-4, atol=1e-6)
        assert naive.abs().max() > 1e-4  # there was something to compare


@pytest.mark.parametrize("method", ["fixmatch", "mean_teacher", "unimatch", "unimatch_v2"])
def test_the_labels_of_the_weak_view_travel_with_the_pixels(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of its box a strong view has the weak view's labels, and inside those of another image."""
    step = Recorded(method, monkeypatch)
    label, confidence, valid = step.weak()
    for view in step.views:
        for b in range(BATCH):
            own = (view.confidences[b, 0] - torch.where(valid, confidence, 0.0)[b]).abs() < 1e-6
            other = (view.confidences[b, 0] - torch.where(valid, confidence, 0.0)[1 - b]).abs() < 1e-6
            assert (own | other).all()
            source = torch.where(own, label[b], label[1 - b])[view.valid[b]]
            assert torch.equal(view.labels[b, 0][view.valid[b]], source)


def test_masked_loss_is_the_naive_one_with_its_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    label = torch.randint(4, (2, 3, 5), generator=generator)
    confidence = torch.rand(2, 3, 5, generator=generator, dtype=torch.float64)
    valid = torch.rand(2, 3, 5, generator=generator) < 0.7
    label = torch.where(valid, label, reference.IGNORE)
    for threshold in (0.0, 0.6, 1.1):
        found = masked_pseudo_label_loss(logits, label, confidence, valid, threshold)
        expected = reference.masked(logits, label, confidence, valid, threshold)
        torch.testing.assert_close(found, expected)
        for own, naive in zip(*(torch.autograd.grad(loss, logits) for loss in (found, expected)), strict=True):
            torch.testing.assert_close(own, naive)
    nothing = masked_pseudo_label_loss(logits, label, confidence, torch.zeros_like(valid), 0.0)
    assert nothing.item() == 0.0 and nothing.requires_grad
