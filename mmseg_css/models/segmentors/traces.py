"""What a pass of a network leaves behind for later ones, also one that no gradient comes from."""

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from mmseg_css.models.prototype_bank import PrototypeBank


def keepers_of(model: nn.Module) -> list[nn.Module]:
    """Modules that keep numbers of a pass: norm layers their running statistics, banks their class sums."""
    return [module for module in model.modules() if isinstance(module, _NormBase | PrototypeBank)]


def traces_are_finite(keepers: list[nn.Module], device: torch.device) -> Bool[Tensor, ""]:
    """Whether all that they keep are numbers, found out without waiting for the device."""
    # The tensors of now: moving a model puts others in their place.
    kept = [value for keeper in keepers for value in keeper.buffers(recurse=False) if value.is_floating_point()]
    if not kept:  # a transformer has no running statistics
        return torch.ones((), dtype=torch.bool, device=device)
    return torch.stack(torch._foreach_norm(kept, ord=torch.inf)).isfinite().all()
