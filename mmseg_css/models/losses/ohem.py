"""OHEM cross-entropy as a loss of an MMSeg decode head."""

from mmengine.dist import get_world_size
from torch import Tensor, nn

from mmseg_css.functional.ohem import ohem_cross_entropy
from mmseg_css.models.losses.ranks import mean_over_ranks, of_all_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class OhemCrossEntropyLoss(nn.Module):
    """See `functional.ohem`. MMSeg's own `OhemCrossEntropy` does not fit its decode heads (they pass ``ignore_index``).

    With several processes each needs as many images of as many pixels as the others: their hardest pixels are gathered.

    Args:
        threshold: probability of the own class below which a pixel is hard.
        min_kept: pixels per image that are kept at least.
        loss_weight: factor of the loss.
        loss_name: key of the loss in the log.
    """

    INSTEAD = "CrossEntropyLoss"

    def __init__(
        self,
        *,
        threshold: float = 0.7,
        min_kept: int = 50_000,
        loss_weight: float = 1.0,
        loss_name: str = "loss_ohem",
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.min_kept = min_kept
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, label: Tensor, weight: None = None, ignore_index: int = 255) -> Tensor:
        if weight is not None:
            raise ValueError("OhemCrossEntropyLoss chooses its pixels itself: remove the decode head's `sampler`")
        min_kept = self.min_kept * get_world_size()
        return self.loss_weight * ohem_cross_entropy(
            logits, label, self.threshold, min_kept, ignore_index, mean_over_ranks, of_all_ranks
        )
