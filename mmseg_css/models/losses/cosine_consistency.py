"""Consistency of two views in the label space."""

from torch import Tensor, nn

from mmseg_css.functional.consistency import cosine_consistency
from mmseg_css.models.choices import check_weights
from mmseg_css.models.losses.ranks import mean_over_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class CosineConsistencyLoss(nn.Module):
    """One minus the cosine of two views' class probabilities; see `functional.consistency`.

    Args:
        loss_weight: the paper's lambda_2; the value is ours (docs/pc2seg.md).
    """

    def __init__(self, *, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weights("model.consistency_loss", loss_weight=loss_weight)
        self.loss_weight = loss_weight

    def forward(self, weak: Tensor, strong: Tensor, valid: Tensor) -> Tensor:
        return self.loss_weight * cosine_consistency(weak, strong, valid, mean_over_ranks)
