"""What every semi-supervised segmentor shares: a student, prediction through MMSeg, progress and randomness."""

from abc import abstractmethod
from functools import cached_property, partial
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from jaxtyping import Float
from mmengine.dist import get_rank
from mmseg.models.segmentors import BaseSegmentor, EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn
from torch.nn import functional as F

from mmseg_css.functional.contrastive import confidence_indicator
from mmseg_css.functional.pseudo_label import logit_pseudo_label
from mmseg_css.functional.ramps import check_rampup, exponential_rampup, ramped
from mmseg_css.models.augmentation import augmented
from mmseg_css.models.choices import check_choice
from mmseg_css.models.recolouring import check_normalisation
from mmseg_css.models.segmentors.batch import Images, full_precision, images_of, known_view
from mmseg_css.models.segmentors.decoding import (
    check_ignored_values,
    check_outputs,
    check_passes,
    check_segmentor,
    heads_of,
    logits_of,
)
from mmseg_css.models.segmentors.telling import Diagnostics, Inspection, Progress, PseudoLabelled
from mmseg_css.models.segmentors.traces import keepers_of, traces_are_finite
from mmseg_css.models.teacher import EMATeacher, begin_with_student
from mmseg_css.registry import MODELS
from mmseg_css.types import PseudoLabel, View

Network = Literal["teacher", "student"]


