"""Contrast in the representation space."""

import torch
from torch import Tensor, nn

from mmseg_css.functional.contrastive import SHARINGS, ContrastDraw, Sharing, draw_contrast, prototype_contrast_loss
from mmseg_css.functional.prototypes import check_temperature
from mmseg_css.functional.ramps import exponential_rampdown
from mmseg_css.functional.sampling import group_sizes
from mmseg_css.models.choices import check_choice, check_weights
from mmseg_css.models.losses.ranks import CANDIDATES, Candidates, mean_over_ranks, of_all_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class PrototypeContrastLoss(nn.Module):
    """Hard pixels against their class's prototype and other classes' pixels; see `functional.contrastive`.

    Args:
        num_queries: hard pixels drawn for each class (q).
        num_negatives: pixels drawn for each query (n).
        sharing: ``per_query``: every query draws its own negatives, as in the paper; ``per_class``: the queries of a
            class share one draw, for a small part of the time and memory, with the same expected loss and gradient.
        temperature: of the contrast itself.
        similarity_temperature: of the choice of the negatives' classes.
        loss_weight: factor of the loss at the start.
        ramp_mult: the factor falls as ``exp(ramp_mult * progress^2)`` and is 0 at the end; 0 keeps it constant till
            then. Deviation: the published code counts progress in 200 epochs, of a length that depends on batch size
            and number of GPUs; here it is the share of the run's iterations.
        candidates: where negatives come from: the ``rank``'s own batch, or the batches of ``all_ranks``, which must be
            of one size. With the latter the expected loss does not depend on how a batch is split.
    """

    def __init__(
        self,
        *,
        num_queries: int = 256,
        num_negatives: int = 512,
        sharing: Sharing = "per_query",
        temperature: float = 0.5,
        similarity_temperature: float = 0.5,
        loss_weight: float = 1.0,
        ramp_mult: float = -5.0,
        candidates: Candidates = "rank",
    ) -> None:
        super().__init__()
        self.num_queries = num_queries
        for name, number in (("num_queries", num_queries), ("num_negatives", num_negatives)):
            if number < 1:
                raise ValueError(f"model.contrast_loss.{name} must be at least 1, got {number}")
        check_choice("model.contrast_loss.sharing", sharing, SHARINGS)
        check_choice("model.contrast_loss.candidates", candidates, CANDIDATES)
        self.num_negatives = num_negatives
        self.sharing = sharing
        check_temperature(temperature, "model.contrast_loss.temperature")
        check_temperature(similarity_temperature, "model.contrast_loss.similarity_temperature")
        check_weights("model.contrast_loss", loss_weight=loss_weight)
        if ramp_mult > 0:
            raise ValueError(
                f"model.contrast_loss.ramp_mult must not be positive, got {ramp_mult!r}: the weight falls as "
                "exp(ramp_mult * progress^2)"
            )
        self.temperature = temperature
        self.similarity_temperature = similarity_temperature
        self.loss_weight = loss_weight
        self.ramp_mult = ramp_mult
        self.candidates = candidates

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        hard: Tensor,
        prototypes: Tensor,
        *,
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Tensor, ContrastDraw]:
        """The weighted loss, and the draw it was computed on (for the log)."""
        everywhere = self.candidates == "all_ranks"
        draw = draw_contrast(
            labels,
            hard,
            prototypes,
            self.num_queries,
            self.num_negatives,
            self.similarity_temperature,
            self.sharing,
            generator,
            pool_labels=of_all_ranks(labels) if everywhere else None,
        )
        weights = class_weights(labels, hard, len(prototypes))
        pool = of_all_ranks(embeddings) if everywhere else None
        loss = prototype_contrast_loss(embeddings, draw, prototypes, self.temperature, weights, pool)
        return self.loss_weight * exponential_rampdown(progress, mult=self.ramp_mult) * loss, draw


def class_weights(labels: Tensor, hard: Tensor, num_classes: int) -> Tensor:
    """Weight of each class's queries on this rank: its share of the class's hard pixels, over the classes present.

    A rank draws as many queries of a class whether it has one hard pixel of it or thousands.
    """
    hard_labels = torch.where(hard, labels, num_classes)
    counts = [group_sizes(chosen.flatten(), num_classes) for chosen in (labels, hard_labels)]
    present, hard_everywhere = mean_over_ranks(torch.stack(counts))
    share = counts[1].double() / hard_everywhere.where(hard_everywhere > 0, 1)
    return share / (present > 0).sum().clamp(min=1)
