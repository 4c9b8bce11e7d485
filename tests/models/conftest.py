"""MMSeg's scope for every test, and what the tests of CSS look at a step with."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.models import CSS
from tests.models.helpers import EMBEDDING, NUM_CLASSES, random_batch

PROTOTYPES = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, -1.0]])
SIZE = (8, 8)


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


def fill_bank(model: CSS, prototypes: Tensor = PROTOTYPES, seen: tuple[bool, ...] = (True, True, True)) -> None:
    model.bank.prototypes.copy_(prototypes)
    model.bank.seen.copy_(torch.tensor(seen))


class Recorder(nn.Module):
    """Passes a call on, and keeps its arguments and result."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        # Copies, because the bank changes its prototypes in place.
        self.args = deepcopy_tensors(args)
        self.kwargs = kwargs
        self.result = self.inner(*args, **kwargs)
        return self.result

    def kept(self, *args: Any) -> Any:
        return self.inner.kept(*args)


def deepcopy_tensors(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(arg.detach().clone() if isinstance(arg, Tensor) else arg for arg in args)


def record(model: CSS, inputs: dict, samples: dict) -> SimpleNamespace:
    """One step, with what the two unsupervised losses were given: the interface between labels and mathematics."""
    model.pseudo_label_loss, model.contrast_loss = Recorder(model.pseudo_label_loss), Recorder(model.contrast_loss)
    losses = model.loss(inputs, samples)
    pseudo, contrast = model.pseudo_label_loss, model.contrast_loss
    model.pseudo_label_loss, model.contrast_loss = pseudo.inner, contrast.inner
    loss, draw = contrast.result
    return SimpleNamespace(
        losses=losses,
        logits=pseudo.args[0],
        supervision=pseudo.args[1].labels[:, 0],
        confidence=pseudo.args[1].confidences[:, 0],
        embeddings=contrast.args[0],
        labels=contrast.args[1],
        hard=contrast.args[2],
        prototypes=contrast.args[3],
        contrast=loss,
        draw=draw,
    )


def reading_batch(seed: int = 0, batch: int = 2, size: tuple[int, int] = SIZE) -> tuple[dict, dict]:
    return random_batch(seed, batch, NUM_CLASSES + EMBEDDING, size)


def total_of(losses: dict[str, Tensor]) -> Tensor:
    return sum(value for name, value in losses.items() if "loss" in name)


def assert_finite(model: CSS, losses: dict[str, Tensor]) -> None:
    assert all(torch.isfinite(value).all() for value in losses.values()), losses
    for name, parameter in model.student.named_parameters():
        assert parameter.grad is not None, f"{name} is not attached to the loss"  # DDP would wait for it
        assert torch.isfinite(parameter.grad).all(), name
    model.bank.commit()
    assert torch.isfinite(model.bank.prototypes).all()
