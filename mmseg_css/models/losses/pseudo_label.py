"""Learning from pseudo-labels in the logit space."""

from torch import Tensor, nn

from mmseg_css.functional.pseudo_label import pseudo_label_loss
from mmseg_css.models.losses.ranks import mean_over_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class PseudoLabelLoss(nn.Module):
    """Cross-entropy, each image weighted by its share of confident pixels; see `functional.pseudo_label_loss`.

    Args:
        threshold: confidence from which a pixel counts as confident.
        loss_weight: factor of the loss.
    """

    def __init__(self, *, threshold: float = 0.97, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.threshold = threshold
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int) -> Tensor:
        return self.loss_weight * pseudo_label_loss(
            logits, label, confidence, self.threshold, ignore_index, mean_over_ranks
        )
