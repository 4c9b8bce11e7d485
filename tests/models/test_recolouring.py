"""How far the strong views change colours and sharpness: as far as their settings say, and no farther."""

import pytest
import torch
from torch import Tensor

from mmseg_css.models import SemiDataPreprocessor, StrongAugmentation, StrongView, recolouring
from mmseg_css.models.augmentation import augmented
from mmseg_css.types import View

STILL = {"jitter_probability": 0.0, "blur_probability": 0.0}
KINDS = {
    StrongView: {**STILL, "grey_probability": 0.0, "boxes": "none"},
    StrongAugmentation: {**STILL, "scale": (1.0, 1.0), "mixing": "none", "flip_probability": 0.0},
}
pytestmark = pytest.mark.parametrize("kind", KINDS)


def recoloured(kind: type, images: Tensor, **settings: object) -> Tensor:
    """Images of values in [0, 1], as the strong view has them."""
    batch, _, height, width = images.shape
    half = torch.full((3, 1, 1), 127.5)
    none = torch.zeros(batch, 1, height, width)
    view = View(2 * images - 1, none.long(), none, torch.ones(batch, height, width, dtype=torch.bool))
    found = kind(**{**KINDS[kind], **settings})(
        view, mean=half, std=half, num_classes=3, ignore_index=255, generator=torch.Generator().manual_seed(0)
    )
    return (found.image + 1) / 2


def images_of(*colour: float) -> Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(64, -1, 2, 2)


@pytest.mark.parametrize("jitter", [0.1, 0.4])
def test_brightness_changes_by_up_to_the_jitter(kind: type, jitter: float) -> None:
    """Of grey images, which have neither contrast nor colour."""
    found = recoloured(kind, images_of(0.5, 0.5, 0.5), jitter=jitter, jitter_probability=1.0)
    assert 0.8 * jitter < (found / 0.5 - 1).abs().max().item() <= jitter + 1e-5


@pytest.mark.parametrize("hue", [0.05, 0.15])
def test_hue_changes_by_up_to_its_share_of_the_circle(kind: type, hue: float) -> None:
    """Of red images: a sixth of the circle away another channel is as large as the red one."""
    found = recoloured(kind, images_of(1.0, 0.0, 0.0), jitter=0.0, hue=hue, jitter_probability=1.0)
    assert 0.8 * hue < found[:, 1:].max().item() / 6 <= hue + 1e-5


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_a_blurred_point_is_as_wide_as_sigma(kind: type, sigma: float) -> None:
    point = torch.zeros(1, 3, 31, 31)
    point[..., 15, 15] = 1.0
    light = recoloured(kind, point, blur_sigma=(sigma, sigma), blur_probability=1.0)[0, 0]
    variance = (light.sum(dim=1) * (torch.arange(31.0) - 15) ** 2).sum()
    assert variance.sqrt().item() == pytest.approx(sigma, abs=0.05)


def test_images_in_the_order_of_bgr_are_changed_as_those_in_rgb(kind: type) -> None:
    """Also where each channel has a mean and std of its own, and where parts of labelled images are pasted."""
    given = {"labeled_share": 0.5} if kind is StrongAugmentation else {}
    augmentation = kind(**{**KINDS[kind], "jitter_probability": 1.0, **given})
    mean, std = [100.0, 110.0, 120.0], [50.0, 60.0, 70.0]
    view, labeled = (view_of(seed) for seed in (0, 1))

    def found(turned: bool) -> Tensor:
        prepare, order = SemiDataPreprocessor(mean=mean, std=std, bgr_to_rgb=True), (lambda image: image)
        if turned:
            prepare, order = SemiDataPreprocessor(mean=mean[::-1], std=std[::-1]), (lambda image: image.flip(1))
        labels = {"labeled": labeled._replace(image=order(labeled.image))} if given else {}
        settings = {"num_classes": 3, "ignore_index": 255, "generator": torch.Generator().manual_seed(0)}
        return order(
            augmented(augmentation, prepare, view._replace(image=order(view.image)), **labels, **settings).image
        )

    assert torch.equal(found(turned=True), found(turned=False))


def test_colours_that_stay_cost_nothing_and_no_draw(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blur after them is that of a view in which they might change and do not."""
    images, blurred = torch.rand(4, 3, 9, 9), {"blur_probability": 1.0}
    unlikely = {name: 1e-30 for name in KINDS[kind] if name in ("jitter_probability", "grey_probability")}
    expected = recoloured(kind, images, **blurred, **unlikely)
    monkeypatch.delattr(recolouring, "apply_color_jitter")
    assert torch.equal(recoloured(kind, images, **blurred), expected)


def view_of(seed: int) -> View:
    """Four images of random colours and classes."""
    generator = torch.Generator().manual_seed(seed)
    image, labels = torch.randn(4, 3, 8, 8, generator=generator), torch.randint(3, (4, 1, 8, 8), generator=generator)
    return View(image, labels, torch.ones(4, 1, 8, 8), torch.ones(4, 8, 8, dtype=torch.bool))