class SemiSegmentor(BaseSegmentor):
    """Template of a method: losses of the labelled images, plus the method's own losses of the unlabelled ones.

    A method implements `losses`. Predicting, exporting and evaluating are those of the network it names in `predictor`,
    an ordinary MMSeg segmentor.

    Args:
        segmentor: config of an MMSeg `EncoderDecoder`, or of a cascade; ``docs/compatibility.md`` has the heads.
        teacher: settings of an `EMATeacher` of the student; no teacher if None.
        augmentation: config of the strong view, for methods that have one.
        rampup: share of the training, in [0, 1], during which the losses of the unlabelled images rise to their
            weights (see `exponential_rampup`). 0 is no ramp.
        predict_on: which network evaluates, ``teacher`` or ``student``; by default the teacher where there is one.
        data_preprocessor: config of a `SemiDataPreprocessor`.
        compile_backbone: compile the backbones with ``torch.compile``. Checkpoints are the same either way.
        init_cfg: MMEngine's initialisation config.
        pretrained, train_cfg, test_cfg: always None; MMSeg's `init_model` passes the first two to every segmentor.
    """

    #: Where the weights of an ordinary MMSeg checkpoint go, beside the teacher.
    networks: tuple[str, ...] = ("student.",)
    #: Who labels, where there is a teacher.
    labeller: Network = "teacher"
    #: Whether unlabelled images are labelled in a batch of their own, so that its statistics can be had again.
    labels_apart: bool = True
    #: Factor of the sum of all losses: a method whose paper halves it says so here.
    total_weight: float = 1.0
    #: Hooks that a training has unless its own are in their place.
    useful_hooks: tuple[str, ...] = ("DiagnosticsHook", "FiniteStepHook")

    def __init__(
        self,
        *,
        segmentor: dict,
        teacher: dict | None = None,
        augmentation: dict | None = None,
        rampup: float = 0.0,
        predict_on: Network | None = None,
        data_preprocessor: dict | None = None,
        compile_backbone: bool = False,
        init_cfg: dict | None = None,
        pretrained: None = None,
        train_cfg: None = None,
        test_cfg: None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        for name, value in (("pretrained", pretrained), ("train_cfg", train_cfg), ("test_cfg", test_cfg)):
            if value is not None:
                raise ValueError(f"model.{name} belongs to the student: move it to model.segmentor.{name}")
        self.predict_on = predict_on or ("student" if teacher is None else "teacher")
        check_choice("model.predict_on", self.predict_on, get_args(Network))
        if self.predict_on == "teacher" and teacher is None:
            raise ValueError("model.predict_on='teacher' needs a teacher: set model.teacher, or predict_on='student'")
        check_rampup(rampup, "model.rampup")
        self.rampup = rampup
        self.compile_backbone = compile_backbone
        self.student = self.build_network(segmentor)
        self.teacher = None if teacher is None else self.build_teacher(teacher)
        if augmentation is not None:
            check_normalisation(self.data_preprocessor)
        self.augmentation: Any = None if augmentation is None else MODELS.build(augmentation)
        self.progress = Progress()
        self.present_hooks: set[str] = set()
        self.diagnostics: Diagnostics | None = None
        self.pseudo_labelled_images: PseudoLabelled | None = None
        check_ignored_values(self.student, self.data_preprocessor)
        self._register_load_state_dict_pre_hook(self._adopt_plain_weights)

    def build_network(self, segmentor: dict) -> EncoderDecoder:
        """A network that trains, checked, and compiled if that was asked for."""
        check_segmentor(segmentor)
        check_passes(segmentor)
        network: EncoderDecoder = MODELS.build(segmentor)
        check_outputs(network)
        if self.compile_backbone:
            network.backbone.compile()
        return network

    def build_teacher(self, settings: dict) -> EMATeacher:
        """The average of the student."""
        teacher = EMATeacher(self.student, **settings)
        if self.compile_backbone:
            teacher.model.backbone.compile()
        return teacher

    def init_weights(self) -> None:
        super().init_weights()
        if self.teacher is not None:
            self.teacher.reset(self.student)

    def _adopt_plain_weights(self, state: dict[str, Any], prefix: str, *_: object) -> None:
        """Let every network start from a checkpoint of a plain MMSeg segmentor or of a method without a teacher."""
        plain = [name for name in state if name.startswith((f"{prefix}backbone.", f"{prefix}decode_head."))]
        if not plain and self.teacher is not None:
            begin_with_student(state, prefix)
        if not plain:
            return
        networks = self.networks if self.teacher is None else (*self.networks, "teacher.model.")
        for name in [name for name in state if name.startswith(prefix)]:
            value = state.pop(name)
            state.update({f"{prefix}{network}{name.removeprefix(prefix)}": value for network in networks})

    @property
    def required_hooks(self) -> tuple[str, ...]:
        """Hooks without which the method does not train."""
        return ("ProgressHook",) if self.teacher is None else ("ProgressHook", "TeacherUpdateHook")

    # Tools and settings of MMSeg and MMEngine look these up on a segmentor.
    @property
    def decode_head(self) -> nn.Module:
        return self.predictor.decode_head

    @property
    def backbone(self) -> nn.Module:
        return self.predictor.backbone

    @property
    def num_classes(self) -> int:
        return heads_of(self.student)[-1].num_classes

    @property
    def out_channels(self) -> int:
        return heads_of(self.student)[-1].out_channels

    @property
    def ignore_index(self) -> int:
        return heads_of(self.student)[-1].ignore_index

    @property
    def align_corners(self) -> bool:
        return self.student.align_corners

    @property
    def predictor(self) -> EncoderDecoder:
        """The network that predicts."""
        return self.student if self.teacher is None or self.predict_on == "student" else self.teacher.model

    @abstractmethod
    def losses(
        self, labeled: Images, unlabeled: Images, generator: torch.Generator
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The method itself: losses of the labelled images, and its own. What has no "loss" in its name is logged only.

        ``generator`` is this step's randomness.
        """

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        """MMSeg's; a loss that is trained on needs the method's hooks, whoever asks for it.

        Raises:
            RuntimeError: A hook that the method needs has not come by since the last loss.
        """
        if mode == "loss" and self.training:
            missing = [name for name in self.required_hooks if name not in self.present_hooks]
            self.present_hooks.clear()
            if missing:
                raise RuntimeError(
                    f"{type(self).__name__} does not train without {' and '.join(missing)}, which this training lacks: "
                    "set train_cfg.type='PairedTrainLoop', which registers what is missing, or list it in "
                    f"custom_hooks=[dict(type='{missing[0]}'), ...]. A loop of your own that does the hooks' work says "
                    "so before each loss: model.present_hooks |= set(model.required_hooks)"
                )
        return super().forward(inputs, data_samples, mode)

    def loss(self, inputs: dict[str, Tensor], data_samples: dict[str, list[SegDataSample]]) -> dict[str, Tensor]:
        """Losses as ``sup.loss_*`` and ``unsup.loss_*``."""
        labeled, unlabeled = (images_of(inputs[half], data_samples[half]) for half in ("labeled", "unlabeled"))
        supervised, unsupervised = self.losses(labeled, unlabeled, self.generator(unlabeled.images.device))
        ramp = exponential_rampup(self.progress_fraction, self.rampup)
        unsupervised = {name: ramped(value, ramp) if "loss" in name else value for name, value in unsupervised.items()}
        return add_prefix(supervised, "sup") | add_prefix(unsupervised, "unsup")

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """MMEngine's weighted sum. Its gradient is not finite, so that the step is skipped, where the sum is not, and
        where a pass left something that is not: labels of such a pass are never sure, so that the sum may be finite.
        """
        loss, log = super().parse_losses(losses)
        loss = log["loss"] = self.total_weight * loss
        # Through the gradient, because all ranks share it, and because looking at the loss would wait for the device.
        finite = loss.detach().isfinite() & traces_are_finite(self.keepers, loss.device)
        return loss * torch.where(finite, 1.0, torch.nan), log

    @cached_property
    def keepers(self) -> list[nn.Module]:
        """Modules in which a pass leaves something for later ones."""
        return keepers_of(self)

    @torch.no_grad()
    def taught(self, half: Images) -> Float[Tensor, "b k h w"]:
        """The teacher's logits."""
        return logits_of(cast(EMATeacher, self.teacher).model, half.images)

    @torch.no_grad()
    def pseudo_labelled(self, half: Images, *logits: Float[Tensor, "b k h w"]) -> View:
        """Images with what these logits say of them, a label map for each."""
        size = (half.images.shape[2], half.images.shape[3])
        sources = [logit_pseudo_label(own, size, self.align_corners) for own in logits]
        return self.view_of(half, sources, sources[0].label == sources[1].label if len(sources) > 1 else None)

    def view_of(self, half: Images, sources: list[PseudoLabel], agreeing: Tensor | None = None) -> View:
        """Images with pseudo-labels, which the padding has none of; ``agreeing``: where two witnesses say the same."""
        padding = ~half.valid[:, None]
        labels = torch.stack([source.label for source in sources], dim=1).masked_fill(padding, self.ignore_index)
        confidences = torch.stack([source.confidence for source in sources], dim=1).masked_fill(padding, 0.0)
        self.pseudo_labelled_images = PseudoLabelled(half.samples, labels, confidences, agreeing)
        return View(half.images, labels, confidences, half.valid)

    @torch.no_grad()
    def inspect(self, images: Float[Tensor, "b c H W"], size: tuple[int, int]) -> Inspection:
        """What the method says of images, its pseudo-labels in this size."""
        logits = logits_of(self.student, images)
        taught = self.labeller == "teacher" and self.teacher is not None
        labelling = logits_of(cast(EMATeacher, self.teacher).model, images) if taught else logits
        source = logit_pseudo_label(labelling, size, self.align_corners)
        return Inspection(
            {"logit": source}, "logit", "logit", logits, {"confidence": partial(confidence_indicator, logits)}
        )

    @torch.no_grad()
    def augment(self, view: View, generator: torch.Generator, labeled: Images | None = None) -> View:
        """The strong view; ``labeled`` are images of which an augmentation with a ``labeled_share`` pastes parts."""
        given = labeled is not None and getattr(self.augmentation, "labeled_share", 0) > 0
        with full_precision(view.image):
            return augmented(
                self.augmentation,
                self.data_preprocessor,
                view,
                labeled=known_view(cast(Images, labeled), view, self.ignore_index) if given else None,
                num_classes=self.num_classes,
                ignore_index=self.ignore_index,
                generator=generator,
            )

    def at_image(self, logits: Float[Tensor, "b k h w"], view: View) -> Float[Tensor, "b k H W"]:
        """Logits in the size of a view's labels."""
        return F.interpolate(logits, view.valid.shape[1:], mode="bilinear", align_corners=self.align_corners)

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        return self.predictor.predict(inputs, data_samples)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        return self.predictor.encode_decode(inputs, batch_img_metas)

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        return self.predictor.extract_feat(inputs)

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> Tensor:
        return self.predictor._forward(inputs, data_samples)

    def generator(self, device: torch.device) -> torch.Generator:
        """Randomness of this iteration and rank: a function of (seed, iteration, rank), so resuming is exact."""
        entropy = np.random.SeedSequence([self.progress.seed, self.progress.iteration, get_rank()])
        return torch.Generator(device).manual_seed(int(entropy.generate_state(1)[0]))

    @property
    def progress_fraction(self) -> float:
        """Share of the training that has passed, in [0, 1]."""
        return min(1.0, self.progress.iteration / self.progress.max_iterations)
