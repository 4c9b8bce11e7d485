"""What holds of a step of every method."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from mmseg_css.registry import MODELS
from tests.models.conftest import total_of
from tests.models.helpers import batch_of, random_batch, random_images, random_labels, samples_without_masks
from tests.models.methods.helpers import (
    METHODS,
    NOISY,
    OWN_HOOKS,
    PLAIN,
    build,
    config,
    networks_of,
    plain_segmentor,
    reading_config,
    step_at,
)

GROUP_NORM = {"type": "GN", "num_groups": 2, "requires_grad": True}
#: Something in a step of theirs is drawn.
DRAWING = {*NOISY, *(method for method, own in METHODS.items() if "augmentation" in own)}
# Pixels alone: jitter and blur would carry what stands in one pixel to others.
ALONE = {"type": "StrongView", "jitter_probability": 0.0, "blur_probability": 0.0, "mixing_probability": 1.0}


@pytest.mark.parametrize("num_classes", [2, 5])
@pytest.mark.parametrize("method", METHODS)
def test_losses_and_gradients_are_finite_and_reach_every_weight(method: str, num_classes: int) -> None:
    model = build(method, head={"num_classes": num_classes})
    losses = model.loss(*random_batch(num_classes=num_classes))
    total, log = model.parse_losses(losses)
    total.backward()
    assert all(value.isfinite().all() for value in log.values()), log
    assert total.item() == pytest.approx(model.total_weight * total_of(losses).item())
    assert {name.split(".")[0] for name in losses} == {"sup", "unsup"}
    for network in networks_of(model):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name  # DDP would wait for it
    if model.teacher is not None:
        assert all(parameter.grad is None for parameter in model.teacher.parameters())


#: Their strong views have pseudo-labels.
LABELLING = [method for method, own in METHODS.items() if {"augmentation", "pseudo_label_loss"} <= own.keys()]
AIDED = {"type": "StrongAugmentation", "labeled_share": 1.0, "mixing": "none"}


@pytest.mark.parametrize("method", LABELLING)
def test_parts_of_labelled_images_bring_their_true_labels_into_the_strong_view(method: str) -> None:
    """All pixels of the unlabelled images are padding, so that no others have any."""
    model = build(method, augmentation=AIDED)
    inputs, samples = random_batch()
    for sample in samples["unlabeled"]:
        sample.set_metainfo({"padding_size": (0, 0, 32, 0)})
    learnt = step_at(model, (inputs, samples))
    assert sum(value.item() for name, value in learnt.items() if name.startswith("unsup.loss")) > 0
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(255)
    nothing = step_at(model, (inputs, samples))
    assert sum(value.item() for name, value in nothing.items() if name.startswith("unsup.loss")) == 0


def test_a_strong_view_without_labels_takes_none_from_labelled_images() -> None:
    with pytest.raises(ValueError, match="moves pixels, but PC2Seg .* set .* labeled_share=0"):
        build("pc2seg", augmentation={**AIDED, "scale": (1.0, 1.0), "flip_probability": 0.0})


def test_labelled_images_of_another_size_in_words() -> None:
    inputs, samples = random_batch()
    larger = torch.nn.functional.pad(inputs["labeled"], (0, 8, 0, 0))
    with pytest.raises(ValueError, match=r"are pasted into them \(model.augmentation.labeled_share\): set model"):
        step_at(build("mean_teacher", augmentation=AIDED), ({**inputs, "labeled": larger}, samples))


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_learn_from_is_an_attached_zero(method: str) -> None:
    model = build(method)
    inputs, samples = random_batch()
    for sample in samples["labeled"]:
        sample.gt_sem_seg.data.fill_(255)
    padded = {"padding_size": (0, 0, 32, 0)}
    for sample in (*samples["labeled"], *samples["unlabeled"]):
        sample.set_metainfo(padded)
    total, _ = model.parse_losses(model.loss(inputs, samples))
    assert total.item() == 0.0
    total.backward()
    for parameter in model.student.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()


@pytest.mark.parametrize("method", PLAIN)
def test_what_stands_in_the_padding_and_in_ignored_pixels_changes_nothing(method: str) -> None:
    changes = {"augmentation": ALONE} if "augmentation" in PLAIN[method] else {}
    torch.manual_seed(0)
    model = MODELS.build(reading_config(method, **changes)).train()
    images, labels, unlabeled = (
        random_images(0, 2, 3, (8, 8)),
        random_labels(1, 2, (8, 8)),
        random_images(2, 2, 3, (8, 8)),
    )
    labels[:, 5:] = 255

    def losses(ignored: float, padded: float) -> dict[str, float]:
        changed, of_unlabeled = images.clone(), unlabeled.clone()
        changed.movedim(1, -1)[labels == 255] = ignored
        of_unlabeled[:, :, 6:] = of_unlabeled[:, :, :, 7:] = padded
        inputs, samples = batch_of(changed, labels, of_unlabeled)
        samples["unlabeled"] = samples_without_masks(2, padding=(0, 1, 0, 2))
        found = step_at(model, (inputs, samples))
        return {name: value.item() for name, value in found.items() if "loss" in name}

    usual = losses(0.5, 0.5)
    assert losses(0.5, -0.9) == usual
    ignored = losses(-0.9, 0.5)
    if method == "cps":  # it learns from labelled images without their labels, too
        assert ignored.pop("unsup.loss_cross") != usual.pop("unsup.loss_cross")
    assert ignored == usual


def test_cps_learns_nothing_from_the_padding_of_labelled_images() -> None:
    model = MODELS.build(reading_config("cps")).train()
    found = []
    for padded in (0.5, -0.9):
        inputs, samples = random_batch(size=(8, 8))
        inputs["labeled"][:, :, 6:] = padded
        for sample in samples["labeled"]:
            sample.set_metainfo({"padding_size": (0, 0, 0, 2)})
            sample.gt_sem_seg.data[:, 6:] = 255
        found.append({name: value.item() for name, value in model.loss(inputs, samples).items()})
    assert found[0] == found[1]


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_a_function_of_seed_and_iteration(method: str) -> None:
    model, batch = build(method, rampup=0.0), random_batch()
    first = step_at(model, batch, seed=1, iteration=5)
    torch.manual_seed(123)
    assert step_at(model, batch, seed=1, iteration=5) == first
    for seed, iteration in ((1, 6), (2, 5)):
        other = step_at(model, batch, seed, iteration)
        differing = {name for name in first if "loss" in name and other[name] != first[name]}
        assert not any(name.startswith("sup") for name in differing) or method == "unimatch"  # its decoder has both
        assert bool(differing) == (method in DRAWING)


@pytest.mark.parametrize("method", METHODS)
def test_global_randomness_is_not_consumed(method: str) -> None:
    """(Of `random` it cannot be seen: the tests' type checker draws from it which item of a list it looks at.)"""
    model = build(method)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    model.loss(*random_batch())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])


