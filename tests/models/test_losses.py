"""The losses: weights and temperatures around the functions, which have tests of their own; and OHEM."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.ohem import ohem_cross_entropy
from mmseg_css.models import OhemCrossEntropyLoss, PixelCrossEntropyLoss, PrototypeContrastLoss, PseudoLabelLoss
from mmseg_css.registry import MODELS
from mmseg_css.types import View
from tests.models.helpers import samples_of
from tests.reference import contrastive as reference_contrast
from tests.reference.ohem import ohem_cross_entropy as reference_ohem
from tests.reference.pseudo_label import pseudo_label_loss


def random_case(seed: int, batch: int = 2, classes: int = 3, size: tuple[int, int] = (3, 4)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(batch, classes, *size, generator=generator, dtype=torch.float64)
    label = torch.randint(classes + 1, (batch, *size), generator=generator)
    return logits, torch.where(label == classes, 255, label)


@given(
    seed=st.integers(0, 2**31 - 1), threshold=st.sampled_from([0.1, 0.5, 0.9]), min_kept=st.sampled_from([1, 4, 100])
)
def test_ohem_is_the_reference(seed: int, threshold: float, min_kept: int) -> None:
    logits, label = random_case(seed)
    expected = reference_ohem(logits.numpy(), label.numpy(), threshold, min_kept)
    assert ohem_cross_entropy(logits, label, threshold, min_kept).item() == pytest.approx(expected, rel=1e-9)
    module = OhemCrossEntropyLoss(threshold=threshold, min_kept=min_kept, loss_weight=0.5)
    assert module(logits, label).item() == pytest.approx(0.5 * expected, rel=1e-9)


def test_ohem_keeps_whom_it_should() -> None:
    # Probabilities of the own class: 0.9, 0.6, 0.2, 0.1; the last pixel is ignored.
    probability = torch.tensor([0.9, 0.6, 0.2, 0.1, 0.01], dtype=torch.float64)
    logits = torch.stack([probability, 1 - probability]).log().reshape(1, 2, 1, 5)
    label = torch.tensor([[[0, 0, 0, 0, 255]]])
    for min_kept, kept in ((1, probability[1:4]), (3, probability[1:4]), (4, probability[:4]), (100, probability[:4])):
        value = ohem_cross_entropy(logits, label, threshold=0.7, min_kept=min_kept)
        assert value.item() == pytest.approx(-kept.log().mean().item(), rel=1e-9), min_kept


def test_ohem_keeps_a_pixel_at_the_threshold() -> None:
    """Of probability 0.5, beside one of 0.2 and one of 0.9."""
    probability = torch.tensor([0.9, 0.5, 0.2], dtype=torch.float64)
    logits = torch.stack([probability, 1 - probability]).log().reshape(1, 2, 1, 3)
    logits[..., 1] = 0.0  # exactly
    value = ohem_cross_entropy(logits, torch.zeros(1, 1, 3, dtype=torch.long), threshold=0.5, min_kept=1)
    assert value.item() == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 2, rel=1e-9)


def test_ohem_without_a_valid_pixel_is_an_attached_zero() -> None:
    logits = torch.randn(1, 2, 2, 2, requires_grad=True)
    loss = ohem_cross_entropy(logits, torch.full((1, 2, 2), 255))
    assert loss.item() == 0.0
    loss.backward()
    assert logits.grad.abs().max() == 0.0


def test_ohem_has_no_gradient_on_easy_pixels() -> None:
    logits = torch.tensor([[9.0, 0.0], [0.0, 0.0]]).reshape(1, 2, 1, 2).requires_grad_()
    ohem_cross_entropy(logits, torch.zeros(1, 1, 2, dtype=torch.long), min_kept=1).backward()
    assert (logits.grad[0, :, 0, 0] == 0).all()
    assert (logits.grad[0, :, 0, 1] != 0).all()


def test_ohem_in_a_decode_head() -> None:
    """The head passes weight and ignore_index, and finds the loss by its name."""
    head = MODELS.build(
        {
            "type": "FCNHead",
            "in_channels": 2,
            "channels": 2,
            "num_convs": 0,
            "concat_input": False,
            "num_classes": 2,
            "ignore_index": 7,
            "loss_decode": {"type": "OhemCrossEntropyLoss", "min_kept": 1},
        }
    )
    logits = torch.randn(2, 2, 4, 4)
    label = torch.randint(2, (2, 4, 4))
    label[0, 0] = 7
    samples: list[SegDataSample] = samples_of(label)
    found = head.loss_by_feat(logits, samples)
    assert found["loss_ohem"].item() == pytest.approx(ohem_cross_entropy(logits, label, 0.7, 1, 7).item())


def test_ohem_refuses_a_sampler_in_words() -> None:
    logits, label = random_case(0)
    with pytest.raises(ValueError, match="remove the decode head's `sampler`"):
        OhemCrossEntropyLoss()(logits, label, weight=torch.ones_like(label))


@pytest.mark.parametrize(("deterministic", "reduction"), [(False, "sum"), (True, "none")])
def test_cross_entropy_is_deterministic_where_asked_to(
    deterministic: bool, reduction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU torch refuses the sum over a map there, and over its pixels one by one it does not."""
    reductions, (logits, label) = [], random_case(0)
    expected = F.cross_entropy(logits, label, ignore_index=255).item()

    def cross_entropy(*args: Any, **kwargs: Any) -> Tensor:
        reductions.append(kwargs["reduction"])
        return of_torch(*args, **kwargs)

    of_torch = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", cross_entropy)
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: deterministic)
    assert PixelCrossEntropyLoss()(logits, label).item() == pytest.approx(expected, rel=1e-12)
    assert reductions == [reduction]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the fault is CUDA's")
