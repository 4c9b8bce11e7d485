"""One step of CSS as a whole; `test_css_*.py` look at its pieces."""

import random
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from mmseg_css.models import CSS
from mmseg_css.models.segmentors import Progress
from tests.models.conftest import assert_finite, fill_bank, reading_batch, record, total_of
from tests.models.helpers import (
    NUM_CLASSES,
    batch_of,
    build_css,
    build_reading_css,
    css_config,
    random_batch,
    random_images,
    random_labels,
    tiny_segmentor,
)

# -- batches with little in them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_all_ignored_labeled_batch(strategy: str) -> None:
    model = build_css(strategy=strategy, pseudo_label_loss={"type": "PseudoLabelLoss", "threshold": 0.9})
    inputs, samples = random_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(255)
    losses = model.loss(inputs, samples)
    assert losses["sup.loss_ce"].item() == 0.0
    total_of(losses).backward()
    assert_finite(model, losses)


@pytest.mark.parametrize("indicator", ["similarity", "confidence"])
def test_nothing_to_learn_from_at_all(indicator: str) -> None:
    model = build_css(indicator=indicator, weak_threshold=1.0)
    inputs, samples = random_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(255)
    losses = model.loss(inputs, samples)
    assert total_of(losses).item() == 0.0
    total_of(losses).backward()
    assert_finite(model, losses)
    assert not model.bank.seen.any()


def test_nothing_above_the_thresholds_leaves_the_labeled_pixels() -> None:
    model = build_reading_css(strategy="logit", factor=0.5)  # no confidence reaches 0.7
    inputs, samples = reading_batch()
    step = record(model, inputs, samples)
    assert step.losses["unsup.loss_pseudo_label"].item() == 0.0
    assert (step.labels[:2] != 255).any()
    assert (step.labels[2:] == 255).all()
    total_of(step.losses).backward()
    assert_finite(model, step.losses)


# -- randomness -------------------------------------------------------------------------------------------------------


def step_losses(model: CSS, seed: int, iteration: int) -> dict[str, float]:
    model.progress = Progress(iteration, 100, seed)
    losses = {name: value.item() for name, value in model.loss(*random_batch()).items()}
    model.bank.discard()
    return losses


def test_losses_are_a_function_of_seed_and_iteration() -> None:
    model = build_css(contrast_loss={**css_config()["contrast_loss"], "ramp_mult": 0.0})
    fill_bank(model)
    first = step_losses(model, seed=1, iteration=5)
    torch.manual_seed(123)
    assert step_losses(model, seed=1, iteration=5) == first
    for seed, iteration in ((1, 6), (2, 5)):
        other = step_losses(model, seed, iteration)
        assert other["sup.loss_ce"] == first["sup.loss_ce"]
        assert other["unsup.loss_contrast"] != first["unsup.loss_contrast"]


def test_global_randomness_is_not_consumed() -> None:
    model = build_css()
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    model.loss(*random_batch())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])


# -- the step as a whole ----------------------------------------------------------------------------------------------


def test_names_of_the_losses() -> None:
    model = build_css()
    losses = model.loss(*random_batch())
    assert set(losses) == {
        "sup.loss_ce",
        "sup.acc_seg",
        "unsup.loss_pseudo_label",
        "unsup.loss_contrast",
        "unsup.kept",
        "unsup.agreement",
        "unsup.anchor_classes",
    }
    total, logged = model.parse_losses(losses)
    assert total.item() == pytest.approx(total_of(losses).item())
    assert {"loss", "unsup.kept"} <= set(logged)


def test_auxiliary_heads_are_supervised() -> None:
    segmentor = tiny_segmentor()
    segmentor["auxiliary_head"] = {
        "type": "FCNHead",
        "in_channels": 8,
        "in_index": 0,
        "channels": 4,
        "num_convs": 1,
        "num_classes": NUM_CLASSES,
        "align_corners": True,
        "loss_decode": {"type": "CrossEntropyLoss", "loss_weight": 0.4},
    }
    losses = build_css(segmentor=segmentor).loss(*random_batch())
    assert "sup.aux.loss_ce" in losses


def test_supervised_loss_is_that_of_the_plain_segmentor() -> None:
    model = build_css()
    inputs, samples = random_batch()
    plain = deepcopy(model.student).loss(inputs["labeled"], deepcopy(samples["labeled"]))
    assert model.loss(inputs, samples)["sup.loss_ce"].item() == plain["decode.loss_ce"].item()


def test_ohem_as_the_supervised_loss() -> None:
    ohem = {"type": "OhemCrossEntropyLoss", "min_kept": 10}
    losses = build_css(segmentor=tiny_segmentor(loss_decode=ohem)).loss(*random_batch())
    assert "sup.loss_ohem" in losses


def test_unlabeled_batch_may_be_larger() -> None:
    model = build_css()
    images, labels = random_images(0, 2, 3, (32, 32)), random_labels(1, 2, (32, 32))
    losses = model.loss(*batch_of(images, labels, random_images(2, 3, 3, (32, 32))))
    total_of(losses).backward()
    assert_finite(model, losses)


@pytest.mark.parametrize("channels", [1, 5])
def test_grey_and_multispectral_images(channels: int) -> None:
    model = build_css(segmentor=tiny_segmentor(channels=channels))
    losses = model.loss(*random_batch(channels=channels))
    total_of(losses).backward()
    assert_finite(model, losses)


def test_step_under_bfloat16() -> None:
    model = build_css()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model.loss(*random_batch())
        total_of(losses).backward()
    assert_finite(model, losses)
    assert model.bank.prototypes.dtype == torch.float32


def test_compiled_backbones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are compiled, and neither checkpoint names nor losses change. (With a backend that compiles nothing.)"""
    compiled = []
    compile_module = nn.Module.compile

    def compile_eagerly(module: nn.Module) -> None:
        compiled.append(module)
        compile_module(module, backend="eager")

    plain = build_css()
    monkeypatch.setattr(nn.Module, "compile", compile_eagerly)
    model = build_css(compile_backbone=True)
    assert compiled == [model.student.backbone, model.teacher.model.backbone]
    assert list(model.state_dict()) == list(plain.state_dict())
    for name, value in plain.loss(*random_batch()).items():
        assert model.loss(*random_batch())[name].item() == pytest.approx(value.item(), abs=1e-5), name
        model.bank.discard()
