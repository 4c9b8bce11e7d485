"""The teacher: its average, its buffers, its mode, and what a checkpoint keeps of it."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.runner import load_checkpoint, save_checkpoint
from torch import Tensor, nn

from mmseg_css.models import EMATeacher


def student(dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(dropout), nn.Conv2d(4, 2, 1)).train()


def images(seed: int = 1) -> Tensor:
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def set_weights(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)


def norm_of(teacher: EMATeacher) -> nn.BatchNorm2d:
    return teacher.model[1]


def test_average_of_a_sequence_computed_by_hand() -> None:
    network = student()
    teacher = EMATeacher(network, decay=0.6)
    set_weights(teacher.model, 100.0)
    followed = []
    for value in (1.0, 3.0, 8.0, 3.0):
        set_weights(network, value)
        teacher.update(network)
        followed.append(value_of(teacher))
    # Decays 0, 1/2, then min(2/3, 0.6) and min(3/4, 0.6): 1; (1 + 3) / 2; 0.6 * 2 + 0.4 * 8; 0.6 * 4.4 + 0.4 * 3.
    assert followed == pytest.approx([1.0, 2.0, 4.4, 3.84], abs=1e-6)
    assert teacher.step == 4


def value_of(teacher: EMATeacher) -> float:
    values = torch.cat([parameter.flatten() for parameter in teacher.model.parameters()])
    assert (values == values[0]).all()
    return values[0].item()


def test_own_buffers_are_left_alone() -> None:
    network = student()
    teacher = EMATeacher(network, buffers="own")
    network(images())
    teacher.update(network)
    assert norm_of(teacher).running_mean.tolist() == [0.0] * 4
    assert norm_of(teacher).num_batches_tracked == 0


def test_own_buffers_are_those_of_norm_layers_alone() -> None:
    """Others would stay what they were at the start, since their modules move them in training mode alone."""
    network = student()
    network[0].register_buffer("bases", torch.zeros(2))
    teacher = EMATeacher(network, buffers="own")
    network[0].bases = torch.ones(2)  # another tensor, as MMSeg's EMAHead has it
    network(images())
    teacher.update(network)
    assert teacher.model[0].bases.tolist() == [1.0, 1.0]
    assert norm_of(teacher).running_mean.tolist() == [0.0] * 4


def test_copied_buffers_are_the_students() -> None:
    network = student()
    teacher = EMATeacher(network, buffers="copy")
    network(images())
    teacher.update(network)
    assert torch.equal(norm_of(teacher).running_mean, network[1].running_mean)
    assert torch.equal(norm_of(teacher).running_var, network[1].running_var)
    assert norm_of(teacher).num_batches_tracked == 1


def test_averaged_buffers_follow_the_decay() -> None:
    network = student()
    teacher = EMATeacher(network, decay=0.75, buffers="average")
    teacher.step = 9
    network[1].running_mean.fill_(4.0)
    network[1].num_batches_tracked.fill_(7)
    teacher.update(network)
    assert norm_of(teacher).running_mean.tolist() == [1.0] * 4
    assert norm_of(teacher).num_batches_tracked == 7


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_mode_survives_train_and_eval_of_the_model(mode: str) -> None:
    model = nn.ModuleDict({"teacher": EMATeacher(student(dropout=0.5), mode=mode, buffers="copy")})
    norm = norm_of(model["teacher"])
    for _ in range(2):
        model.train()
        assert norm.training == (mode == "train")
        assert not any(module.training for module in model["teacher"].model.modules() if module is not norm)
        model.eval()
        assert not any(module.training for module in model.modules())


def test_train_mode_normalises_with_the_batch_and_moves_its_own_statistics() -> None:
    network = student()
    teacher = EMATeacher(network, mode="train").train()
    expected = nn.functional.batch_norm(network[0](images()), None, None, training=True)
    expected = network[3](expected)
    with torch.no_grad():
        output = teacher.model(images())
    assert torch.allclose(output, expected, atol=1e-6)
    assert norm_of(teacher).num_batches_tracked == 1
    assert network[1].num_batches_tracked == 0


def test_eval_mode_normalises_with_running_statistics_and_leaves_them() -> None:
    network = student()
    teacher = EMATeacher(network, mode="eval", buffers="copy").train()
    network.eval()
    assert torch.equal(teacher.model(images()), network(images()))
    assert norm_of(teacher).num_batches_tracked == 0


def test_norm_layers_frozen_by_the_network_stay_frozen() -> None:
    class Frozen(nn.Sequential):
        def train(self, mode: bool = True) -> "Frozen":
            super().train(mode)
            self[1].eval()
            return self

    teacher = EMATeacher(Frozen(*student()), mode="train").train()
    assert not norm_of(teacher).training


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_dropout_is_never_active(mode: str) -> None:
    teacher = EMATeacher(student(dropout=0.9), mode=mode, buffers="copy").train()
    assert torch.equal(teacher.model(images()), teacher.model(images()))


def test_no_gradient() -> None:
    network = student()
    teacher = EMATeacher(network)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not teacher.model(images()).requires_grad
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_reset_starts_again() -> None:
    network = student()
    teacher = EMATeacher(network)
    for _ in range(3):
        teacher.update(network)
    network(images())
    set_weights(network, 2.0)
    teacher.reset(network)
    assert teacher.step == 0
    for name, value in network.state_dict().items():
        assert torch.equal(teacher.model.state_dict()[name], value), name


def test_step_and_weights_go_through_mmengines_checkpoints(tmp_path: Path) -> None:
    network = student()
    teacher = EMATeacher(network, decay=0.5)
    for value in (1.0, 2.0, 4.0):
        set_weights(network, value)
        teacher.update(network)
    path = tmp_path / "teacher.pth"
    save_checkpoint({"state_dict": teacher.state_dict(), "meta": {}}, str(path))
    torch.load(path, weights_only=True)

    loaded = EMATeacher(student(), decay=0.5)
    load_checkpoint(loaded, str(path), strict=True)
    assert loaded.step == 3
    assert value_of(loaded) == value_of(teacher)


def test_copy_is_independent() -> None:
    network = student()
    teacher = EMATeacher(network)
    before = deepcopy(teacher.model.state_dict())
    set_weights(network, 7.0)
    assert all(torch.equal(value, before[name]) for name, value in teacher.model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"decay": 1.0}, r"teacher\.decay must lie in \[0, 1\), got 1\.0"),
        ({"mode": "trian"}, "model.teacher.mode must be one of train, eval; got 'trian'"),
        ({"mode": "eval"}, "would keep the statistics of the first step for ever"),
        ({"buffers": "none"}, "model.teacher.buffers must be one of own, copy, average; got 'none'"),
    ],
)
def test_wrong_settings_in_words(settings: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EMATeacher(student(), **settings)