def test_deterministic_cross_entropy_fault() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(RuntimeError, match="deterministic"):
            F.cross_entropy(*(part.cuda() for part in random_case(0)), ignore_index=255, reduction="sum")
    finally:
        torch.use_deterministic_algorithms(False)


def test_pseudo_label_loss_is_the_weighted_function() -> None:
    logits, label = random_case(3)
    confidence = torch.rand(label.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    module = PseudoLabelLoss(threshold=0.3, loss_weight=2.0)
    valid = torch.ones_like(label, dtype=torch.bool)
    loss = module(logits, View(logits, label[:, None], confidence[:, None], valid), 255)
    expected = 2.0 * pseudo_label_loss(logits.numpy(), label.numpy(), confidence.numpy(), threshold=0.3)
    assert loss.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_contrast_falls_with_progress(progress: float) -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(3, (2, 4, 4), generator=generator)
    prototypes = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    module = PrototypeContrastLoss(num_queries=4, num_negatives=5, temperature=0.2, loss_weight=3.0)
    loss, draw = module(
        embeddings, labels, labels >= 0, prototypes, progress=progress, generator=torch.Generator().manual_seed(1)
    )
    assert draw.queries.shape == (3, 4)
    assert draw.negatives.shape == (3, 4, 5)
    pixels = embeddings.detach().numpy()
    lists = reference_contrast.Draw(*(field.tolist() for field in draw[:4]))
    plain = reference_contrast.prototype_contrast_loss(pixels, pixels, lists, prototypes.numpy(), temperature=0.2)
    ramp = {0.0: 1.0, 0.5: math.exp(-5 * 0.25), 1.0: 0.0}[progress]
    assert loss.item() == pytest.approx(3.0 * ramp * plain, rel=1e-9)
    loss.backward()  # also at the end, when the factor is 0
    assert torch.isfinite(embeddings.grad).all()


def test_contrast_is_constant_if_asked_to() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(1, 3, 4, 4), torch.randint(2, (1, 4, 4))
    values = [
        PrototypeContrastLoss(num_queries=4, num_negatives=5, ramp_mult=0.0)(
            embeddings, labels, labels >= 0, torch.eye(3), progress=progress, generator=torch.Generator().manual_seed(1)
        )[0].item()
        for progress in (0.0, 0.9)
    ]
    assert values[0] == values[1] > 0


def test_similarity_temperature_chooses_the_negatives() -> None:
    """A cold choice takes the negatives from the most similar other class only."""
    prototypes = torch.tensor([[1.0, 0.0], [0.9, 0.1], [-1.0, 0.0]])
    labels = torch.tensor([[[0, 1, 2]]])
    module = PrototypeContrastLoss(num_queries=2, num_negatives=50, similarity_temperature=0.01)
    _, draw = module(
        torch.randn(1, 2, 1, 3),
        labels,
        labels >= 0,
        prototypes,
        progress=0.0,
        generator=torch.Generator().manual_seed(0),
    )
    assert (draw.negatives[0] == 1).all()
    assert (draw.negatives[1] == 0).all()


def test_negatives_are_shared_if_asked_to() -> None:
    labels = torch.randint(3, (2, 4, 4), generator=torch.Generator().manual_seed(0))
    module = PrototypeContrastLoss(num_queries=4, num_negatives=5, sharing="per_class")
    _, draw = module(
        torch.randn(2, 3, 4, 4), labels, labels >= 0, torch.eye(3), progress=0.0, generator=torch.Generator()
    )
    assert draw.negatives.shape == (3, 1, 5)
    with pytest.raises(ValueError, match=r"contrast_loss.sharing must be one of per_query, per_class; got 'per_image'"):
        PrototypeContrastLoss(sharing="per_image")
