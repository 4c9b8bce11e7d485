"""The strong view of FixMatch, UniMatch and CPS: what it changes, how often, and that labels move with their pixels."""

from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor

from mmseg_css.models import StrongView
from mmseg_css.types import View
from tests.models.methods.helpers import build

MEAN = STD = torch.full((3, 1, 1), 127.5)
OFF = {"jitter_probability": 0.0, "grey_probability": 0.0, "blur_probability": 0.0, "boxes": "none"}
GREY = {"grey_probability": 1.0}
BATCH = 400


def view_of(batch: int = BATCH, side: int = 16) -> View:
    """Every image has its number as label and confidence, and random colours."""
    number = torch.arange(batch)[:, None, None, None].expand(-1, 1, side, side)
    image = 2 * torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(0)) - 1
    return View(image, number.clone(), number / batch, torch.ones(batch, side, side, dtype=torch.bool))


def strong(view: View, seed: int = 0, **settings: Any) -> View:
    generator = torch.Generator().manual_seed(seed)
    module = StrongView(**{**OFF, **settings})
    return module(view, mean=MEAN, std=STD, num_classes=3, ignore_index=255, generator=generator)


def changed(view: View, found: View) -> Tensor:
    return ((found.image - view.image).abs() > 1e-3).flatten(1).any(dim=1)


def test_with_everything_off_it_is_the_weak_view() -> None:
    view = view_of(3)
    found = strong(view)
    torch.testing.assert_close(found.image, view.image)
    assert torch.equal(found.labels, view.labels)


@pytest.mark.parametrize(("turned", "red"), [(False, 2), (True, 0)])
def test_grey_weighs_the_red_of_images_in_either_order_of_channels(turned: bool, red: int) -> None:
    """OpenMMLab reads blue, green, red, and weights of Caffe's time want them so."""
    prepare = {"type": "SemiDataPreprocessor", "mean": [0.0] * 3, "std": [255.0] * 3, "bgr_to_rgb": turned}
    model = build("fixmatch", data_preprocessor=prepare, augmentation={"type": "StrongView", **OFF, **GREY})
    view = view_of(2)
    view = view._replace(image=torch.zeros_like(view.image).index_fill(1, torch.tensor(red), 1.0))
    found = model.augment(view, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.image, torch.full_like(view.image, 0.299))


@pytest.mark.parametrize(
    ("settings", "share"),
    [({"jitter_probability": 0.8}, 0.8), ({"grey_probability": 0.2}, 0.2), ({"blur_probability": 0.5}, 0.5)],
)
def test_how_many_images_are_recoloured_each_where_it_is(settings: dict, share: float) -> None:
    view = view_of()
    found = strong(view, **settings)
    number = int(changed(view, found).sum())
    low = share - 0.03 if "blur_probability" in settings else share  # the weakest blurs change nothing
    assert stats.binomtest(number, BATCH, share).pvalue > 1e-4 or low * BATCH < number < share * BATCH
    assert torch.equal(found.labels, view.labels) and found.valid.all()


def test_the_strongest_blur_has_room_for_its_kernel() -> None:
    """At sigma 2 a point keeps its whole light: 15 pixels hold all but a thousandth."""
    view = view_of(1, side=31)
    view = view._replace(image=torch.full_like(view.image, -1.0))
    view.image[:, :, 15, 15] = 1.0
    found = strong(view, blur_probability=1.0, blur_sigma=(2.0, 2.0))
    light = (found.image[0, 0] + 1) / 2
    rows = torch.arange(31.0) - 15
    assert light.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert (light.sum(dim=1) * rows**2).sum().sqrt().item() == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(("boxes", "area"), [("one", 0.21), ("three", None)])
def test_half_of_the_images_receive_a_box_with_its_labels(boxes: str, area: float | None) -> None:
    view = view_of()
    found = strong(view, boxes=boxes)
    mixed = found.labels[:, 0] != view.labels[:, 0]
    number = int(mixed.flatten(1).any(dim=1).sum())
    assert stats.binomtest(number, BATCH, 0.5).pvalue > 1e-4
    following = torch.arange(BATCH).roll(-1)[:, None, None].expand_as(mixed)
    assert torch.equal(found.labels[:, 0][mixed], following[mixed])
    torch.testing.assert_close(found.confidences, found.labels / BATCH)
    torch.testing.assert_close(found.image, torch.where(mixed[:, None], view.image.roll(-1, 0), view.image))
    if area is not None:
        assert mixed.float().mean().item() == pytest.approx(area * number / BATCH, abs=0.02)


def test_the_opposite_image_gives() -> None:
    view = view_of(5)
    found = strong(view, boxes="one", mixing_probability=1.0, partner="opposite")
    shown = [set(labels.unique().tolist()) for labels in found.labels]
    assert shown == [{0, 4}, {1, 3}, {2}, {3, 1}, {4, 0}]


def test_a_box_is_of_the_recoloured_partner() -> None:
    """The partner's own colours travel: both images are changed before they are mixed."""
    view = view_of(8)
    settings = {"jitter": 0.9, "jitter_probability": 1.0}
    apart = strong(view, **settings)
    found = strong(view, **settings, boxes="one", mixing_probability=1.0)
    mixed = found.labels != view.labels
    torch.testing.assert_close(found.image, torch.where(mixed, apart.image.roll(-1, 0), apart.image))


def test_an_image_alone_has_no_partner() -> None:
    with pytest.raises(ValueError, match="model.augmentation.boxes='one' pastes from another image of the batch, and"):
        strong(view_of(1), boxes="one")
    assert strong(view_of(1)).image.shape == (1, 3, 16, 16)


@pytest.mark.parametrize("channels", [1, 5])
def test_grey_and_multispectral_images(channels: int) -> None:
    view = view_of(4)
    view = view._replace(image=view.image[:, :1].repeat(1, channels, 1, 1))
    generator = torch.Generator().manual_seed(0)
    found = StrongView()(view, mean=MEAN[:1], std=STD[:1], num_classes=3, ignore_index=255, generator=generator)
    assert found.image.shape == view.image.shape and found.image.isfinite().all()
