"""One step of PC2Seg, piece by piece, against the description of the algorithm."""

import math
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from torch import Tensor

from mmseg_css.functional.negative_sampling import SAMPLERS, draw_anchors, draw_negatives
from mmseg_css.models import PC2Seg
from mmseg_css.models.segmentors import Progress
from mmseg_css.models.segmentors.pc2seg import wholly_valid
from mmseg_css.registry import MODELS
from tests.models.helpers import (
    EMBEDDING,
    NO_AUGMENTATION,
    NUM_CLASSES,
    PREPROCESSOR,
    batch_of,
    random_batch,
    random_images,
    random_labels,
    read_segmentor,
    samples_without_masks,
    tiny_segmentor,
)
from tests.reference import pc2seg as reference

STRONG = {**NO_AUGMENTATION, "mixing": "cutout", "jitter": 0.5, "jitter_probability": 1.0}
LINEAR = {"type": "LinearProjection", "channels": EMBEDDING}


def pc2seg_config(**changes: Any) -> ConfigDict:
    config = {
        "type": "PC2Seg",
        "segmentor": tiny_segmentor(tap="conv_seg", projection=LINEAR),
        "data_preprocessor": PREPROCESSOR,
        "augmentation": STRONG,
        "consistency_loss": {"type": "CosineConsistencyLoss"},
        "contrast_loss": {"type": "PixelContrastLoss", "num_anchors": 8, "num_negatives": 16, "loss_weight": 1.0},
        "rampup": 0.0,
    }
    return ConfigDict({**config, **changes})


def build(**changes: Any) -> PC2Seg:
    torch.manual_seed(0)
    model = MODELS.build(pc2seg_config(**changes))
    model.init_weights()
    return model.train()


def build_reading(factor: float = 4.0, **changes: Any) -> PC2Seg:
    """Logits / ``factor`` and embeddings are the image itself; by default the strong view is the weak one."""
    model = build(segmentor=read_segmentor(), **{"augmentation": NO_AUGMENTATION, **changes})
    identity = torch.eye(NUM_CLASSES + EMBEDDING)[:, :, None, None]
    head = model.student.decode_head
    with torch.no_grad():
        head.conv_seg.weight.copy_(factor * identity[:NUM_CLASSES])
        head.conv_seg.bias.zero_()
        head.projection.conv.weight.copy_(identity[NUM_CLASSES:])
    return model


def pixels(maps: Tensor) -> list[list[float]]:
    return maps.movedim(1, -1).reshape(-1, maps.shape[1]).tolist()


def test_names_of_the_losses() -> None:
    losses = build().loss(*random_batch())
    assert set(losses) == {
        "sup.loss_ce",
        "sup.acc_seg",
        "unsup.loss_consistency",
        "unsup.loss_contrast",
        "unsup.agreement",
        "unsup.anchor_classes",
    }
    total = sum(value for name, value in losses.items() if "loss" in name)
    assert torch.isfinite(total)


def test_losses_are_the_equations_on_the_two_views() -> None:
    model = build_reading(
        augmentation={**NO_AUGMENTATION, "jitter": 0.9, "jitter_probability": 1.0},
        consistency_loss={"type": "CosineConsistencyLoss", "loss_weight": 3.0},
        contrast_loss={
            "type": "PixelContrastLoss",
            "num_anchors": 5,
            "num_negatives": 7,
            "temperature": 0.2,
            "loss_weight": 2.0,
        },
    )
    inputs, samples = random_batch(3, 2, NUM_CLASSES + EMBEDDING, (8, 8))
    weak = inputs["unlabeled"]
    strong = model.strong_view(weak, torch.ones(2, 8, 8).bool(), model.generator(weak.device)).image
    assert (strong - weak).abs().max() > 0.05
    losses = model.loss(inputs, samples)

    probabilities = [(4 * view[:, :NUM_CLASSES]).softmax(dim=1) for view in (weak, strong)]
    valid = torch.ones(2, 8, 8)
    expected = 3.0 * reference.cosine_consistency(*probabilities, valid)
    assert losses["unsup.loss_consistency"].item() == pytest.approx(expected, rel=1e-5)

    # The draws once more, from the same generator in the same state: after the augmentation's.
    generator = model.generator(weak.device)
    model.strong_view(weak, valid.bool(), generator)
    anchors = draw_anchors(valid.bool(), 10, generator)
    mixture = SAMPLERS["different_image_debiased"](probabilities[0])
    draw = draw_negatives(mixture, anchors, valid.bool(), 7, generator)
    embeddings = [pixels(view[:, NUM_CLASSES:]) for view in (weak, strong)]
    contrast = reference.pixel_contrast(
        *embeddings, embeddings[0], anchors.tolist(), draw.negatives.tolist(), draw.found.tolist(), 0.2
    )
    assert losses["unsup.loss_contrast"].item() == pytest.approx(2.0 * contrast, rel=1e-5)


def test_only_the_strong_view_learns_consistency_and_both_learn_contrast() -> None:
    model = build_reading(augmentation={**NO_AUGMENTATION, "jitter": 0.9, "jitter_probability": 1.0})
    seen: list[Tensor] = []
    extract = model.student.extract_feat

    def watched(images: Tensor) -> tuple[Tensor, ...]:
        images = images.detach().requires_grad_()
        seen.append(images)
        return extract(images)

    model.student.extract_feat = watched
    inputs, samples = random_batch(0, 2, NUM_CLASSES + EMBEDDING, (8, 8))
    losses = model.loss(inputs, samples)
    _, *views = seen
    assert len(views) == 2
    for name, learns in (("unsup.loss_consistency", [False, True]), ("unsup.loss_contrast", [True, True])):
        gradients = torch.autograd.grad(losses[name], views, retain_graph=True, allow_unused=True)
        assert [bool(g is not None and g.abs().max() > 1e-4) for g in gradients] == learns, name


