"""Optimisers, their wrappers and constructors, as docs/compatibility.md says."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmseg_css.engine.hooks.method import unwrap
from mmseg_css.registry import MODELS
from tests.compat.runs import state
from tests.engine.tiny import config, log_of, train, write_data
from tests.models.helpers import tiny_segmentor
from tests.models.methods.helpers import build

CONVNEXT = {
    "type": "mmpretrain.ConvNeXt",
    "arch": {"depths": [1, 1, 1, 1], "channels": [8, 8, 8, 8]},
    "out_indices": [0, 1],
    "gap_before_final_norm": False,
}
BEIT = {"type": "BEiT", "img_size": 32, "patch_size": 16, "embed_dims": 8, "num_layers": 2, "num_heads": 2}
DECAY = {
    "ConvNeXt by stages": (CONVNEXT, {"decay_rate": 0.5, "decay_type": "stage_wise", "num_layers": 6}),
    "ConvNeXt by layers": (CONVNEXT, {"decay_rate": 0.5, "decay_type": "layer_wise", "num_layers": 6}),
    "BEiT by layers": (BEIT, {"decay_rate": 0.5, "decay_type": "layer_wise", "num_layers": 2}),
}
CONSTRUCTOR = "LearningRateDecayOptimizerConstructor"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path)


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


def optimizer_of(model: nn.Module, paramwise: dict, constructor: str = CONSTRUCTOR) -> torch.optim.Optimizer:
    optimizer = {"type": "AdamW", "lr": 0.1, "weight_decay": 0.05}
    wrapper = {"optimizer": optimizer, "constructor": constructor, "paramwise_cfg": dict(paramwise)}
    return build_optim_wrapper(model, {"type": "OptimWrapper", **wrapper}).optimizer


def settings_of(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, tuple[float, float]]:
    """Rate and weight decay of each parameter that trains, by its name."""
    groups = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    return {name: groups[id(p)] for name, p in model.named_parameters() if p.requires_grad}


# -- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DECAY)
@pytest.mark.parametrize("method", ["css", "mean_teacher", "cps"])
def test_rates_decay_with_the_layer_as_in_mmseg(kind: str, method: str) -> None:
    pytest.importorskip("mmpretrain.models")
    backbone, paramwise = DECAY[kind]
    model = build(method)
    networks = ["student", "peer"] if method == "cps" else ["student"]
    for name in networks:
        getattr(model, name).backbone = MODELS.build(backbone)
    plain = MODELS.build({**tiny_segmentor(), "backbone": backbone})
    plain.decode_head = model.student.decode_head
    expected = settings_of(optimizer_of(plain, paramwise), plain)
    assert len({rate for rate, _ in expected.values()}) > 2
    found = settings_of(optimizer_of(model, paramwise), model)
    assert found == {f"{name}.{key}": value for name in networks for key, value in expected.items()}


def test_the_older_constructor_decays_too() -> None:
    pytest.importorskip("mmpretrain.models")
    model = build("css")
    model.student.backbone = MODELS.build(BEIT)
    optimizer = optimizer_of(model, {"num_layers": 2, "layer_decay_rate": 0.5}, "LayerDecayOptimizerConstructor")
    assert len({group["lr"] for group in optimizer.param_groups}) > 2


def test_rates_decay_fault() -> None:
    """Goes when MMSeg's constructor goes by the names of its network, wherever that is held."""
    pytest.importorskip("mmpretrain.models")
    from mmseg.engine.optimizers import LearningRateDecayOptimizerConstructor

    model = build("fixmatch")
    model.student.backbone = MODELS.build(CONVNEXT)
    wrapper = {"type": "OptimWrapper", "optimizer": {"type": "AdamW", "lr": 0.1, "weight_decay": 0.05}}
    built = LearningRateDecayOptimizerConstructor(wrapper, dict(DECAY["ConvNeXt by stages"][1]))(model)
    assert len({group["lr"] for group in built.optimizer.param_groups}) == 1


def test_a_parameter_outside_of_the_networks_is_not_left_out() -> None:
    pytest.importorskip("mmpretrain.models")
    model = build("fixmatch")
    model.student.backbone = MODELS.build(CONVNEXT)
    model.scale = nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match="would not train scale, which belongs to none of the networks"):
        optimizer_of(model, DECAY["ConvNeXt by stages"][1])


def test_mmpretrains_constructor_says_what_it_needs() -> None:
    pytest.importorskip("mmpretrain.models")
    constructor = "mmpretrain.LearningRateDecayOptimWrapperConstructor"
    with pytest.raises(NotImplementedError, match="get_layer_depth"):
        optimizer_of(build("fixmatch"), {"layer_decay_rate": 0.5}, constructor)


# -- names ------------------------------------------------------------------------------------------------------------


def test_custom_keys_go_by_parts_of_names() -> None:
    keys = {"backbone": {"lr_mult": 0.1}, "student.decode_head.projection": {"lr_mult": 2.0, "decay_mult": 0.0}}
    model = build("css")
    optimizer = optimizer_of(model, {"custom_keys": keys, "norm_decay_mult": 0.0}, "DefaultOptimWrapperConstructor")
    found = settings_of(optimizer, model)
    assert found["student.backbone.low.conv.weight"] == pytest.approx((0.01, 0.05))
    assert found["student.decode_head.conv_seg.weight"] == pytest.approx((0.1, 0.05))
    assert found["student.decode_head.projection.layers.1.weight"] == pytest.approx((0.2, 0.0))
    assert found["student.decode_head.fuse.bn.weight"] == pytest.approx((0.1, 0.0))


def test_a_key_that_is_in_no_name_is_named(root: Path) -> None:
    keys = {"bacbone": {"lr_mult": 0.1}, "decode_head": {"lr_mult": 1.0}}
    train(config(root, "css", 1, optim_wrapper__paramwise_cfg={"custom_keys": keys}))
    assert "custom_keys has 'bacbone', which is in no parameter's name, and changes nothing" in log_of(root)
    assert "custom_keys has 'decode_head'" not in log_of(root)


# -- wrappers ---------------------------------------------------------------------------------------------------------


def test_clipped_gradients(root: Path) -> None:
    """A step of SGD is as long as the norm that is left."""
    optimizer = {"type": "SGD", "lr": 1.0}
    changes = {"optim_wrapper": {"_delete_": True, "optimizer": optimizer, "clip_grad": {"max_norm": 0.01}}}
    runner = train(config(root, "css", 2, custom_hooks=[{"type": "States"}], **changes))
    first, second = next(hook for hook in runner.hooks if type(hook).__name__ == "States").trained
    names = [name for name, _ in unwrap(runner.model).named_parameters() if name.startswith("student.")]
    moved = torch.stack([(second[name] - first[name]).norm() for name in names]).norm()
    assert float(moved) == pytest.approx(0.01, rel=1e-3)


def test_apex_says_that_it_is_missing(root: Path) -> None:
    wrapper: dict[str, Any] = {"_delete_": True, "type": "ApexOptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}}
    cfg = config(root, "css", 1, optim_wrapper=wrapper)
    with pytest.raises(AssertionError, match="Apex is not installed"):
        train(cfg)


def test_accumulated_gradients_move_the_teacher_once(root: Path) -> None:
    runner = train(config(root, "css", 4, optim_wrapper__accumulative_counts=2))
    assert unwrap(runner.model).teacher.step == 2
    assert int(state(runner)["teacher._extra_state"]) == 2
