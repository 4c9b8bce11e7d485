"""The paper's decoder, and the projection branch on heads of MMSeg."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.config import Config
from mmseg.models.decode_heads import FCNHead
from torch import Tensor, nn

from mmseg_css.compat import revert_sync_bn
from mmseg_css.models.heads import LinearProjection, ProjectionBranch, ProjectionMixin
from mmseg_css.registry import MODELS
from tests.models.helpers import EMBEDDING, NUM_CLASSES, build_css, css_config, random_batch, tiny_segmentor

ROOT = Path(__file__).resolve().parents[2]
NORM = {"type": "BN", "requires_grad": True}
COMMON = {"num_classes": NUM_CLASSES, "dropout_ratio": 0.1, "norm_cfg": NORM, "align_corners": False}
SINGLE = {"in_channels": 8, "in_index": 1, "channels": 6, **COMMON}
PYRAMID = {"in_channels": [4, 8], "in_index": [0, 1], "channels": 6, **COMMON}
# Each with the name of its projection version.
HEADS = {
    "DeepLabV3PlusProjectionHead": {
        "type": "DeepLabV3PlusHead",
        "low_in_channels": 4,
        "low_channels": 3,
        "dilations": (1, 2),
        **SINGLE,
    },
    "FCNProjectionHead": {"type": "FCNHead", "num_convs": 1, **SINGLE},
    "PSPProjectionHead": {"type": "PSPHead", "pool_scales": (1, 2), **SINGLE},
    "UPerProjectionHead": {"type": "UPerHead", "pool_scales": (1, 2), **PYRAMID},
    "SegformerProjectionHead": {"type": "SegformerHead", **PYRAMID},
}
PROJECTION = {"type": "ProjectionBranch", "channels": 5, "hidden": 7}
PROJECTIONS = [PROJECTION, {"type": "LinearProjection", "channels": 5}]


def features(batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(batch, 4, 8, 8, generator=generator), torch.randn(batch, 8, 4, 4, generator=generator)]


def stride_of(name: str) -> int:
    """Of the head's output, in pixels of the first feature map."""
    return 1 if name not in ("FCNProjectionHead", "PSPProjectionHead") else 2


@pytest.fixture(params=itertools.product(HEADS, PROJECTIONS), ids=lambda case: f"{case[0]}-{case[1]['type']}")
def heads(request: pytest.FixtureRequest) -> tuple[str, nn.Module, nn.Module]:
    """Name, plain head, and the one with a projection branch and the plain one's weights."""
    torch.manual_seed(0)
    name, projection = request.param
    plain = MODELS.build(HEADS[name])
    projecting = MODELS.build({**HEADS[name], "type": name, "projection": projection})
    missing, unexpected = projecting.load_state_dict(plain.state_dict(), strict=False)
    assert missing
    assert all(name.startswith("projection.") for name in missing)
    assert not unexpected
    return name, plain.eval(), projecting.eval()


def test_logits_are_those_of_the_plain_head(heads: tuple[str, nn.Module, nn.Module]) -> None:
    name, plain, projecting = heads
    expected = plain(features())
    assert torch.equal(projecting(features()), expected)
    output = projecting.forward_embeddings(features())
    assert torch.equal(output.logits, expected)
    side = 8 // stride_of(name)
    assert output.logits.shape == (2, NUM_CLASSES, side, side)
    assert output.embeddings.shape == (2, 5, side, side)


def test_branch_reads_what_the_segmentation_branch_reads(heads: tuple[str, nn.Module, nn.Module]) -> None:
    """The classifier's input; in DeepLabV3+ that of the 3x3 convolution before it, as in the paper."""
    name, _, projecting = heads
    read = []
    reader = projecting.fuse if name == "DeepLabV3PlusProjectionHead" else projecting.conv_seg
    handle = reader.register_forward_pre_hook(lambda module, args: read.append(args[0]))
    embeddings = projecting.forward_embeddings(features()).embeddings
    handle.remove()
    assert len(read) == 1
    assert torch.equal(embeddings, projecting.projection(read[0]))


