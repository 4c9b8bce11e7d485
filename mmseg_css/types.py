"""The values that travel between the parts, and nothing else."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor


class SegOutput(NamedTuple):
    """What a network with a projection branch says of a batch, both at the decoder's stride (4 in the papers)."""

    logits: Float[Tensor, "b k h w"]
    embeddings: Float[Tensor, "b d h w"]


class PseudoLabel(NamedTuple):
    """A class index for every pixel (or ``ignore_index``) and how sure its source is, in [0, 1]."""

    label: Int[Tensor, "b H W"]
    confidence: Float[Tensor, "b H W"]


class View(NamedTuple):
    """An image batch with everything that must move with its pixels when it is scaled, cropped, mixed or flipped.

    ``m`` label maps are carried side by side, because a method may supervise two losses with two sources of
    pseudo-labels. ``valid`` is False where a pixel shows no image (padding, cut-out).
    """

    image: Float[Tensor, "b c H W"]
    labels: Int[Tensor, "b m H W"]
    confidences: Float[Tensor, "b m H W"]
    valid: Bool[Tensor, "b H W"]
