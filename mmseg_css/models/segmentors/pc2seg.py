"""PC2Seg: one network, consistent in the label space and contrastive in the feature space (ICCV 2021, arXiv
2108.09025).
"""

from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.functional.labels import share_of
from mmseg_css.models.heads import check_projection
from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, full_precision, segment, supervised_pass
from mmseg_css.models.segmentors.decoding import check_one_map
from mmseg_css.models.segmentors.telling import Diagnostics, Inspection, PseudoLabelled
from mmseg_css.registry import MODELS
from mmseg_css.types import View


@MODELS.register_module()
class PC2Seg(SemiSegmentor):
    """Pixel Contrastive-Consistent Semi-Supervised Segmentation.

    The same weights see every unlabelled image twice: weakly augmented, as the loader gives it, and strongly augmented
    without moving a pixel. The views pass the network one after the other, so that batch norm takes the statistics of
    each from itself: the labels come from a view that no strong change has shifted. (So a network with a norm layer
    after a global pooling needs two unlabelled images in a batch.) There is no teacher.

    Args:
        augmentation: config of the strong view; it must leave every pixel in place.
        consistency_loss: config of the loss in the label space; only the strong view learns from it.
        contrast_loss: config of the loss in the feature space; both views learn from it.
        rampup: as in `SemiSegmentor`; that PC2Seg has a ramp is ours.
        kwargs: arguments of `SemiSegmentor`.
    """

    labeller = "student"

    def __init__(
        self,
        *,
        augmentation: dict,
        consistency_loss: dict,
        contrast_loss: dict,
        rampup: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(augmentation=augmentation, rampup=rampup, **kwargs)
        check_one_map(self.student)
        check_projection(self.student.decode_head)
        if self.augmentation.moves_pixels:
            raise ValueError(
                "model.augmentation moves pixels, but PC2Seg compares pixel i of one view with pixel i of the other: "
                "set scale=(1.0, 1.0), crop=None, flip_probability=0.0, labeled_share=0 and mixing='cutout' or 'none'"
            )
        self.consistency_loss = MODELS.build(consistency_loss)
        self.contrast_loss = MODELS.build(contrast_loss)

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        supervised, _ = supervised_pass(self.student, labeled)
        view = self.strong_view(unlabeled.images, unlabeled.valid, generator)
        weak_logits, weak_embeddings = segment(self.student, unlabeled.images)
        strong_logits, strong_embeddings = segment(self.student, view.image)
        with full_precision(weak_logits):
            weak, strong = weak_logits.softmax(dim=1), strong_logits.softmax(dim=1)
            valid = wholly_valid(view.valid, weak.shape[2:])
            consistency = self.consistency_loss(weak, strong, valid)
            contrast, anchors, found = self.contrast_loss(
                weak_embeddings, strong_embeddings, weak, valid, generator=generator
            )
            predicted = weak_logits.argmax(dim=1)
            agreeing = predicted == strong_logits.argmax(dim=1)
        self.pseudo_labelled_images = PseudoLabelled(
            unlabeled.samples, predicted[:, None], weak.detach().amax(dim=1, keepdim=True)
        )
        anchor_counts = torch.zeros(self.num_classes, device=found.device)
        anchor_counts.index_add_(0, predicted.flatten()[anchors], found.float())
        self.diagnostics = Diagnostics(
            view.image, predicted.masked_fill(~valid, self.ignore_index), strong_logits.detach(), anchor_counts
        )
        return supervised, {
            "loss_consistency": consistency,
            "loss_contrast": contrast,
            "agreement": share_of(valid, agreeing),
            "anchor_classes": (anchor_counts > 0).float().sum(),
        }

    def inspect(self, images: Tensor, size: tuple[int, int]) -> Inspection:
        return super().inspect(images, size)._replace(supervises=None)  # it learns from probabilities, of no label

    def strong_view(self, images: Tensor, valid: Tensor, generator: torch.Generator) -> View:
        """The strongly augmented images; ``valid`` where they show the image and not padding or a cut-out box."""
        none = images.new_zeros(len(images), 0, *images.shape[2:])
        return self.augment(View(images, none.long(), none, valid), generator)


def wholly_valid(valid: Bool[Tensor, "b H W"], size: torch.Size) -> Bool[Tensor, "b h w"]:
    """At the decoder's stride: True where every pixel of a cell is valid."""
    return F.interpolate(valid[:, None].float(), size, mode="area")[:, 0] == 1
