"""CSS: pseudo-labels from two spaces, contrast where the representation is weak (ICCV 2023, arXiv 2307.09755)."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal, cast, get_args

import torch
from torch import Tensor

from mmseg_css.functional.contrastive import confidence_indicator, similarity_indicator
from mmseg_css.functional.labels import share_of
from mmseg_css.functional.prototypes import check_temperature, highest_similarity
from mmseg_css.functional.pseudo_label import (
    agreement,
    logit_pseudo_label,
    prototype_pseudo_label,
    relative_confidence,
)
from mmseg_css.models.choices import check_choice, check_within
from mmseg_css.models.heads import check_projection
from mmseg_css.models.prototype_bank import PrototypeBank
from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.batch import (
    Images,
    at_stride,
    full_precision,
    one_batch,
    segment,
    supervised_embeddings,
)
from mmseg_css.models.segmentors.decoding import check_one_map
from mmseg_css.models.segmentors.telling import Diagnostics, Inspection
from mmseg_css.models.teacher import EMATeacher
from mmseg_css.registry import MODELS
from mmseg_css.types import PseudoLabel, SegOutput, View

Strategy = Literal["mix", "cross", "logit"]
Indicator = Literal["similarity", "confidence"]
TeacherSees = Literal["both", "unlabeled"]

NO_CLASS: Final = 255  # masks have 8 bits, so that classes end before


@MODELS.register_module()
class CSS(SemiSegmentor):
    """Collaborative Space Supervision.

    Args:
        strategy: which pseudo-label supervises the logit space. ``mix``: the one both spaces agree on, elsewhere none
            (the paper's main one); ``cross``: the representation space's, after ``cross_warmup``; ``logit``: the logit
            space's own. The confidences of ``cross`` are those of the representation space, which stay below 0.73 for
            21 classes (see ``strong_threshold``): a ``pseudo_label_loss.threshold`` above that is refused.
        indicator: what tells hard pixels: ``similarity`` to the prototypes (the paper's), or ``confidence`` of the
            logits. By default the strategy's: ``confidence`` for ``logit``, else ``similarity``.
        teacher: settings of `EMATeacher`.
        teacher_sees: the published code also runs the teacher on labelled images, which moves its batch-norm statistics
            and nothing else: ``both`` does so too, ``unlabeled`` spares that forward pass.
        prototype_decay: settings of `PrototypeBank`.
        confidence_decay: compares the confidence of a pseudo-label with the mean one of its class, a running mean over
            steps of this decay (`functional.relative_confidence`), so that thresholds ask less of classes that are
            seldom sure. By default they ask the same of all.
        augmentation, pseudo_label_loss, contrast_loss: configs of the parts.
        weak_threshold: confidence from which an unlabelled pixel takes part in the contrast.
        strong_threshold: indicator below which a pixel is hard (0.8 for VOC, 0.97 for Cityscapes). The similarity of k
            classes is at most ``e^(1/T) / (e^(1/T) + (k - 1) e^(-1/T))``: 0.73 for 21 classes at T = 0.5, so that with
            the paper's values every valid pixel is hard.
        temperature: T of the similarity to the prototypes.
        cross_warmup: iterations during which ``cross`` supervises with the logit space's labels; of ``cross`` alone.
        kwargs: arguments of `SemiSegmentor`.
    """

    teacher: EMATeacher

    def __init__(
        self,
        *,
        strategy: Strategy = "mix",
        indicator: Indicator | None = None,
        teacher: dict,
        teacher_sees: TeacherSees = "both",
        prototype_decay: float = 0.99,
        confidence_decay: float | None = None,
        augmentation: dict,
        pseudo_label_loss: dict,
        contrast_loss: dict,
        weak_threshold: float = 0.7,
        strong_threshold: float = 0.8,
        temperature: float = 0.5,
        cross_warmup: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(teacher=teacher, augmentation=augmentation, **kwargs)
        check_one_map(self.student)
        check_projection(self.student.decode_head)
        indicator = indicator or ("confidence" if strategy == "logit" else "similarity")
        check_choice("model.strategy", strategy, get_args(Strategy))
        check_choice("model.indicator", indicator, get_args(Indicator))
        check_choice("model.teacher_sees", teacher_sees, get_args(TeacherSees))
        check_temperature(temperature, "model.temperature")
        check_within("model", 0, 1, prototype_decay=prototype_decay, confidence_decay=confidence_decay or 0)
        check_within("model", 0, 1, weak_threshold=weak_threshold, strong_threshold=strong_threshold)
        check_warmup(cross_warmup, strategy)
        self.strategy, self.indicator, self.teacher_sees = strategy, indicator, teacher_sees
        self.contrasts = "mix" if strategy == "mix" else "logit"  # which pseudo-label takes part in the contrast
        bank = partial(PrototypeBank, num_classes=self.num_classes)
        self.bank = bank(channels=self.student.decode_head.projection.channels, decay=prototype_decay)
        self.confidences = None if confidence_decay is None else bank(channels=1, decay=confidence_decay)
        self.pseudo_label_loss = MODELS.build(pseudo_label_loss)
        self.contrast_loss = MODELS.build(contrast_loss)
        self.weak_threshold, self.strong_threshold = weak_threshold, strong_threshold
        self.temperature, self.cross_warmup = temperature, cross_warmup
        self._check_threshold()

    def _check_threshold(self) -> None:
        """Prototypes are never sure where classes are many, so that ``cross`` might learn no pseudo-label at all."""
        highest = highest_similarity(self.num_classes, self.temperature)
        threshold = getattr(self.pseudo_label_loss, "threshold", 0.0)
        if self.strategy == "cross" and self.confidences is None and threshold > highest:
            raise ValueError(
                f"model.pseudo_label_loss.threshold={threshold} is above {highest:.4f}, the highest confidence that "
                f"strategy='cross' has of {self.num_classes} classes at model.temperature={self.temperature}, so that "
                "no pseudo-label would be learnt: lower the threshold or the temperature, or set model.confidence_decay"
            )

    @property
    def required_hooks(self) -> tuple[str, ...]:
        return (*super().required_hooks, "PrototypeCommitHook")

    @property
    def banks(self) -> tuple[PrototypeBank, ...]:
        """What `PrototypeCommitHook` commits."""
        return (self.bank,) if self.confidences is None else (self.bank, self.confidences)

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        with torch.no_grad():
            if self.teacher_sees == "both":
                segment(self.teacher.model, labeled.images)
        supervised, output = supervised_embeddings(self.student, labeled)
        with torch.no_grad():
            teacher = segment(self.teacher.model, unlabeled.images)
        with full_precision(unlabeled.images):
            weak, agreed = self.pseudo_labelled_view(unlabeled, teacher)
        view = self.augment(weak, generator, labeled)
        student = segment(self.student, view.image)
        with full_precision(view.image):
            logits = self.at_image(student.logits, view)
            pseudo = self.pseudo_label_loss(logits, view, self.ignore_index)

            both = one_batch(output, student)
            contrast_source = PseudoLabel(view.labels[:, -1], view.confidences[:, -1])
            labels = self.contrast_labels(labeled.ground_truth, contrast_source, both.logits.shape[2:])
            contrast, anchors = self._contrast(both, labels, generator)
        self.diagnostics = Diagnostics(view.image, view.labels[:, 0], student.logits.detach(), anchors)
        return supervised, {
            "loss_pseudo_label": pseudo,
            "loss_contrast": contrast,
            "kept": self.pseudo_label_loss.kept(weak, self.ignore_index),
            "agreement": agreed,
            "anchor_classes": (anchors > 0).float().sum(),
        }

    @torch.no_grad()
    def pseudo_labelled_view(self, unlabeled: Images, teacher: SegOutput) -> tuple[View, Tensor]:
        """Images with the teacher's pseudo-labels, and the share of valid pixels on which its two spaces agree.

        The first label map supervises the logit space, the last one the contrast; under ``mix`` and ``logit`` they are
        one.
        """
        spaces = self._spaces(teacher, (unlabeled.images.shape[2], unlabeled.images.shape[3]))
        valid = unlabeled.valid
        agreeing = (spaces["logit"].label == spaces["representation"].label) & valid
        sources = [spaces[name] for name in dict.fromkeys((self._supervises, self.contrasts))]
        if self.confidences is not None:
            sources[0] = self._relative(sources[0], valid, teacher.logits.shape[2:])
        return self.view_of(unlabeled, sources, agreeing), share_of(valid, agreeing)

    def _relative(self, source: PseudoLabel, valid: Tensor, stride: torch.Size) -> PseudoLabel:
        """With confidences beside the mean ones of their classes, which are taken at the decoder's stride."""
        bank = cast(PrototypeBank, self.confidences)
        label = source.label.masked_fill((source.label == self.ignore_index) | ~valid, NO_CLASS)
        bank.observe(at_stride(source.confidence, stride)[:, None], at_stride(label, stride).long())
        means = bank.lookahead()[0][:, 0]
        return source._replace(confidence=relative_confidence(source.confidence, source.label, means))

    @property
    def _supervises(self) -> str:
        """Which pseudo-label the logits learn from at this moment."""
        if self.strategy == "cross":
            return "representation" if self.progress.iteration >= self.cross_warmup else "logit"
        return self.strategy

    def _spaces(self, teacher: SegOutput, size: tuple[int, int]) -> dict[str, PseudoLabel]:
        """The pseudo-labels of the logit space, of the representation space, and where both agree."""
        by_logits = logit_pseudo_label(teacher.logits, size, self.align_corners)
        by_prototypes = prototype_pseudo_label(
            teacher.embeddings,
            self.bank.prototypes,
            self.bank.seen,
            size,
            self.temperature,
            self.align_corners,
            self.ignore_index,
        )
        mixed = by_logits._replace(label=agreement(by_logits, by_prototypes, self.ignore_index))
        return {"logit": by_logits, "representation": by_prototypes, "mix": mixed}

    @torch.no_grad()
    def inspect(self, images: Tensor, size: tuple[int, int]) -> Inspection:
        student, teacher = segment(self.student, images), segment(self.teacher.model, images)
        sources, learnt = self._spaces(teacher, size), self._supervises
        own, relative = sources[learnt], None
        if self.confidences is not None:
            relative = relative_confidence(own.confidence, own.label, self.confidences.prototypes[:, 0])
        return Inspection(sources, learnt, self.contrasts, student.logits, self._indicators(student), relative)

    def _indicators(self, output: SegOutput) -> dict[str, Callable[[Tensor], Tensor]]:
        """What tells hard pixels of the student's output, given their labels."""
        known, similar = (self.bank.prototypes, self.bank.seen), partial(similarity_indicator, output.embeddings)
        return {
            "similarity": lambda labels: similar(labels, *known, self.temperature),
            "confidence": partial(confidence_indicator, output.logits),
        }

    def contrast_labels(self, ground_truth: Tensor, pseudo: PseudoLabel, size: torch.Size) -> Tensor:
        """Labels of the valid pixels at the decoder's stride, labelled images first; ``NO_CLASS`` elsewhere.

        ``ignore_index`` may be the index of a class, which is then neither learnt nor contrasted.
        """
        confident = torch.where(pseudo.confidence >= self.weak_threshold, pseudo.label, self.ignore_index)
        labels = torch.cat([at_stride(ground_truth, size), at_stride(confident, size)]).long()
        return labels.masked_fill(labels == self.ignore_index, NO_CLASS)

    def _contrast(self, output: SegOutput, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The contrastive loss over both halves of the batch, and the number of queries of every class."""
        with torch.no_grad():
            self.bank.observe(output.embeddings, labels)
            clear = self._indicators(output)[self.indicator](labels)
            prototypes, _ = self.bank.lookahead()
        loss, draw = self.contrast_loss(
            output.embeddings,
            labels,
            clear < self.strong_threshold,
            prototypes,
            progress=self.progress_fraction,
            generator=generator,
        )
        anchors = torch.zeros(self.num_classes, device=loss.device)
        return loss, anchors.index_copy(0, draw.classes, draw.found * float(draw.queries.shape[1]))


def check_warmup(iterations: object, strategy: Strategy) -> None:
    """Check ``cross_warmup``.

    Raises:
        ValueError: It counts no iterations, or there is nothing to warm up.
    """
    if not isinstance(iterations, int) or isinstance(iterations, bool) or iterations < 0:
        raise ValueError(f"model.cross_warmup must be a whole number of iterations, got {iterations!r}")
    if iterations and strategy != "cross":
        raise ValueError(
            f"model.cross_warmup={iterations} is about strategy='cross', and it is {strategy!r}: leave one of them out"
        )
