"""Learning from pseudo-labels in the logit space."""

from torch import Tensor, nn

from mmseg_css.functional.labels import share_of
from mmseg_css.functional.pseudo_label import masked_pseudo_label_loss, pseudo_label_loss
from mmseg_css.models.choices import check_weights, check_within
from mmseg_css.models.losses.ranks import mean_over_ranks
from mmseg_css.registry import MODELS
from mmseg_css.types import View


@MODELS.register_module()
class PseudoLabelLoss(nn.Module):
    """Cross-entropy, each image weighted by its share of confident pixels; see `functional.pseudo_label_loss`.

    Args:
        threshold: confidence from which a pixel counts as confident.
        loss_weight: factor of the loss.
    """

    #: Whether a pixel below the threshold is not learned from.
    masks = False

    def __init__(self, *, threshold: float = 0.97, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_within("model.pseudo_label_loss", 0, 1, threshold=threshold)
        check_weights("model.pseudo_label_loss", loss_weight=loss_weight)
        self.threshold = threshold
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, view: View, ignore_index: int, source: int = 0) -> Tensor:
        """The loss of logits at the size of the image, by the label map ``source`` of the view."""
        label, confidence = view.labels[:, source], view.confidences[:, source]
        return self.loss_weight * pseudo_label_loss(
            logits, label, confidence, self.threshold, ignore_index, mean_over_ranks
        )

    def kept(self, view: View, ignore_index: int) -> Tensor:
        """Share of the valid pixels that are learned from, for the log; the threshold weighs images and masks none."""
        return share_of(view.valid, view.labels[:, 0] != ignore_index)


@MODELS.register_module()
class MaskedPseudoLabelLoss(nn.Module):
    """Cross-entropy of the confident pixels over all valid ones; see `functional.masked_pseudo_label_loss`.

    Args:
        threshold: confidence from which a pixel is learned from (tau); 0 is every pixel.
        loss_weight: factor of the loss.
    """

    masks = True

    def __init__(self, *, threshold: float = 0.95, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_within("model.pseudo_label_loss", 0, 1, threshold=threshold)
        check_weights("model.pseudo_label_loss", loss_weight=loss_weight)
        self.threshold = threshold
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, view: View, ignore_index: int, source: int = 0) -> Tensor:
        """The loss of logits at the size of the image, by the label map ``source`` of the view."""
        label, confidence = view.labels[:, source], view.confidences[:, source]
        return self.loss_weight * masked_pseudo_label_loss(
            logits, label, confidence, view.valid, self.threshold, ignore_index, mean_over_ranks
        )

    def kept(self, view: View, ignore_index: int) -> Tensor:
        """Share of the valid pixels that are learned from, for the log."""
        confident = view.confidences[:, 0] >= self.threshold
        return share_of(view.valid, (view.labels[:, 0] != ignore_index) & confident)