@pytest.mark.parametrize("method", METHODS)
def test_step_under_bfloat16(method: str) -> None:
    model = build(method)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, log = model.parse_losses(model.loss(*random_batch()))
    total.backward()
    assert all(value.isfinite().all() and value.dtype == torch.float32 for value in log.values()), log
    assert all(parameter.grad.isfinite().all() for parameter in model.student.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_compiled_backbones(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are compiled, and neither checkpoint names nor losses change. (With a backend that compiles nothing.)"""
    compiled = []
    compile_module = nn.Module.compile

    def compile_eagerly(module: nn.Module) -> None:
        compiled.append(module)
        compile_module(module, backend="eager")

    plain = build(method)
    monkeypatch.setattr(nn.Module, "compile", compile_eagerly)
    model = build(method, compile_backbone=True)
    teacher = [] if model.teacher is None else [model.teacher.model]
    assert {id(module) for module in compiled} == {id(net.backbone) for net in (*networks_of(model), *teacher)}
    assert list(model.state_dict()) == list(plain.state_dict())
    expected = step_at(plain, random_batch())
    for name, value in step_at(model, random_batch()).items():
        assert value.item() == pytest.approx(expected[name].item(), abs=1e-5), name


@pytest.mark.parametrize("method", METHODS)
def test_labelled_losses_are_those_of_the_plain_segmentor(method: str) -> None:
    """Without statistics of the batch, which labelled and unlabelled images share where they pass together."""
    model, batch = build(method, head={"norm_cfg": GROUP_NORM}), random_batch()
    for network in networks_of(model):
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    losses = model.loss(*batch)
    for network, name in zip(networks_of(model), ("sup.loss_ce", "sup.peer.loss_ce"), strict=False):
        plain = deepcopy(network).loss(batch[0]["labeled"], deepcopy(batch[1]["labeled"]))
        assert losses[name].item() == pytest.approx(plain["decode.loss_ce"].item(), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_auxiliary_heads_learn_the_labelled_images(method: str) -> None:
    auxiliary = {
        "type": "FCNHead",
        "in_channels": 8,
        "in_index": 0,
        "channels": 4,
        "num_convs": 1,
        "concat_input": False,
        "dropout_ratio": 0,
        "num_classes": 3,
        "align_corners": True,
        "loss_decode": {"type": "PixelCrossEntropyLoss", "loss_weight": 0.4},
    }
    segmentor = {**config(method).segmentor, "auxiliary_head": auxiliary}
    model, batch = build(method, segmentor=segmentor), random_batch()
    for module in model.student.backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    losses = model.loss(*batch)
    plain = deepcopy(model.student).loss(batch[0]["labeled"], deepcopy(batch[1]["labeled"]))
    assert losses["sup.aux.loss_ce"].item() == pytest.approx(plain["aux.loss_ce"].item(), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_checkpoint_of_a_plain_segmentor_is_where_networks_begin(method: str) -> None:
    torch.manual_seed(7)
    plain = MODELS.build(plain_segmentor())
    plain.init_weights()
    state = plain.state_dict()
    model = build(method)
    missing, unexpected = model.load_state_dict(deepcopy(state), strict=False)
    assert not unexpected
    assert all(
        ".projection." in name or name.startswith(("bank.", "confidences.")) or "extra_state" in name
        for name in missing
    )
    networks = [model.student] + ([] if model.teacher is None else [model.teacher.model])
    for network in networks:
        assert all(torch.equal(value, network.state_dict()[name]) for name, value in state.items())
    if hasattr(model, "peer"):  # equal networks would teach each other nothing
        peer = model.peer.state_dict()
        same = {name.split(".")[0] for name, value in state.items() if torch.equal(value, peer[name])}
        assert all(torch.equal(value, peer[name]) for name, value in state.items() if name.startswith("backbone"))
        assert not torch.equal(peer["decode_head.conv_seg.weight"], state["decode_head.conv_seg.weight"]), same


@pytest.mark.parametrize("method", METHODS)
def test_own_checkpoints_load(method: str) -> None:
    model, other = build(method), build(method)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    other.load_state_dict(model.state_dict())
    expected, found = (step_at(own, random_batch()) for own in (model, other))
    assert expected == found


@pytest.mark.parametrize("method", METHODS)
def test_the_loop_is_asked_for_the_hooks_that_the_method_needs(method: str) -> None:
    """Progress of all, the teacher's update where there is one, and the prototypes' of CSS; yours may add their own."""
    model = build(method)
    wanted = {
        "ProgressHook": True,
        "TeacherUpdateHook": model.teacher is not None,
        "PrototypeCommitHook": method in ("css", "aided_css"),
    }
    own = OWN_HOOKS.get(method, set())
    assert set(model.required_hooks) == {name for name, needed in wanted.items() if needed} | own


@pytest.mark.parametrize("method", PLAIN)
def test_a_plain_one_needs_no_projection_and_predicts_as_its_network(method: str) -> None:
    model = build(method).eval()
    images = random_images(0, 1, 3, (32, 32))
    network = model.student if model.teacher is None else model.teacher.model
    assert torch.equal(model(images), network(images))


@pytest.mark.parametrize("method", ["fixmatch", "unimatch"])
def test_statistics_apart_let_no_unlabelled_image_into_the_labelled_loss(method: str) -> None:
    """With norm layers over both halves, the labelled loss depends on what else is in the batch."""
    inputs, samples = random_batch()
    for statistics, depends in (("joint", True), ("apart", False)):
        found = []
        for factor in (1.0, -3.0):
            model = build(method, statistics=statistics)
            torch.manual_seed(0)  # dropout
            losses = model.loss({**inputs, "unlabeled": factor * inputs["unlabeled"]}, samples)
            found.append(next(value.item() for name, value in losses.items() if name.startswith("sup.loss")))
        assert (found[0] != found[1]) is depends, statistics
