"""Contrast of two views in the feature space."""

import torch
from mmengine.dist import get_rank
from torch import Tensor, nn

from mmseg_css.functional.negative_sampling import SAMPLERS, Sampler, draw_anchors, draw_negatives
from mmseg_css.functional.normalise import mean_of
from mmseg_css.functional.pixel_contrast import pixel_contrast
from mmseg_css.functional.prototypes import check_temperature
from mmseg_css.models.choices import check_choice, check_weights
from mmseg_css.models.losses.ranks import CANDIDATES, Candidates, mean_over_ranks, of_all_ranks
from mmseg_css.registry import MODELS


@MODELS.register_module()
class PixelContrastLoss(nn.Module):
    """A pixel's two views against negatives; see `functional.pixel_contrast` and `functional.negative_sampling`.

    What we know of the paper names none of the numbers; the defaults are ours, those of our configs (docs/pc2seg.md).

    Args:
        sampler: distribution of the negatives: ``uniform``, ``different_image``, ``pseudo_label_debiased`` or
            ``different_image_debiased`` (the paper's).
        num_anchors: pixels that each image gives on average, drawn from all valid pixels alike; they stand for the mean
            over all of them.
        num_negatives: negatives drawn for each anchor (N).
        temperature: tau.
        loss_weight: lambda_1.
        candidates: where negatives come from: the ``rank``'s own batch, or the batches of ``all_ranks``, which must be
            of one size. Pixels of other ranks carry no gradient.
    """

    def __init__(
        self,
        *,
        sampler: Sampler = "different_image_debiased",
        num_anchors: int = 256,
        num_negatives: int = 128,
        temperature: float = 0.5,
        loss_weight: float = 0.01,
        candidates: Candidates = "rank",
    ) -> None:
        super().__init__()
        check_choice("model.contrast_loss.sampler", sampler, tuple(SAMPLERS))
        check_choice("model.contrast_loss.candidates", candidates, CANDIDATES)
        for name, number in (("num_anchors", num_anchors), ("num_negatives", num_negatives)):
            if number < 1:
                raise ValueError(f"model.contrast_loss.{name} must be at least 1, got {number}")
        check_temperature(temperature, "model.contrast_loss.temperature")
        check_weights("model.contrast_loss", loss_weight=loss_weight)
        self.sampler = sampler
        self.num_anchors = num_anchors
        self.num_negatives = num_negatives
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.candidates = candidates

    def forward(
        self, weak: Tensor, strong: Tensor, probabilities: Tensor, valid: Tensor, *, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The weighted loss; for the log, the anchors, as indices into ``(b h w)``, and which of them have negatives.

        Args:
            weak, strong: embeddings ``(b d h w)`` of the two views.
            probabilities: class probabilities ``(b k h w)`` of the weak view.
            valid: ``(b h w)``, False where a pixel is neither anchor nor negative.
            generator: the randomness.
        """
        anchors = draw_anchors(valid, self.num_anchors * len(valid), generator)
        pool, pool_probabilities, pool_valid, offset = weak, probabilities.detach(), valid, 0
        if self.candidates == "all_ranks":
            pool, offset = of_all_ranks(weak), get_rank() * valid.numel()
            pool_probabilities, pool_valid = of_all_ranks(pool_probabilities), of_all_ranks(valid)
        mixture = SAMPLERS[self.sampler](pool_probabilities)
        draw = draw_negatives(mixture, anchors + offset, pool_valid, self.num_negatives, generator)
        # Without a valid pixel the anchors are none, whatever other ranks have to offer.
        draw = draw._replace(found=draw.found & valid.flatten()[anchors])
        # The anchors stand for all valid pixels of this rank, which may be more or fewer than another's.
        pixels = valid.sum()
        share = mean_of(pixels.to(weak.dtype), pixels, mean_over_ranks)
        loss = self.loss_weight * share * pixel_contrast(weak, strong, pool, anchors, draw, self.temperature)
        return loss, anchors, draw.found
