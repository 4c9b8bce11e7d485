"""Colours of the pictures behind normalised images, as strong views change them."""

from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from mmseg_css.functional.photometric import (
    apply_blur,
    apply_color_jitter,
    apply_grey,
    blur_taps,
    draw_blur,
    draw_color_jitter,
    draw_grey,
)
from mmseg_css.models.choices import check_range, check_within
from mmseg_css.types import View

#: Where a strong view stands in a config.
PLACE: Final = "model.augmentation"


def check_normalisation(prepare: Any) -> None:
    """Check that a data preprocessor tells the picture behind an image, and its 8 bits, as `Recolouring` asks.

    Raises:
        ValueError: It has no mean, or one that is no value of such a picture.
    """
    if not hasattr(prepare, "mean"):
        raise ValueError(
            "model.data_preprocessor has no mean and std, which the strong augmentation needs to see the picture "
            "behind the normalised image; set them, e.g. mean=[0.0], std=[255.0]"
        )
    mean = [] if prepare.mean.is_meta else prepare.mean.flatten().tolist()  # which has no values
    if not all(0 <= value <= 255 for value in mean):
        raise ValueError(
            f"model.data_preprocessor.mean={mean} lies outside of 0..255, and model.augmentation cuts pictures off "
            "there: most of a strong view would be one colour. Put dict(type='StretchTo8Bit', low=..., high=...) after "
            "LoadImageFromFile in every pipeline, in training and evaluation, and set mean and std of what that gives"
        )


@dataclass(frozen=True, kw_only=True)
class Recolouring:
    """Colour jitter, grey and blur of each image by chance. No pixel moves.

    Args:
        jitter: Brightness, contrast and saturation change by up to this share.
        hue: Hue changes by up to this share of the colour circle.
        jitter_probability, grey_probability, blur_probability: Share of the images changed; None draws nothing.
        blur_sigma: Range of the blur's standard deviation, in pixels.

    Raises:
        ValueError: One cannot be.
    """

    jitter: float
    hue: float
    jitter_probability: float
    grey_probability: float | None = None
    blur_sigma: tuple[float, float]
    blur_probability: float

    def __post_init__(self) -> None:
        check_within(PLACE, 0, 1, jitter=self.jitter, jitter_probability=self.jitter_probability)
        check_within(PLACE, 0, 1, blur_probability=self.blur_probability)
        if self.grey_probability is not None:
            check_within(PLACE, 0, 1, grey_probability=self.grey_probability)
        check_within(PLACE, 0, 0.5, hue=self.hue)
        check_range(f"{PLACE}.blur_sigma", self.blur_sigma)

    def __call__(
        self, view: View, mean: Float[Tensor, "c 1 1"], std: Float[Tensor, "c 1 1"], generator: torch.Generator
    ) -> View:
        """A view whose images, normalised with ``mean`` and ``std`` (on the scale 0..255), have other colours."""
        image = self._changed(((view.image * std + mean) / 255).clamp(0, 1), generator)
        return view._replace(image=(image * 255 - mean) / std)

    def _changed(self, image: Float[Tensor, "b c H W"], generator: torch.Generator) -> Float[Tensor, "b c H W"]:
        """Of pictures with values in [0, 1]."""
        batch, device = len(image), image.device
        # Drawn also where no image is changed: what is drawn later does not depend on it.
        jitter = draw_color_jitter(batch, self.jitter, self.hue, self.jitter_probability, generator, device)
        if self.jitter_probability > 0:
            image = apply_color_jitter(image, jitter)
        if self.grey_probability is not None:
            grey = draw_grey(batch, self.grey_probability, generator, device)
            if self.grey_probability > 0:
                image = apply_grey(image, grey)
        if self.blur_probability == 0:
            return image
        blur = draw_blur(batch, self.blur_sigma, self.blur_probability, generator, device)
        return apply_blur(image, blur, blur_taps(self.blur_sigma[1]))
