"""FixMatch for segmentation, as the authors of UniMatch train it (CVPR 2023, arXiv 2208.09910)."""

from typing import Any, get_args

import torch

from mmseg_css.models.choices import check_choice
from mmseg_css.models.segmentors.base import Network, SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, Statistics, supervised_beside, supervised_pass
from mmseg_css.models.segmentors.decoding import logits_of
from mmseg_css.models.segmentors.telling import Diagnostics
from mmseg_css.registry import MODELS


@MODELS.register_module()
class FixMatch(SemiSegmentor):
    """The strong view learns what the weak view, the image as the loader gives it, is confidently seen as.

    ``L = (L_x + L_s) / 2``. With a teacher and ``threshold=0`` it is Mean Teacher with CutMix.

    Args:
        augmentation, pseudo_label_loss: configs of the strong view and of its loss.
        labeller: who labels the weak view, the ``student`` or a ``teacher`` in a pass of its own.
        statistics: whether norm layers see the weak view that the student labels in one batch with the labelled images
            (``joint``, as the authors) or ``apart``: with few labelled images joint ones tell these from the rest.
        teacher, kwargs: arguments of `SemiSegmentor`.
    """

    total_weight = 0.5

    def __init__(
        self,
        *,
        augmentation: dict,
        pseudo_label_loss: dict,
        labeller: Network = "student",
        statistics: Statistics = "joint",
        teacher: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(augmentation=augmentation, teacher=teacher, **kwargs)
        check_choice("model.labeller", labeller, get_args(Network))
        check_choice("model.statistics", statistics, get_args(Statistics))
        if labeller == "teacher" and teacher is None:
            settings = "dict(decay=0.996, mode='eval', buffers='average')"
            raise ValueError(f"model.labeller='teacher' needs a teacher: set model.teacher, say {settings}")
        self.pseudo_label_loss = MODELS.build(pseudo_label_loss)
        self.labeller, self.statistics = labeller, statistics
        self.labels_apart = labeller == "teacher" or statistics == "apart"

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        if self.labeller == "teacher":
            (supervised, _), said = supervised_pass(self.student, labeled), self.taught(unlabeled)
        else:
            supervised, said = supervised_beside(self.student, labeled, unlabeled, self.statistics)
        weak = self.pseudo_labelled(unlabeled, said)
        view = self.augment(weak, generator, labeled)
        strong = logits_of(self.student, view.image)
        loss = self.pseudo_label_loss(self.at_image(strong, view), view, self.ignore_index)
        self.diagnostics = Diagnostics(view.image, view.labels[:, 0], strong.detach())
        return supervised, {"loss_pseudo_label": loss, "kept": self.pseudo_label_loss.kept(weak, self.ignore_index)}
