"""Strong augmentation of a batch that already has its pseudo-labels."""

from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmseg_css.functional.geometry import apply_flip, apply_scale_crop, draw_flip, draw_scale_crop
from mmseg_css.functional.mixing import (
    box_mask,
    cut_out,
    draw_boxes,
    next_of,
    paste_next,
    receive_classes,
    replace_some,
)
from mmseg_css.models.choices import check_choice, check_range, check_size, check_within
from mmseg_css.models.data_preprocessor import gives_bgr
from mmseg_css.models.recolouring import PLACE, Recolouring
from mmseg_css.registry import MODELS
from mmseg_css.types import View

Mixing = Literal["none", "cutout", "cutmix", "classmix"]


def augmented(augmentation: Any, prepare: Any, view: View, *, labeled: View | None = None, **settings: Any) -> View:
    """The strong view of images from this data preprocessor, whose colours are changed as those of RGB images."""
    mean, std, turned = prepare.mean, prepare.std, gives_bgr(prepare, view.image)
    if turned:
        view, mean, std = _with_channels_turned(view), mean.flip(0), std.flip(0)
    if labeled is not None:
        settings["labeled"] = _with_channels_turned(labeled) if turned else labeled
    strong = augmentation(view, mean=mean, std=std, **settings)
    return _with_channels_turned(strong) if turned else strong


def _with_channels_turned(view: View) -> View:
    return view._replace(image=view.image.flip(1))


def check_partner(view: View, setting: str, giver: str, instead: str) -> None:
    """Check that no image would be mixed with itself.

    Args:
        view: The images.
        setting: What mixes, as it stands in ``model.augmentation``.
        giver: Which image of the batch gives.
        instead: The setting that mixes nothing.

    Raises:
        ValueError: There is one image only.
    """
    if len(view.image) == 1:
        raise ValueError(
            f"model.augmentation.{setting} pastes from {giver} image of the batch, and there is one unlabelled image "
            "in it: raise train_dataloader.batch_size, or the second part of sampler.ratio, so that each process has "
            f"two, or set {instead}"
        )


@MODELS.register_module()
class StrongAugmentation(nn.Module):
    """Random scale and crop, mixing, then colour jitter, blur and flip, batched, on the batch's device (CSS, steps 5 to
    7).

    Args:
        crop: height and width of the result; the size of the input if None.
        scale: range of the random scale.
        mixing: what happens inside a box: nothing, blanked, or filled from the next image of the batch; or a random
            half of the next image's classes pasted.
        box_area: share of the image that the box covers.
        labeled_share: probability that, instead, an image receives a random half of the classes of a labelled image, in
            their true outlines and with their true labels (ClassMix, WACV 2021; from labelled images as in AugSeg, CVPR
            2023, which pastes boxes of them, the more often the less sure the labels of the image are).
        jitter: brightness, contrast and saturation change by up to this share.
        hue: hue changes by up to this share of the colour circle.
        jitter_probability, blur_probability, flip_probability: share of the images that are changed.
        blur_sigma: range of the blur's standard deviation, in pixels.
    """

    def __init__(
        self,
        *,
        crop: tuple[int, int] | None = None,
        scale: tuple[float, float] = (0.5, 1.5),
        mixing: Mixing = "cutmix",
        box_area: float = 0.5,
        labeled_share: float = 0.0,
        jitter: float = 0.25,
        hue: float = 0.25,
        jitter_probability: float = 0.8,
        blur_sigma: tuple[float, float] = (0.15, 1.15),
        blur_probability: float = 0.5,
        flip_probability: float = 0.5,
    ) -> None:
        super().__init__()
        check_choice(f"{PLACE}.mixing", mixing, get_args(Mixing))
        check_within(PLACE, 0, 1, labeled_share=labeled_share, flip_probability=flip_probability)
        if not 0 < box_area < 1:
            raise ValueError(f"{PLACE}.box_area must lie in (0, 1), got {box_area!r}")
        check_size(f"{PLACE}.crop", crop)
        check_range(f"{PLACE}.scale", scale)
        self.crop = crop
        self.scale = scale
        self.mixing = mixing
        self.box_area = box_area
        self.labeled_share = labeled_share
        self.flip_probability = flip_probability
        self.recolouring = Recolouring(
            jitter=jitter,
            hue=hue,
            jitter_probability=jitter_probability,
            blur_sigma=blur_sigma,
            blur_probability=blur_probability,
        )

    @property
    def moves_pixels(self) -> bool:
        """Whether a pixel can end up in another place, or in another image."""
        moved = self.crop is not None or tuple(self.scale) != (1.0, 1.0) or self.flip_probability > 0
        return moved or self.mixing in ("cutmix", "classmix") or self.labeled_share > 0

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
        labeled: View | None = None,
    ) -> View:
        """Augment images normalised with ``mean`` and ``std`` (on the scale 0..255) and all that moves with them.

        ``labeled`` are the images, with their true labels, that ``labeled_share`` is about.

        Raises:
            ValueError: There is such a share, and there are none.
        """
        if self.labeled_share > 0 and labeled is None:
            raise ValueError(
                f"model.augmentation.labeled_share={self.labeled_share}: this method gives its strong view no labels, "
                "so that parts of labelled images have nothing to bring theirs to; set it to 0"
            )
        batch, device = len(view.image), view.image.device
        view = self._scaled(view, ignore_index, generator)
        mixed = self._mix(view, num_classes, ignore_index, generator)
        if labeled is not None:
            labeled = self._scaled(labeled, ignore_index, generator)
            given = receive_classes(view, labeled, num_classes, ignore_index, generator)
            mixed = replace_some(mixed, given, self.labeled_share, generator)
        view = self.recolouring(mixed, mean, std, generator)
        if self.flip_probability > 0:
            view = apply_flip(view, draw_flip(batch, self.flip_probability, generator, device))
        return view

    def _scaled(self, view: View, ignore_index: int, generator: torch.Generator) -> View:
        size = (view.image.shape[2], view.image.shape[3])
        crop = self.crop or size
        if crop == size and tuple(self.scale) == (1.0, 1.0):
            return view
        params = draw_scale_crop(len(view.image), size, crop, self.scale, generator, view.image.device)
        return apply_scale_crop(view, params, crop, ignore_index)

    def _mix(self, view: View, num_classes: int, ignore_index: int, generator: torch.Generator) -> View:
        if self.mixing == "none":
            return view
        if self.mixing in ("cutmix", "classmix"):
            check_partner(view, f"mixing={self.mixing!r}", "the next", "mixing='cutout' or 'none'")
        if self.mixing == "classmix":
            return receive_classes(view, next_of(view), num_classes, ignore_index, generator)
        size = (view.image.shape[2], view.image.shape[3])
        mask = box_mask(draw_boxes(len(view.image), size, self.box_area, generator, view.image.device), size)
        return paste_next(view, mask) if self.mixing == "cutmix" else cut_out(view, mask, ignore_index)