def test_no_hook_is_left_behind(heads: tuple[str, nn.Module, nn.Module]) -> None:
    _, _, projecting = heads
    projecting(features())
    projecting.forward_embeddings(features())
    with pytest.raises(IndexError):
        projecting.forward_embeddings([])
    assert not any(hooks_of(projecting))


def hooks_of(module: nn.Module) -> Iterator[dict]:
    for part in module.modules():
        yield part._forward_hooks
        yield part._forward_pre_hooks


def test_gradients_reach_both_branches_and_the_decoder(heads: tuple[str, nn.Module, nn.Module]) -> None:
    _, _, projecting = heads
    output = projecting.train().forward_embeddings(features())
    (output.logits.square().mean() + output.embeddings.square().mean()).backward()
    assert all(parameter.grad is not None for parameter in projecting.parameters())


@pytest.mark.parametrize("name", HEADS)
def test_css_trains_with_every_head(name: str) -> None:
    if name in ("UPerProjectionHead", "SegformerProjectionHead"):
        head = {**PYRAMID, "in_channels": [8, 8]}
    else:
        head = {**HEADS[name], "in_channels": 8, "low_in_channels": 8}
        if name != "DeepLabV3PlusProjectionHead":
            del head["low_in_channels"]
    segmentor = tiny_segmentor()
    segmentor["decode_head"] = {**head, "type": name, "projection": PROJECTION}
    model = build_css(segmentor=segmentor)
    losses = model.loss(*random_batch())
    sum(value for key, value in losses.items() if "loss" in key).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert all(parameter.grad is not None for parameter in model.student.parameters())
    assert model.bank.prototypes.shape == (NUM_CLASSES, 5)