def test_the_strong_view_does_not_shift_the_weak_views_batch_statistics() -> None:
    """What the weak view says of its pixels depends on itself alone."""
    predicted = []
    for jitter in (0.0, 1.0):
        model = build(augmentation={**NO_AUGMENTATION, "jitter": jitter, "jitter_probability": 1.0})
        model.loss(*random_batch())
        predicted.append(model.diagnostics.pseudo_label)
        strong = model.diagnostics.logits
    assert torch.equal(*predicted)
    weak = build(augmentation=NO_AUGMENTATION)
    weak.loss(*random_batch())
    assert not torch.allclose(weak.diagnostics.logits, strong)


def test_losses_rise_to_their_weights() -> None:
    batch = random_batch()
    model = build()
    full = model.loss(*batch)
    model = build(rampup=0.5)
    model.progress = model.progress._replace(max_iterations=10)
    started = model.loss(*batch)
    for name in ("unsup.loss_consistency", "unsup.loss_contrast"):
        assert started[name].item() == pytest.approx(math.exp(-5) * full[name].item(), rel=1e-5)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_padded_and_cut_out_pixels_are_neither_anchors_nor_negatives_nor_consistent(sampler: str) -> None:
    """Whatever stands there changes nothing."""
    model = build_reading(
        contrast_loss={"type": "PixelContrastLoss", "sampler": sampler, "num_anchors": 50, "num_negatives": 50},
        augmentation={**NO_AUGMENTATION, "mixing": "cutout"},
    )
    inputs, samples = random_batch(1, 2, NUM_CLASSES + EMBEDDING, (8, 8))
    samples["unlabeled"] = samples_without_masks(2, padding=(0, 3, 0, 2))
    valid = torch.ones(2, 8, 8).bool()
    valid[:, 6:] = valid[:, :, 5:] = False
    view = model.strong_view(inputs["unlabeled"], valid, model.generator(torch.device("cpu")))
    assert (view.valid & ~valid).sum() == 0
    assert 0 < view.valid.sum() < valid.sum()

    first = model.loss(inputs, samples)
    other = torch.where(view.valid[:, None], inputs["unlabeled"], 0.123 * random_images(9, 2, 5, (8, 8)))
    second = model.loss({**inputs, "unlabeled": other}, samples)
    for name in ("unsup.loss_consistency", "unsup.loss_contrast", "unsup.agreement"):
        assert first[name].item() == second[name].item(), name


def test_a_cell_of_the_decoders_stride_is_valid_if_all_its_pixels_are() -> None:
    valid = torch.ones(1, 4, 8, dtype=torch.bool)
    valid[0, 1, 2] = False
    assert wholly_valid(valid, torch.Size([1, 2])).tolist() == [[[False, True]]]
    assert wholly_valid(valid, torch.Size([2, 4])).tolist() == [[[True, False, True, True], [True] * 4]]


def test_all_ignored_labels_and_nothing_valid_are_finite() -> None:
    model = build()
    inputs, samples = random_batch()
    inputs, samples = batch_of(inputs["labeled"], torch.full((2, 32, 32), 255), inputs["unlabeled"])
    samples["unlabeled"] = samples_without_masks(2, padding=(0, 32, 0, 0))
    losses = model.loss(inputs, samples)
    total = sum(value for name, value in losses.items() if "loss" in name)
    assert total.item() == 0
    total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_unlabeled_image(sampler: str) -> None:
    model = build(contrast_loss={"type": "PixelContrastLoss", "sampler": sampler})
    model.student.eval()  # norm layers after a global pooling want two images, in any network
    losses = model.loss(
        *batch_of(random_images(0, 2, 3, (32, 32)), random_labels(1, 2, (32, 32)), random_images(2, 1, 3, (32, 32)))
    )
    assert torch.isfinite(losses["unsup.loss_contrast"])
    assert model.diagnostics.anchors.sum() == 256


def test_losses_are_a_function_of_seed_and_iteration() -> None:
    batch = random_batch()
    values = []
    for progress in (Progress(3, 10, 7), Progress(3, 10, 7), Progress(4, 10, 7), Progress(3, 10, 8)):
        model = build()
        model.progress = progress
        values.append(model.loss(*batch)["unsup.loss_contrast"].item())
    assert values[0] == values[1]
    assert len(set(values)) == 3


def test_predicts_with_the_student() -> None:
    model = build().eval()
    assert model.predictor is model.student
    assert model(random_images(0, 1, 3, (32, 32)), mode="tensor").shape == (1, NUM_CLASSES, 8, 8)


@pytest.mark.parametrize(
    "moving",
    [
        {"scale": (0.5, 1.5)},
        {"crop": (16, 16)},
        {"flip_probability": 0.5},
        {"mixing": "cutmix"},
        {"mixing": "classmix"},
    ],
)
def test_augmentation_that_moves_pixels_in_words(moving: dict) -> None:
    with pytest.raises(ValueError, match="moves pixels"):
        build(augmentation={**STRONG, **moving})


def test_the_strong_view_without_changes_is_the_weak_view() -> None:
    """No resampling, to the last bit but that of the normalisation."""
    images = random_images(0, 2, 3, (9, 7))
    view = build(augmentation=NO_AUGMENTATION).strong_view(images, torch.ones(2, 9, 7).bool(), torch.Generator())
    torch.testing.assert_close(view.image, images, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rampup", [-0.5, 2.0])
def test_wrong_ramp_in_words(rampup: float) -> None:
    with pytest.raises(ValueError, match=r"model.rampup .* must lie in \[0, 1\]"):
        build(rampup=rampup)
