"""The shares that a step logs beside its losses."""

import math

import pytest
import torch
from torch import Tensor

from mmseg_css.models import MaskedPseudoLabelLoss, PseudoLabelLoss
from mmseg_css.models.segmentors.cps import agreement_of
from mmseg_css.types import View
from tests.models.conftest import fill_bank
from tests.models.helpers import (
    EMBEDDING,
    NO_AUGMENTATION,
    NUM_CLASSES,
    build_reading_css,
    random_batch,
    samples_without_masks,
)
from tests.models.methods.helpers import METHODS, build, step_at
from tests.models.test_pc2seg import build_reading


def view_of(labels: list[list[int]], confidences: list[float], valid: list[bool]) -> View:
    """One row of pixels; what stands in the padding must not count."""
    label = torch.tensor(labels)[None, :, None]
    confidence = torch.tensor(confidences)[None, None, None].expand(label.shape)
    return View(torch.zeros(1, 3, 1, label.shape[-1]), label, confidence, torch.tensor(valid)[None, None])


@pytest.mark.parametrize(("threshold", "share"), [(0.0, 3 / 3), (0.5, 2 / 3), (0.8, 2 / 3), (0.9, 0 / 3)])
def test_what_is_learned_from_is_a_share_of_the_valid_pixels(threshold: float, share: float) -> None:
    view = view_of([[0, 1, 2, 0]], [0.8, 0.3, 0.8, 0.95], [True, True, True, False])
    assert MaskedPseudoLabelLoss(threshold=threshold).kept(view, 255).item() == pytest.approx(share)


def test_where_there_is_no_label_nothing_is_learned() -> None:
    """As where the spaces of CSS disagree, however sure one of them is; and the threshold of `PseudoLabelLoss` weighs
    images, of which every label is learnt.
    """
    view = view_of([[0, 255, 2, 1, 0]], [0.8, 0.9, 0.3, 0.8, 0.9], [True, True, True, True, False])
    assert MaskedPseudoLabelLoss(threshold=0.5).kept(view, 255).item() == pytest.approx(2 / 4)
    assert PseudoLabelLoss(threshold=0.5).kept(view, 255).item() == pytest.approx(3 / 4)


SURE = {"type": "MaskedPseudoLabelLoss", "threshold": 0.337}  # of three classes
SMALLER = {**NO_AUGMENTATION, "scale": (0.5, 0.5)}  # three quarters of the strong view are padding


@pytest.mark.parametrize("loss", ["PseudoLabelLoss", "MaskedPseudoLabelLoss"])
def test_css_learns_from_a_share_of_the_weak_view(loss: str) -> None:
    """Whatever is padded, pasted or mirrored in the strong one."""
    model = build_reading_css(augmentation=SMALLER, pseudo_label_loss={"type": loss, "threshold": 0.9})
    fill_bank(model)
    inputs, samples = random_batch(0, 2, NUM_CLASSES + EMBEDDING, (8, 8))
    samples["unlabeled"] = samples_without_masks(2, padding=(0, 3, 0, 2))
    said = model.inspect(inputs["unlabeled"], (8, 8)).sources["mix"]
    learnt = said.label != 255
    if loss == "MaskedPseudoLabelLoss":
        learnt &= said.confidence >= 0.9
    share = learnt[:, :6, :5].float().mean().item()
    assert 0.1 < share < 0.9
    assert model.loss(inputs, samples)["unsup.kept"].item() == pytest.approx(share)


def test_fixmatch_learns_from_a_share_of_the_weak_view() -> None:
    inputs, samples = random_batch()
    shares = [
        step_at(build("fixmatch", augmentation=kind, pseudo_label_loss=SURE), (inputs, samples))["unsup.kept"].item()
        for kind in (NO_AUGMENTATION, SMALLER)
    ]
    assert shares[0] == shares[1]
    assert 0 < shares[0] < 1


def test_agreement_is_a_share_of_the_valid_pixels() -> None:
    view = view_of([[0, 1, 2, 1, 0], [0, 2, 2, 1, 0]], [0.5] * 5, [True, True, True, True, False])
    assert agreement_of(view).item() == pytest.approx(3 / 4)


def argmax_of(images: Tensor) -> Tensor:
    return images[:, :NUM_CLASSES].argmax(dim=1)


def test_agreement_of_two_views_is_a_share_of_the_valid_pixels() -> None:
    """Of a network whose logits are the image, in the upper left part that is no padding."""
    model = build_reading(augmentation={**NO_AUGMENTATION, "blur_probability": 1.0})
    inputs, samples = random_batch(3, 2, NUM_CLASSES + EMBEDDING, (8, 8))
    samples["unlabeled"] = samples_without_masks(2, padding=(0, 3, 0, 2))
    weak = inputs["unlabeled"]
    strong = model.strong_view(weak, torch.ones(2, 8, 8).bool(), model.generator(weak.device)).image
    agreeing = (argmax_of(weak) == argmax_of(strong))[:, :6, :5].float()
    assert 0.5 < agreeing.mean() < 0.95
    assert model.loss(inputs, samples)["unsup.agreement"].item() == pytest.approx(agreeing.mean().item())


@pytest.mark.parametrize("method", METHODS)
def test_losses_rise_to_their_weights_and_shares_are_what_they_are(method: str) -> None:
    found = []
    for rampup in (0.0, 0.5):
        torch.manual_seed(0)  # dropout
        found.append(step_at(build(method, rampup=rampup), random_batch()))
    full, ramped = found
    assert full.keys() == ramped.keys()
    for name, value in full.items():
        factor = math.exp(-5) if name.startswith("unsup.") and "loss" in name else 1.0
        assert ramped[name].item() == pytest.approx(factor * value.item(), rel=1e-5), name


def test_losses_in_lists_rise_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """MMEngine sums the terms."""
    model = build("fixmatch", rampup=0.5)
    terms = [torch.tensor(1.0), torch.tensor(2.0)]
    monkeypatch.setattr(model, "losses", lambda *_: ({"loss_ce": torch.tensor(4.0)}, {"loss_levels": terms}))
    _, logged = model.parse_losses(step_at(model, random_batch()))
    assert logged["unsup.loss_levels"].item() == pytest.approx(3.0 * math.exp(-5))
