"""One step of CSS, piece by piece, against the description of the algorithm."""

import random
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint
from mmengine.structures import PixelData
from torch import Tensor, nn

from mmseg_css.models import CSS
from mmseg_css.models.segmentors import Progress
from mmseg_css.registry import MODELS
from tests.models.helpers import (
    EMBEDDING,
    NO_AUGMENTATION,
    NUM_CLASSES,
    batch_of,
    build_css,
    build_reading_css,
    css_config,
    random_batch,
    random_images,
    random_labels,
    samples_of,
    samples_without_masks,
    tiny_segmentor,
)
from tests.reference import contrastive as reference_contrast
from tests.reference import prototypes as reference_prototypes
from tests.reference import pseudo_label as reference_label
from tests.reference.ramps import exponential_rampdown

PROTOTYPES = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, -1.0]])
SIZE = (8, 8)


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
        supervision=pseudo.args[1],
        confidence=pseudo.args[2],
        embeddings=contrast.args[0],
        labels=contrast.args[1],
        hard=contrast.args[2],
        prototypes=contrast.args[3],
        contrast=loss,
        draw=draw,
    )


def reading_batch(seed: int = 0, batch: int = 2, size: tuple[int, int] = SIZE) -> tuple[dict, dict]:
    return random_batch(seed, batch, NUM_CLASSES + EMBEDDING, size)


def spaces(model: CSS, images: Tensor, factor: float = 4.0) -> tuple[tuple, tuple]:
    """Labels and confidences of the logit space and of the representation space, from the reference."""
    return (
        reference_label.logit_pseudo_label((factor * images[:, :NUM_CLASSES]).numpy(), SIZE),
        reference_label.prototype_pseudo_label(
            images[:, NUM_CLASSES:].numpy(), model.bank.prototypes.numpy(), model.bank.seen.numpy(), SIZE
        ),
    )


# -- pseudo-labels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [(True, True, True), (True, False, True), (False, False, False)])
@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_supervision_of_the_logit_space(strategy: str, seen: tuple[bool, ...]) -> None:
    model = build_reading_css(strategy=strategy)
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
        reference_label.pseudo_label_loss(step.logits.numpy(), *expected), abs=1e-5
    )


@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_labels_of_the_contrast(strategy: str) -> None:
    """Labelled pixels as they are; unlabelled ones where the logit space is sure enough (0.7)."""
    model = build_reading_css(strategy=strategy, weak_threshold=0.7)
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
    model = build_reading_css(strategy="cross", cross_warmup=10)
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


# -- contrast ---------------------------------------------------------------------------------------------------------


def test_indicator_reads_the_old_prototypes_and_the_loss_the_new_ones() -> None:
    model = build_reading_css(indicator="similarity", strong_threshold=0.5, prototype_decay=0.5)
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
        reference_contrast.similarity_indicator(embeddings, labels, prototypes, seen)[valid] < 0.5
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


# -- batches with little in them --------------------------------------------------------------------------------------


def total_of(losses: dict[str, Tensor]) -> Tensor:
    return sum(value for name, value in losses.items() if "loss" in name)


def assert_finite(model: CSS, losses: dict[str, Tensor]) -> None:
    assert all(torch.isfinite(value).all() for value in losses.values()), losses
    for name, parameter in model.student.named_parameters():
        assert parameter.grad is not None, f"{name} is not attached to the loss"  # DDP would wait for it
        assert torch.isfinite(parameter.grad).all(), name
    model.bank.commit()
    assert torch.isfinite(model.bank.prototypes).all()


@pytest.mark.parametrize("strategy", ["mix", "cross", "logit"])
def test_all_ignored_labeled_batch(strategy: str) -> None:
    model = build_css(strategy=strategy)
    inputs, samples = random_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(255)
    losses = model.loss(inputs, samples)
    assert losses["sup.loss_ce"].item() == 0.0
    total_of(losses).backward()
    assert_finite(model, losses)


@pytest.mark.parametrize("indicator", ["similarity", "confidence"])
def test_nothing_to_learn_from_at_all(indicator: str) -> None:
    model = build_css(indicator=indicator, weak_threshold=1.1)
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


# -- the teacher ------------------------------------------------------------------------------------------------------


def test_teacher_equals_student_after_initialisation() -> None:
    torch.manual_seed(0)
    model = MODELS.build(css_config())
    before = model.student.decode_head.fuse.conv.weight.clone()
    model.init_weights()
    student = model.student.state_dict()
    assert not torch.equal(student["decode_head.fuse.conv.weight"], before)
    for name, value in model.teacher.model.state_dict().items():
        assert torch.equal(value, student[name]), name


def test_a_checkpoint_of_a_plain_segmentor_is_where_both_networks_start(tmp_path: Path) -> None:
    torch.manual_seed(1)
    plain_config = deepcopy(tiny_segmentor())
    head = plain_config["decode_head"]
    head["type"] = "DeepLabV3PlusHead"
    del head["projection"]
    plain = MODELS.build(plain_config)
    plain.init_weights()
    torch.save({"state_dict": plain.state_dict(), "meta": {}}, tmp_path / "plain.pth")
    model = build_css()
    load_checkpoint(model, str(tmp_path / "plain.pth"), strict=False)
    expected = plain.state_dict()
    for network in (model.student, model.teacher.model):
        own = network.state_dict()
        assert {name for name in own if name not in expected} == {n for n in own if ".projection." in n} != set()
        assert all(torch.equal(own[name], value) for name, value in expected.items())


