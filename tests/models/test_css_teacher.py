"""Teacher and student of CSS: how they begin, who learns, who predicts."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.runner import load_checkpoint
from mmengine.structures import PixelData

from mmseg_css.registry import MODELS
from tests.models.conftest import total_of
from tests.models.helpers import (
    build_css,
    css_config,
    random_batch,
    random_images,
    samples_without_masks,
    tiny_segmentor,
)
from tests.models.methods.helpers import build


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


@pytest.mark.parametrize("method", ["css", "mean_teacher"])
def test_a_checkpoint_without_a_teacher_is_where_both_networks_start(method: str) -> None:
    """That of FixMatch, say, with weights and statistics of its own."""
    other = build("fixmatch")
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter)
    other.student.backbone.low.bn.running_mean.fill_(3.0)
    model, expected = build(method), other.student.state_dict()
    model.load_state_dict(other.state_dict(), strict=False)
    for network in (model.student, model.teacher.model):
        own = network.state_dict()
        assert all(torch.equal(own[name], value) for name, value in expected.items())


def test_a_checkpoint_with_a_teacher_keeps_it() -> None:
    model, other = build_css(), build_css()
    torch.nn.init.normal_(other.teacher.model.decode_head.conv_seg.weight)
    model.load_state_dict(other.state_dict())
    for name, value in other.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


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
