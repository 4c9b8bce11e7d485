"""What every semi-supervised segmentor shares: a student, prediction through MMSeg, progress and randomness."""

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from mmengine.dist import get_rank
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import BaseSegmentor, EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor, nn

from mmseg_css.datasets.checks import check_ignored_value
from mmseg_css.models.heads import ProjectionMixin
from mmseg_css.registry import MODELS
from mmseg_css.types import SegOutput


class Progress(NamedTuple):
    """Where the training stands; a hook pushes it into the model, which never looks at the runner."""

    iteration: int = 0
    max_iterations: int = 1
    seed: int = 0


class Diagnostics(NamedTuple):
    """What the last training step did, for logs and pictures only. ``pseudo_label`` may have any stride."""

    image: Float[Tensor, "b c H W"]
    pseudo_label: Tensor
    logits: Float[Tensor, "b k h w"]
    anchors: Float[Tensor, " k"]


class SemiSegmentor(BaseSegmentor):
    """Template of a method: losses of the labelled images, plus the method's own losses of the unlabelled ones.

    A method implements `unsupervised_losses`. Predicting, exporting and evaluating are those of the network it names in
    `predictor`, an ordinary MMSeg segmentor.

    Args:
        segmentor: config of an MMSeg `EncoderDecoder` whose decode head has a projection branch.
        data_preprocessor: config of a `SemiDataPreprocessor`.
        compile_backbone: compile the backbones with ``torch.compile``. Checkpoints are the same either way.
        init_cfg: MMEngine's initialisation config.
        pretrained, train_cfg: always None; MMSeg's `init_model` passes them to every segmentor.
    """

    #: Where the weights of an ordinary MMSeg checkpoint go.
    networks: tuple[str, ...] = ("student.",)
    #: Hooks without which the method does not train; a method adds what it needs beside `ProgressHook`.
    required_hooks: tuple[str, ...] = ("ProgressHook",)
    #: Hooks that a training has unless its own are in their place.
    useful_hooks: tuple[str, ...] = ("DiagnosticsHook",)

    def __init__(
        self,
        *,
        segmentor: dict,
        data_preprocessor: dict | None = None,
        compile_backbone: bool = False,
        init_cfg: dict | None = None,
        pretrained: None = None,
        train_cfg: None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        for name, value in (("pretrained", pretrained), ("train_cfg", train_cfg)):
            if value is not None:
                raise ValueError(f"model.{name} belongs to the student: move it to model.segmentor.{name}")
        self.student: EncoderDecoder = MODELS.build(segmentor)
        self.compile_backbone = compile_backbone
        self.progress = Progress()
        self.present_hooks: set[str] = set()
        self.diagnostics: Diagnostics | None = None
        head = self.student.decode_head
        if not isinstance(head, ProjectionMixin):
            name = type(head).__name__
            raise TypeError(
                f"model.segmentor.decode_head is a {name}, which has no projection branch. Use one that has (for "
                "example DeepLabV3PlusProjectionHead), or register "
                f"`class MyProjectionHead(ProjectionMixin, {name}): ...`"
            )
        if head.out_channels != head.num_classes or head.num_classes < 2:
            raise ValueError(
                f"model.segmentor.decode_head has num_classes={head.num_classes} and out_channels={head.out_channels}; "
                "pseudo-labels need one output for each class. For binary segmentation set "
                "num_classes=2, out_channels=2."
            )
        if not hasattr(self.data_preprocessor, "mean"):
            raise ValueError(
                "model.data_preprocessor has no mean and std, which the strong augmentation needs to see the picture "
                "behind the normalised image; set them, e.g. mean=[0.0], std=[255.0]"
            )
        self._check_ignored_value()
        if compile_backbone:
            self.student.backbone.compile()
        self._register_load_state_dict_pre_hook(self._adopt_plain_weights)

    def _check_ignored_value(self) -> None:
        """Padding must be ignored, by every head: contrast and prototypes would take it for a class."""
        others = {
            f"model.segmentor.{name}.ignore_index": module.ignore_index
            for name, module in self.student.named_modules()
            if isinstance(module, BaseDecodeHead)
        }
        if hasattr(self.data_preprocessor, "seg_pad_val"):
            others["model.data_preprocessor.seg_pad_val"] = self.data_preprocessor.seg_pad_val
        check_ignored_value(self.ignore_index, "model.segmentor.decode_head.ignore_index", others)

    def _adopt_plain_weights(self, state: dict[str, Any], prefix: str, *_: object) -> None:
        """Let every network start from a checkpoint of a plain MMSeg segmentor, as ``load_from`` gives it."""
        plain = [name for name in state if name.startswith((f"{prefix}backbone.", f"{prefix}decode_head."))]
        if not plain:
            return
        for name in [name for name in state if name.startswith(prefix)]:
            value = state.pop(name)
            state.update({f"{prefix}{network}{name.removeprefix(prefix)}": value for network in self.networks})

    # MMSeg's tools look these up on a segmentor.
    @property
    def decode_head(self) -> nn.Module:
        return self.predictor.decode_head

    @property
    def num_classes(self) -> int:
        return self.student.decode_head.num_classes

    @property
    def out_channels(self) -> int:
        return self.student.decode_head.out_channels

    @property
    def ignore_index(self) -> int:
        return self.student.decode_head.ignore_index

    @property
    def align_corners(self) -> bool:
        return self.student.align_corners

    @property
    def predictor(self) -> EncoderDecoder:
        """The network that predicts."""
        return self.student

    @abstractmethod
    def unsupervised_losses(
        self, labeled: SegOutput, ground_truth: Tensor, unlabeled: Tensor, samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """The method itself. ``labeled`` and ``ground_truth`` come from the labelled images, the rest is unlabelled."""

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
        """Losses as ``sup.loss_*`` and ``unsup.loss_*``; whatever has no "loss" in its name is logged only."""
        samples = data_samples["labeled"]
        features = self.student.extract_feat(inputs["labeled"])
        output = self.student.decode_head.forward_embeddings(features)
        supervised = self.student.decode_head.loss_by_feat(output.logits, samples)
        if self.student.with_auxiliary_head:
            supervised |= self.student._auxiliary_head_forward_train(features, samples)
        ground_truth = torch.stack([sample.gt_sem_seg.data[0] for sample in samples]).long()
        unsupervised = self.unsupervised_losses(output, ground_truth, inputs["unlabeled"], data_samples["unlabeled"])
        return add_prefix(supervised, "sup") | add_prefix(unsupervised, "unsup")

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """MMEngine's sum. One that is not finite gets a gradient that is not either, so that its step is skipped."""
        loss, log = super().parse_losses(losses)
        # Through the gradient, because all ranks share it, and because looking at the loss would wait for the device.
        return loss * torch.where(loss.detach().isfinite(), 1.0, torch.nan), log

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


def segment(network: EncoderDecoder, images: Float[Tensor, "b c H W"]) -> SegOutput:
    """Logits and embeddings of a network whose head has a projection branch."""
    return network.decode_head.forward_embeddings(network.extract_feat(images))


def full_precision(like: Tensor) -> torch.autocast:
    """No autocast: for what the network's outputs are compared and counted with."""
    return torch.autocast(like.device.type, enabled=False)


def valid_pixels(images: Float[Tensor, "b c H W"], samples: list[SegDataSample]) -> Bool[Tensor, "b H W"]:
    """True where a batched image shows the image itself and not the padding that made the batch rectangular."""
    valid = torch.ones(len(images), *images.shape[2:], dtype=torch.bool, device=images.device)
    for own, sample in zip(valid, samples, strict=True):
        left, right, top, bottom = sample.metainfo.get("padding_size", (0, 0, 0, 0))
        own[:top] = False
        own[own.shape[0] - bottom :] = False
        own[:, :left] = False
        own[:, own.shape[1] - right :] = False
    return valid
