"""What hooks tell a method, and what it tells them."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_css.types import PseudoLabel


class Progress(NamedTuple):
    """Where the training stands; a hook pushes it into the model, which never looks at the runner."""

    iteration: int = 0
    max_iterations: int = 1
    seed: int = 0


class Diagnostics(NamedTuple):
    """What the last training step did, for logs and pictures only. ``pseudo_label`` may have any stride.

    ``anchors`` are of methods with a contrast.
    """

    image: Float[Tensor, "b c H W"]
    pseudo_label: Tensor
    logits: Float[Tensor, "b k h w"]
    anchors: Float[Tensor, " k"] | None = None


class PseudoLabelled(NamedTuple):
    """What the last training step labelled images as, before it augmented them: for hooks, nothing learns from it.

    Labels and confidences may have any stride. ``agreeing``, of methods with two witnesses, is where both say the same.
    """

    samples: list[SegDataSample]
    labels: Int[Tensor, "b m h w"]
    confidences: Float[Tensor, "b m h w"]
    agreeing: Bool[Tensor, "b h w"] | None = None


class Inspection(NamedTuple):
    """What a trained method says of images: for `mmseg-css diagnose` and `suggest`.

    Attributes:
        sources: pseudo-labels by the space that they come from, in the size of the image: ``logit``, of a method with
            prototypes ``representation`` and ``mix``, where the two agree, and of two networks ``peer``, the other's.
        supervises: which of them the logits learn from at this moment; None if the method learns from no labels.
        contrasts: which of them takes part in a contrast; of methods without one, which the student learns.
        logits: what the student predicts.
        indicators: what tells hard pixels, given their labels: low where the student is thought to need training.
        relative: what thresholds compare in place of the confidences of the source that supervises, no probabilities;
            None if they compare these.
    """

    sources: dict[str, PseudoLabel]
    supervises: str | None
    contrasts: str
    logits: Float[Tensor, "b k h w"]
    indicators: dict[str, Callable[[Int[Tensor, "b h w"]], Float[Tensor, "b h w"]]]
    relative: Float[Tensor, "b H W"] | None = None

    def compared(self, name: str) -> Float[Tensor, "b H W"]:
        """What thresholds compare of a source."""
        own = self.relative if name == self.supervises else None
        return self.sources[name].confidence if own is None else own

    @property
    def looked_at(self) -> str:
        """The source that is shown: the one that supervises, or what the network predicts."""
        return self.supervises or "logit"
