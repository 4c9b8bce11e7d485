"""Learning from pseudo-labels in the logit space."""

from torch import Tensor, nn

from mmseg_css.functional.pseudo_label import pseudo_label_loss
from mmseg_css.functional.ramps import exponential_rampup
from mmseg_css.registry import MODELS


@MODELS.register_module()
class PseudoLabelLoss(nn.Module):
    """Cross-entropy, each image weighted by its share of confident pixels; see `functional.pseudo_label_loss`.

    Args:
        threshold: confidence from which a pixel counts as confident.
        loss_weight: factor of the loss.
        rampup: share of the training over which the factor rises from almost 0, so that a short run does not learn the
            mistakes of a teacher that has only begun. Not in the paper; 0 is without.
    """

    def __init__(self, *, threshold: float = 0.97, loss_weight: float = 1.0, rampup: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold
        self.loss_weight = loss_weight
        self.rampup = rampup

    def forward(
        self, logits: Tensor, label: Tensor, confidence: Tensor, ignore_index: int, *, progress: float
    ) -> Tensor:
        weight = self.loss_weight * (exponential_rampup(progress / self.rampup) if self.rampup else 1.0)
        return weight * pseudo_label_loss(logits, label, confidence, self.threshold, ignore_index)
