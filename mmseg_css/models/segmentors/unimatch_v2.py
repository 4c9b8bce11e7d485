"""UniMatch V2: two strong views with complementary channels dropped, labelled by a teacher (2024, arXiv 2410.10777)."""

from typing import Any

import torch

from mmseg_css.functional.channel_dropout import drop_complementary
from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, supervised_pass
from mmseg_css.models.segmentors.decoding import check_maps, decode
from mmseg_css.models.segmentors.telling import Diagnostics
from mmseg_css.registry import MODELS


@MODELS.register_module()
class UniMatchV2(SemiSegmentor):
    """Each of two strong views learns with the channels that the other has not, what the teacher sees in the weak view.

    ``L = (L_x + (L_s1 + L_s2) / 2) / 2``. Half of the images, at random, keep all channels in both views.

    Args:
        augmentation, pseudo_label_loss: configs of the strong views and of the loss of each view.
        teacher: settings of `EMATeacher`.
        kwargs: arguments of `SemiSegmentor`.
    """

    total_weight = 0.5

    def __init__(self, *, augmentation: dict, pseudo_label_loss: dict, teacher: dict, **kwargs: Any) -> None:
        super().__init__(augmentation=augmentation, teacher=teacher, **kwargs)
        check_maps(self.student)
        self.pseudo_label_loss = MODELS.build(pseudo_label_loss)

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        supervised, _ = supervised_pass(self.student, labeled)
        weak = self.pseudo_labelled(unlabeled, self.taught(unlabeled))
        views = [self.augment(weak, generator, labeled) for _ in range(2)]
        features = self.student.extract_feat(torch.cat([view.image for view in views]))
        strong = decode(self.student, drop_complementary(features, generator)).logits.chunk(2)
        first, second = (
            self.pseudo_label_loss(self.at_image(logits, view), view, self.ignore_index)
            for logits, view in zip(strong, views, strict=True)
        )
        self.diagnostics = Diagnostics(views[0].image, views[0].labels[:, 0], strong[0].detach())
        return supervised, {
            "loss_strong": (first + second) / 2,
            "kept": self.pseudo_label_loss.kept(weak, self.ignore_index),
        }
