"""How convolutions are computed: channels last, and dilated depthwise ones as sums."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn

from mmseg_css import compat
from mmseg_css.engine.hooks import ChannelsLastHook, DilatedDepthwiseHook
from mmseg_css.registry import MODELS
from tests.models.helpers import css_config, random_batch

# -- channels last -----------------------------------------------------------------------------------------------------


def test_channels_last_reaches_every_convolution_and_changes_only_rounding() -> None:
    init_default_scope("mmseg")
    inputs, samples = random_batch()
    losses = []
    for hook in (None, ChannelsLastHook()):
        torch.manual_seed(0)
        model = MODELS.build(css_config())
        model.init_weights()
        if hook is not None:
            hook.before_run(SimpleNamespace(model=model))
            convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
            assert convolutions
            assert all(c.weight.is_contiguous(memory_format=torch.channels_last) for c in convolutions)
            features = model.student.backbone(inputs["labeled"])
            assert all(f.is_contiguous(memory_format=torch.channels_last) for f in features)
        losses.append(model.train().loss(inputs, samples)["sup.loss_ce"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize(("channels", "cpu", "moved"), [(2, True, False), (2, False, True), (8, True, True)])
def test_channels_last_keeps_away_from_what_overruns_memory(
    monkeypatch: pytest.MonkeyPatch, channels: int, cpu: bool, moved: bool
) -> None:
    monkeypatch.setattr(compat, "on_cpu", lambda: cpu)
    model = nn.Sequential(nn.Conv2d(3, channels, 3), nn.Conv2d(channels, 4, 1, stride=2))
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last) == moved


# -- dilated depthwise convolutions ------------------------------------------------------------------------------------


def convolutions() -> nn.Sequential:
    """One that the hook computes, with a bias, and those that it leaves alone."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 4, 5, padding=4, dilation=2, groups=4),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, stride=2),
        nn.Conv2d(4, 4, 3, padding=0, dilation=2, groups=4),
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=4),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, padding_mode="reflect"),
    )


def test_only_dilated_depthwise_convolutions_are_computed_anew_with_the_same_result() -> None:
    plain, hooked = convolutions(), convolutions()
    DilatedDepthwiseHook().before_run(SimpleNamespace(model=hooked))
    changed = [type(module) is not nn.Conv2d for module in hooked]
    assert changed == [True, *[False] * 6]
    assert list(hooked.state_dict()) == list(plain.state_dict())
    images = torch.randn(2, 4, 16, 16)
    for model in (plain, hooked):
        model(images).square().sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(hooked(images), plain(images))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert hooked(images).dtype == torch.bfloat16
    for own, other in zip(hooked.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad)
