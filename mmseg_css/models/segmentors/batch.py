"""What a method is given, and passes of a network over it."""

from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor
from torch.nn import functional as F

from mmseg_css.compat import without_gradients
from mmseg_css.models.segmentors.decoding import decode, heads_of, logits_of
from mmseg_css.types import SegOutput, View

#: Whether norm layers see labelled and unlabelled images in one batch.
Statistics = Literal["joint", "apart"]


class Images(NamedTuple):
    """One half of a batch; ``valid`` is False on the padding that made it rectangular."""

    images: Float[Tensor, "b c H W"]
    valid: Bool[Tensor, "b H W"]
    samples: list[SegDataSample]

    @property
    def ground_truth(self) -> Int[Tensor, "b H W"]:
        """The masks of labelled images."""
        return torch.stack([sample.gt_sem_seg.data[0] for sample in self.samples]).long()


def images_of(images: Float[Tensor, "b c H W"], samples: list[SegDataSample]) -> Images:
    """A batch, with the padding that its samples know of."""
    valid = torch.ones(len(images), *images.shape[2:], dtype=torch.bool, device=images.device)
    for own, sample in zip(valid, samples, strict=True):
        known = sample.metainfo
        # MMSeg's name for it in a test, and in a training.
        left, right, top, bottom = known.get("img_padding_size", known.get("padding_size", (0, 0, 0, 0)))
        own[:top] = False
        own[own.shape[0] - bottom :] = False
        own[:, :left] = False
        own[:, own.shape[1] - right :] = False
    return Images(images, valid, samples)


def check_one_size(labeled: Tensor, unlabeled: Tensor, why: str) -> None:
    """Check that images of both halves have one size.

    Raises:
        ValueError: They do not; ``why`` says what needs it.
    """
    sizes = [tuple(images.shape[2:]) for images in (labeled, unlabeled)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"labelled images have {sizes[0]} pixels and unlabelled ones {sizes[1]}, and {why}: "
            "set model.data_preprocessor.size to the crop_size of RandomCrop in both pipelines"
        )


def joined(first: Images, second: Images) -> Images:
    """Both halves as one batch.

    Raises:
        ValueError: Their images are of two sizes.
    """
    check_one_size(first.images, second.images, "pass the network together")
    images, valid = (torch.cat(pair) for pair in zip(first[:2], second[:2], strict=True))
    return Images(images, valid, first.samples + second.samples)


def known_view(labeled: Images, like: View, ignore_index: int) -> View:
    """Labelled images with their true labels, as sure as can be, in as many label maps as another view has.

    Raises:
        ValueError: The images of that view have another size.
    """
    check_one_size(labeled.images, like.image, "are pasted into them (model.augmentation.labeled_share)")
    truth = labeled.ground_truth[:, None].expand(-1, like.labels.shape[1], -1, -1)
    known = (truth != ignore_index) & labeled.valid[:, None]
    return View(labeled.images, truth, known.to(like.confidences.dtype), labeled.valid)


def segment(network: EncoderDecoder, images: Float[Tensor, "b c H W"]) -> SegOutput:
    """Logits and embeddings of a network whose head has a projection branch."""
    return network.decode_head.forward_embeddings(network.extract_feat(images))


def supervise(
    network: EncoderDecoder, features: list[Tensor], outputs: list[Any], samples: list[SegDataSample]
) -> dict[str, Tensor]:
    """The losses of MMSeg's heads, from a pass whose first images are those of the labelled ``samples``.

    ``outputs`` are those of every decode head.
    """
    number, heads = len(samples), heads_of(network)
    losses: dict[str, Tensor] = {}
    for index, (head, output) in enumerate(zip(heads, outputs, strict=True)):
        own = output[:number] if isinstance(output, Tensor) else tuple(part[:number] for part in output)
        found = head.loss_by_feat(own, samples)
        losses |= add_prefix(found, f"decode_{index}") if len(heads) > 1 else found  # as a cascade names them
    if network.with_auxiliary_head:
        features = [level[:number] for level in features]
        losses |= network._auxiliary_head_forward_train(features, samples)
    return losses


def supervised_pass(network: EncoderDecoder, labeled: Images) -> tuple[dict[str, Tensor], Float[Tensor, "b k h w"]]:
    """The losses of labelled images in a pass of their own, and its logits."""
    features = network.extract_feat(labeled.images)
    decoded = decode(network, features)
    return supervise(network, features, decoded.outputs, labeled.samples), decoded.logits


def supervised_beside(
    network: EncoderDecoder, labeled: Images, unlabeled: Images, statistics: Statistics
) -> tuple[dict[str, Tensor], Float[Tensor, "b k h w"]]:
    """The losses of labelled images, and what the network says of unlabelled ones at the same time."""
    if statistics == "apart":
        with without_gradients():
            said = logits_of(network, unlabeled.images)
        return supervised_pass(network, labeled)[0], said
    features = network.extract_feat(joined(labeled, unlabeled).images)
    decoded = decode(network, features)
    losses = supervise(network, features, decoded.outputs, labeled.samples)
    return losses, decoded.logits[len(labeled.samples) :]


def supervised_embeddings(network: EncoderDecoder, labeled: Images) -> tuple[dict[str, Tensor], SegOutput]:
    """The same of a network whose head has a projection branch."""
    features = network.extract_feat(labeled.images)
    output = network.decode_head.forward_embeddings(features)
    return supervise(network, features, [output.logits], labeled.samples), output


def at_stride(values: Shaped[Tensor, "b H W"], size: torch.Size) -> Float[Tensor, "b h w"]:
    """Of each pixel of a decoder's maps the value of the nearest pixel of the image."""
    return F.interpolate(values[:, None].float(), size, mode="nearest")[:, 0]


def full_precision(like: Tensor) -> torch.autocast:
    """No autocast: for what the network's outputs are compared and counted with."""
    return torch.autocast(like.device.type, enabled=False)


def one_batch(labeled: SegOutput, unlabeled: SegOutput) -> SegOutput:
    """The outputs for labelled and for augmented unlabelled images, one after the other.

    Raises:
        ValueError: They are of two sizes.
    """
    sizes = [tuple(output.logits.shape[2:]) for output in (labeled, unlabeled)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"the decoder gave {sizes[0]} pixels for labelled and {sizes[1]} for augmented unlabelled images; both "
            "must have one size: set model.data_preprocessor.size and model.augmentation.crop to that of RandomCrop in "
            "both pipelines"
        )
    return SegOutput(*(torch.cat(pair) for pair in zip(labeled, unlabeled, strict=True)))
