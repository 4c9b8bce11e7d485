"""UniMatch: FixMatch with two strong views and perturbed features (CVPR 2023, arXiv 2208.09910)."""

from typing import Any, get_args

import torch

from mmseg_css.functional.channel_dropout import drop_channels
from mmseg_css.models.choices import check_choice, check_weights
from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, Statistics, joined, supervise, supervised_pass
from mmseg_css.models.segmentors.decoding import check_maps, decode, logits_of
from mmseg_css.models.segmentors.telling import Diagnostics
from mmseg_css.registry import MODELS


@MODELS.register_module()
class UniMatch(SemiSegmentor):
    """Two strong views, and the weak view with channels of its features dropped, learn what the weak view is seen as.

    ``L = (L_x + w_s (L_s1 + L_s2) + w_fp L_fp) / 2``. The decoder sees plain and perturbed features in one batch, and
    the network both strong views. The perturbed labelled images, of which nothing is learned, take part in that batch's
    statistics, as in the authors' code.

    Args:
        augmentation, pseudo_label_loss: configs of the strong views and of the loss of each view.
        strong_weight: w_s, of each strong view.
        feature_weight: w_fp.
        dropped: share of the channels dropped in each of the backbone's maps.
        statistics: as in `FixMatch`; ``apart`` the labelled images are not perturbed.
        kwargs: arguments of `SemiSegmentor`.
    """

    total_weight = 0.5
    labeller = "student"
    labels_apart = False  # the decoder sees perturbed features beside the plain ones

    def __init__(
        self,
        *,
        augmentation: dict,
        pseudo_label_loss: dict,
        strong_weight: float = 0.25,
        feature_weight: float = 0.5,
        dropped: float = 0.5,
        statistics: Statistics = "joint",
        **kwargs: Any,
    ) -> None:
        super().__init__(augmentation=augmentation, **kwargs)
        check_maps(self.student)
        self.pseudo_label_loss = MODELS.build(pseudo_label_loss)
        self.strong_weight = strong_weight
        self.feature_weight = feature_weight
        if not 0 <= dropped < 1:
            raise ValueError(f"model.dropped must lie in [0, 1), got {dropped!r}: a map without channels says nothing")
        check_weights("model", strong_weight=strong_weight, feature_weight=feature_weight)
        check_choice("model.statistics", statistics, get_args(Statistics))
        self.dropped = dropped
        self.statistics = statistics

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        joint = self.statistics == "joint"
        features = self.student.extract_feat((joined(labeled, unlabeled) if joint else unlabeled).images)
        perturbed = drop_channels(features, self.dropped, generator)
        both = [torch.cat(level) for level in zip(features, perturbed, strict=True)]
        decoded = decode(self.student, both)
        if joint:
            supervised = supervise(self.student, features, decoded.outputs, labeled.samples)
        else:
            supervised, _ = supervised_pass(self.student, labeled)
        plain, disturbed = decoded.logits.chunk(2)

        number = len(labeled.samples) if joint else 0
        weak = self.pseudo_labelled(unlabeled, plain[number:])
        views = [self.augment(weak, generator, labeled) for _ in range(2)]
        strong = logits_of(self.student, torch.cat([view.image for view in views])).chunk(2)
        first, second, feature = (
            self.pseudo_label_loss(self.at_image(own, view), view, self.ignore_index)
            for own, view in zip((*strong, disturbed[number:]), (*views, weak), strict=True)
        )
        self.diagnostics = Diagnostics(views[0].image, views[0].labels[:, 0], strong[0].detach())
        return supervised, {
            "loss_strong": self.strong_weight * (first + second),
            "loss_feature": self.feature_weight * feature,
            "kept": self.pseudo_label_loss.kept(weak, self.ignore_index),
        }
