"""The supervised loss of an MMSeg decode head, however many processes share the batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmseg_css.functional.normalise import mean_of
from mmseg_css.models.losses.ranks import mean_over_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class PixelCrossEntropyLoss(nn.Module):
    """Cross-entropy, averaged over the valid pixels of all processes.

    In a single process it is MMSeg's ``CrossEntropyLoss(avg_non_ignore=True)``, which in several averages over each
    one's own pixels, so that those of a process with few labels would count more.

    Args:
        loss_weight: factor of the loss.
        loss_name: key of the loss in the log.
    """

    #: MMSeg's loss with the options that this one lacks, for whoever writes one of them here.
    INSTEAD = "CrossEntropyLoss"

    def __init__(self, *, loss_weight: float = 1.0, loss_name: str = "loss_ce") -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, label: Tensor, weight: None = None, ignore_index: int = 255) -> Tensor:
        if weight is not None:
            raise ValueError("PixelCrossEntropyLoss weighs all pixels alike: remove the decode head's `sampler`")
        # CUDA has no deterministic "sum" over maps.
        reduction = "none" if torch.are_deterministic_algorithms_enabled() else "sum"
        total = F.cross_entropy(logits, label, ignore_index=ignore_index, reduction=reduction)
        return self.loss_weight * mean_of(total.sum(), (label != ignore_index).sum(), mean_over_ranks)