def test_teacher_gets_no_gradient_and_is_not_moved_by_the_loss() -> None:
    model = build_css()
    before = deepcopy(dict(model.teacher.model.named_parameters()))
    total_of(model.loss(*random_batch())).backward()
    for name, parameter in model.teacher.model.named_parameters():
        assert parameter.grad is None, name
        assert torch.equal(parameter, before[name]), name
    assert model.teacher.step == 0


@pytest.mark.parametrize(("sees", "batches"), [("both", 2), ("unlabeled", 1)])
def test_labeled_images_move_the_teachers_statistics_if_asked_to(sees: str, batches: int) -> None:
    model = build_css(teacher_sees=sees)
    model.loss(*random_batch())
    assert model.teacher.model.backbone.low.bn.num_batches_tracked == batches
    assert model.student.backbone.low.bn.num_batches_tracked == 2  # labelled, and augmented unlabelled images


def test_predict_on() -> None:
    model = build_css().eval()
    with torch.no_grad():
        model.teacher.model.decode_head.conv_seg.bias.copy_(torch.tensor([0.0, 100.0, 0.0]))
        model.student.decode_head.conv_seg.bias.copy_(torch.tensor([0.0, 0.0, 100.0]))
    images = random_images(0, 1, 3, (32, 32))
    for network, expected in (("teacher", 1), ("student", 2)):
        model.predict_on = network
        [sample] = model.predict(images, samples_without_masks(1))
        assert isinstance(sample.pred_sem_seg, PixelData)
        assert (sample.pred_sem_seg.data == expected).all()
        assert (model.encode_decode(images, [{"img_shape": (32, 32)}]).argmax(dim=1) == expected).all()
        assert (model(images).argmax(dim=1) == expected).all()  # mode='tensor', which exporters use
        assert model.decode_head is model.predictor.decode_head
    assert build_css().predict_on == "teacher"


# -- randomness -------------------------------------------------------------------------------------------------------


def step_losses(model: CSS, seed: int, iteration: int) -> dict[str, float]:
    model.progress = Progress(iteration, 100, seed)
    losses = {name: value.item() for name, value in model.loss(*random_batch()).items()}
    model.bank.discard()
    return losses


@pytest.mark.smoke
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


@pytest.mark.smoke
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


# -- settings ---------------------------------------------------------------------------------------------------------


def test_misspelt_keyword_is_an_error() -> None:
    with pytest.raises(TypeError, match="stategy"):
        MODELS.build(css_config(stategy="mix"))
    with pytest.raises(TypeError, match="deacy"):
        MODELS.build(css_config(teacher={"deacy": 0.9}))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("strategy", "model.strategy must be one of mix, cross, logit; got 'wrong'"),
        ("indicator", "model.indicator must be one of similarity, confidence; got 'wrong'"),
        ("teacher_sees", "model.teacher_sees must be one of both, unlabeled; got 'wrong'"),
        ("predict_on", "model.predict_on must be one of teacher, student; got 'wrong'"),
    ],
)
def test_wrong_choice_in_words(key: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MODELS.build(css_config(**{key: "wrong"}))


def test_settings_of_a_plain_segmentor_in_words() -> None:
    MODELS.build(css_config(pretrained=None, train_cfg=None))  # as MMSeg's init_model does
    with pytest.raises(ValueError, match="model.pretrained belongs to the student: move it to model.segmentor"):
        MODELS.build(css_config(pretrained="somewhere.pth"))


def test_missing_normalisation_in_words() -> None:
    with pytest.raises(ValueError, match="model.data_preprocessor has no mean and std"):
        MODELS.build(css_config(data_preprocessor={"type": "SemiDataPreprocessor", "size_divisor": 8}))


def test_crops_of_different_size_in_words() -> None:
    model = build_css(augmentation={"type": "StrongAugmentation", "crop": (16, 16)})
    with pytest.raises(ValueError, match=r"\(8, 8\) pixels for labelled and \(4, 4\) for augmented unlabelled images"):
        model.loss(*random_batch())


def test_head_without_a_branch_in_words() -> None:
    segmentor = tiny_segmentor(type="DeepLabV3PlusHead")
    del segmentor["decode_head"]["projection"]
    with pytest.raises(TypeError, match="decode_head is a DeepLabV3PlusHead, which has no projection branch. Use one"):
        MODELS.build(css_config(segmentor=segmentor))


def test_single_output_in_words() -> None:
    with pytest.raises(ValueError, match="num_classes=2 and out_channels=1; .* set num_classes=2, out_channels=2"):
        MODELS.build(css_config(segmentor=tiny_segmentor(num_classes=2, out_channels=1, threshold=0.5)))
