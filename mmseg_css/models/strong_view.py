"""The strong view of FixMatch, UniMatch and CPS: outside of what is mixed in, every pixel stays where it is."""

from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmseg_css.functional import mixing as mix
from mmseg_css.models.augmentation import check_partner
from mmseg_css.models.choices import check_choice, check_within
from mmseg_css.models.recolouring import PLACE, Recolouring
from mmseg_css.registry import MODELS
from mmseg_css.types import View

Boxes = Literal["none", "one", "three"]
Partner = Literal["next", "opposite"]


@MODELS.register_module()
class StrongView(nn.Module):
    """Colour jitter, grey and blur, then a box from another image of the batch with all that belongs to its pixels.

    The defaults are UniMatch's. Its partners come from a second loader, those of UniMatch V2 from the batch in reverse
    order; here they are of the same batch.

    Args:
        jitter: brightness, contrast and saturation change by up to this share.
        hue: hue changes by up to this share of the colour circle.
        jitter_probability, grey_probability, blur_probability, mixing_probability: share of the images changed.
        blur_sigma: range of the blur's standard deviation, in pixels.
        boxes: what is mixed in: nothing; ``one`` box of 2 to 40 % of the image (UniMatch); ``three`` boxes, which
            together have 25 to 50 % and cancel where they overlap (CPS).
        partner: the image that gives: the ``next`` of the batch, or the ``opposite`` (image i receives from b - 1 - i).
    """

    def __init__(
        self,
        *,
        jitter: float = 0.5,
        hue: float = 0.25,
        jitter_probability: float = 0.8,
        grey_probability: float = 0.2,
        blur_sigma: tuple[float, float] = (0.1, 2.0),
        blur_probability: float = 0.5,
        boxes: Boxes = "one",
        mixing_probability: float = 0.5,
        partner: Partner = "next",
    ) -> None:
        super().__init__()
        check_choice(f"{PLACE}.boxes", boxes, get_args(Boxes))
        check_choice(f"{PLACE}.partner", partner, get_args(Partner))
        check_within(PLACE, 0, 1, mixing_probability=mixing_probability)
        self.recolouring = Recolouring(
            jitter=jitter,
            hue=hue,
            jitter_probability=jitter_probability,
            grey_probability=grey_probability,
            blur_sigma=blur_sigma,
            blur_probability=blur_probability,
        )
        self.boxes = boxes
        self.mixing_probability = mixing_probability
        self.partner = partner

    @property
    def moves_pixels(self) -> bool:
        """Whether a pixel can end up in another image."""
        return self.boxes != "none"

    @torch.no_grad()
    def forward(
        self,
        view: View,
        *,
        mean: Float[Tensor, "c 1 1"],
        std: Float[Tensor, "c 1 1"],
        num_classes: int,
        ignore_index: int,
        generator: torch.Generator,
    ) -> View:
        """Augment images normalised with ``mean`` and ``std`` (on the scale 0..255) and all that moves with them."""
        view = self.recolouring(view, mean, std, generator)
        if self.boxes == "none":
            return view
        check_partner(view, f"boxes={self.boxes!r}", "another", "boxes='none'")
        paste = mix.paste_next if self.partner == "next" else mix.paste_opposite
        return paste(view, self._mask(view.image, generator))

    def _mask(self, image: Tensor, generator: torch.Generator) -> Bool[Tensor, "b H W"]:
        batch, size, device = len(image), (image.shape[2], image.shape[3]), image.device
        if self.boxes == "one":
            mask = mix.box_mask(mix.draw_shaped_boxes(batch, size, generator=generator, device=device), size)
        else:
            mask = mix.box_set_mask(mix.draw_box_sets(batch, size, generator=generator, device=device), size)
        mixed = torch.rand(batch, generator=generator, device=device) < self.mixing_probability
        return mask & mixed[:, None, None]