def test_linear_projection_is_linear() -> None:
    """Up to its bias: what it makes of a sum is the sum."""
    projection = LinearProjection(in_channels=8, channels=5)
    first, second = torch.randn(2, 1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    bias = projection(torch.zeros(1, 8, 4, 4))
    both = projection(first) + projection(second) - bias
    torch.testing.assert_close(projection(first + second), both, rtol=0, atol=1e-5)


def test_own_head_in_one_line() -> None:
    class MyProjectionHead(ProjectionMixin, FCNHead):
        pass

    head = MyProjectionHead(projection=PROJECTION, num_convs=1, **SINGLE)
    assert head.forward_embeddings(features()).embeddings.shape == (2, 5, 4, 4)


# -- the paper's network ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper() -> nn.Module:
    """The network of the VOC config. Shapes only: nothing is allocated."""
    config = Config.fromfile(ROOT / "configs/css/css_r101_voc_1-8.py")
    revert_sync_bn(config)
    with torch.device("meta"):
        return MODELS.build(config.model.segmentor).eval()


def test_paper_strides(paper: nn.Module) -> None:
    images = torch.zeros(1, 3, 65, 65, device="meta")
    outputs = paper.extract_feat(images)
    assert [tuple(output.shape[1:]) for output in outputs] == [(256, 17, 17), (512, 9, 9), (1024, 9, 9), (2048, 9, 9)]
    logits, embeddings = paper.decode_head.forward_embeddings(outputs)
    assert logits.shape == (1, 21, 17, 17)
    assert embeddings.shape == (1, 256, 17, 17)


def test_paper_backbone_has_torchvisions_stem(paper: nn.Module) -> None:
    stem = paper.backbone.conv1
    assert (stem.kernel_size, stem.stride, stem.out_channels) == ((7, 7), (2, 2), 64)
    assert [len(getattr(paper.backbone, f"layer{stage}")) for stage in (1, 2, 3, 4)] == [3, 4, 23, 3]


def test_paper_decoder(paper: nn.Module) -> None:
    head = paper.decode_head
    assert [branch.conv.dilation[0] for branch in head.aspp_modules] == [1, 12, 24, 36]
    assert {branch.conv.out_channels for branch in head.aspp_modules} == {256}
    assert (head.low_projection.conv.in_channels, head.low_projection.conv.out_channels) == (256, 48)
    assert head.low_projection.conv.kernel_size == head.bottleneck.conv.kernel_size == (1, 1)
    # Both branches read the same 304 channels: 3x3, norm, ReLU, then 1x1.
    segmentation, representation = head.fuse, head.projection.layers[0]
    for branch in (segmentation, representation):
        assert isinstance(branch, ConvModule)
        assert (branch.conv.in_channels, branch.conv.out_channels) == (304, 256)
        assert (branch.conv.kernel_size, branch.conv.padding) == ((3, 3), (1, 1))
        assert isinstance(branch.norm, nn.BatchNorm2d)
        assert isinstance(branch.activate, nn.ReLU)
    assert (head.conv_seg.kernel_size, head.conv_seg.out_channels) == ((1, 1), 21)
    last = head.projection.layers[1]
    assert (last.kernel_size, last.in_channels, last.out_channels) == ((1, 1), 256, 256)
    assert head.align_corners
    convolutions = [module for module in head.modules() if isinstance(module, nn.Conv2d)]
    assert all(convolution.groups == 1 for convolution in convolutions)
    # Image pooling, four ASPP branches, bottleneck, low projection, and two branches of two.
    assert len(convolutions) == 1 + 4 + 1 + 1 + 4


def test_paper_has_no_dropout(paper: nn.Module) -> None:
    active = [
        module for module in paper.modules() if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0
    ]
    assert paper.decode_head.dropout is None
    assert not active


# -- backbones of mmpretrain ------------------------------------------------------------------------------------------

MMPRETRAIN = {
    "ConvNeXt": (
        {
            "type": "mmpretrain.ConvNeXt",
            "arch": {"depths": [1, 1, 1, 1], "channels": [4, 8, 8, 8]},
            "out_indices": (0, 3),
            "gap_before_final_norm": False,
        },
        (4, 8),
    ),
    "ResNet": (
        {"type": "mmpretrain.ResNet", "depth": 18, "stem_channels": 8, "base_channels": 4, "out_indices": (0, 3)},
        (4, 32),
    ),
}


@pytest.mark.parametrize("name", MMPRETRAIN)
def test_backbones_of_mmpretrain(name: str) -> None:
    pytest.importorskip("mmpretrain.models")
    backbone, (low, deep) = MMPRETRAIN[name]
    segmentor = tiny_segmentor(in_channels=deep, low_in_channels=low)
    model = build_css(segmentor={**segmentor, "backbone": backbone})
    losses = model.loss(*random_batch(size=(64, 64)))
    sum(value for key, value in losses.items() if "loss" in key).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert all(parameter.grad is not None for parameter in model.student.parameters())


# -- the branch by itself ---------------------------------------------------------------------------------------------


def test_branch_takes_the_heads_norm() -> None:
    head = MODELS.build({**HEADS["FCNProjectionHead"], "type": "FCNProjectionHead", "projection": PROJECTION})
    assert isinstance(head.projection, ProjectionBranch)
    assert isinstance(head.projection.layers[0].norm, nn.BatchNorm2d)


def test_embedding_size_reaches_the_bank() -> None:
    assert build_css().bank.prototypes.shape == (NUM_CLASSES, EMBEDDING)
    assert css_config().segmentor.decode_head.projection.channels == EMBEDDING


def test_a_tap_that_is_no_convolution_in_words() -> None:
    """The head has such a submodule, a list of convolutions."""
    head = {**HEADS["UPerProjectionHead"], "type": "UPerProjectionHead", "projection": PROJECTION, "tap": "fpn_convs"}
    with pytest.raises(
        TypeError, match="UPerProjectionHead has no convolution 'fpn_convs', whose input .* decode_head.tap"
    ):
        MODELS.build(head)
