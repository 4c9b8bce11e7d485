"""Strong augmentation as a whole: whatever is done to a pixel is done to all that belongs to it.

The image of these tests shows its own label as a shade of grey, so that a label that has left its pixel is seen.
"""

import pytest
import torch
from torch import Tensor

from mmseg_css.models import StrongAugmentation
from mmseg_css.types import View
from tests.models.helpers import NO_AUGMENTATION

IGNORED = 255
# Value of each class in the normalised image.
SHADES = torch.tensor([-0.9, -0.55, 0.1, 0.85])
MEAN = STD = torch.tensor([127.5]).reshape(1, 1, 1)
GEOMETRY_ONLY = {"jitter_probability": 0.0, "blur_probability": 0.0}


def block_view(batch: int = 4, channels: int = 3, size: tuple[int, int] = (24, 32), seed: int = 0) -> View:
    """Blocks of 8 x 8 pixels of one class, shown in its shade; the second label map is the first one's complement."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.randint(len(SHADES), (batch, size[0] // 8, size[1] // 8), generator=generator)
    labels = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    image = SHADES[labels][:, None].expand(-1, channels, -1, -1).contiguous()
    labels = torch.stack([labels, len(SHADES) - 1 - labels], dim=1)
    return View(image, labels, 0.5 + 0.1 * labels.float(), torch.ones(batch, *size, dtype=torch.bool))


def augment(
    view: View, seed: int = 0, num_classes: int = len(SHADES), labeled: View | None = None, **settings: object
) -> View:
    return StrongAugmentation(**settings)(
        view,
        mean=MEAN,
        std=STD,
        num_classes=num_classes,
        ignore_index=IGNORED,
        generator=torch.Generator().manual_seed(seed),
        labeled=labeled,
    )


def shade_of(label: Tensor) -> Tensor:
    return SHADES[torch.where(label == IGNORED, 0, label)]


def in_step(view: View) -> Tensor:
    """Share of the labelled pixels that show their shade, away from seams, where bilinear and nearest must differ."""
    label = view.labels[:, 0]
    right = (view.image[:, 0] - shade_of(label)).abs() < 0.02
    # A seam is one pixel wide, so ask where all neighbours have the label of the pixel.
    padded = torch.nn.functional.pad(label.float()[:, None], (1, 1, 1, 1), value=-1.0)
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)[:, 0]
    inner = (windows == label[..., None]).all(dim=-1) & (label != IGNORED)
    assert inner.float().mean() > 0.15
    return right[inner].float().mean()


def assert_maps_agree(view: View) -> None:
    """Second label map and confidences belong to the same source pixels as the first label map."""
    first, second = view.labels.unbind(dim=1)
    labeled = first != IGNORED
    assert torch.equal(labeled, view.valid)
    assert torch.equal(second, torch.where(labeled, len(SHADES) - 1 - first, IGNORED))
    expected = torch.where(labeled[:, None], 0.5 + 0.1 * view.labels.float(), 0.0)
    torch.testing.assert_close(view.confidences, expected)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mixing", ["none", "cutmix", "classmix"])
@pytest.mark.parametrize("crop", [None, (16, 24), (40, 24)])
def test_labels_move_with_their_pixels(mixing: str, crop: tuple[int, int] | None, seed: int) -> None:
    view = augment(block_view(seed=seed), seed, crop=crop, scale=(0.5, 2.0), mixing=mixing, **GEOMETRY_ONLY)
    assert view.image.shape[2:] == (crop or (24, 32))
    # Pasting hides some seams: a pixel of mixed shade may land among pixels of its class.
    assert in_step(view) >= (1.0 if mixing == "none" else 0.9)
    assert_maps_agree(view)


def test_no_augmentation_changes_nothing() -> None:
    view = block_view()
    out = augment(view, **{key: value for key, value in NO_AUGMENTATION.items() if key != "type"})
    torch.testing.assert_close(out.image, view.image, atol=1e-5, rtol=0)
    assert torch.equal(out.labels, view.labels)
    assert torch.equal(out.confidences, view.confidences)
    assert out.valid.all()


def test_padding_is_below_and_right_and_has_no_label() -> None:
    view = augment(block_view(), scale=(0.5, 0.5), mixing="none", flip_probability=0.0, **GEOMETRY_ONLY)
    shown = torch.zeros(24, 32, dtype=torch.bool)
    shown[:12, :16] = True
    assert torch.equal(view.labels[:, 0] != IGNORED, shown.expand(4, -1, -1))
    assert torch.equal(view.confidences[:, 0] > 0, shown.expand(4, -1, -1))
    # Reflected image, not a constant: the row below the edge is the one above the last.
    torch.testing.assert_close(view.image[:, :, 12, :16], view.image[:, :, 10, :16])


def test_what_was_ignored_stays_so() -> None:
    view = block_view()
    hidden = view.labels[:, :1] == 2
    view = view._replace(
        labels=view.labels.masked_fill(hidden, IGNORED),
        confidences=view.confidences.masked_fill(hidden, 0.0),
        valid=view.valid & ~hidden[:, 0],
    )
    out = augment(view, scale=(0.5, 1.5), **GEOMETRY_ONLY)
    assert (out.labels[:, 0] != 2).all()
    assert (out.labels[:, 0] == 0).any()
    assert_maps_agree(out)


def test_flip_mirrors() -> None:
    view = block_view()
    out = augment(view, scale=(1.0, 1.0), mixing="none", flip_probability=1.0, **GEOMETRY_ONLY)
    torch.testing.assert_close(out.image, view.image.flip(-1), atol=1e-5, rtol=0)
    assert torch.equal(out.labels, view.labels.flip(-1))
    assert torch.equal(out.confidences, view.confidences.flip(-1))


STILL = {"scale": (1.0, 1.0), "flip_probability": 0.0, **GEOMETRY_ONLY}


def constant_view(batch: int = 4, size: tuple[int, int] = (16, 16)) -> View:
    """Image i is all of class i."""
    labels = torch.arange(batch)[:, None, None].expand(-1, *size)
    return View(
        SHADES[labels][:, None].contiguous(),
        labels[:, None].contiguous(),
        (0.5 + 0.1 * labels.float())[:, None].contiguous(),
        torch.ones(batch, *size, dtype=torch.bool),
    )


def test_cutmix_fills_half_of_each_image_from_the_next() -> None:
    out = augment(constant_view(), mixing="cutmix", **STILL)
    for index in range(4):
        own, pasted = index, (index + 1) % 4
        label = out.labels[index, 0]
        assert set(label.unique().tolist()) == {own, pasted}
        # Half of the area, up to the rounding of the box's height (by half a row at most).
        assert abs((label == pasted).float().mean().item() - 0.5) <= 0.5 / 16
        assert is_box(label == pasted)


def is_box(mask: Tensor) -> bool:
    rows, columns = mask.any(dim=1), mask.any(dim=0)
    return bool((mask == rows[:, None] & columns).all()) and all(is_run(line) for line in (rows, columns))


def is_run(line: Tensor) -> bool:
    where = line.nonzero().flatten()
    return len(where) == where[-1] - where[0] + 1


def test_cutout_blanks_half_of_each_image() -> None:
    view = constant_view()
    out = augment(view, mixing="cutout", **STILL)
    blank = ~out.valid
    for index in range(4):
        assert abs(blank[index].float().mean().item() - 0.5) <= 0.5 / 16
        assert is_box(blank[index])
    assert torch.equal(out.labels[:, 0] == IGNORED, blank)
    assert (out.confidences[:, 0][blank] == 0).all()
    torch.testing.assert_close(out.image[:, 0][blank], torch.zeros(int(blank.sum())), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.image[:, 0][~blank], view.image[:, 0][~blank], atol=1e-5, rtol=0)


@pytest.mark.parametrize("mixing", ["cutmix", "cutout"])
@pytest.mark.parametrize("area", [0.25, 0.75])
def test_a_box_covers_as_much_as_it_is_set(area: float, mixing: str) -> None:
    """Up to the rounding of its height."""
    view = constant_view()
    out = augment(view, mixing=mixing, box_area=area, **STILL)
    for own, label in zip(view.labels[:, 0], out.labels[:, 0], strict=True):
        assert abs((label != own).float().mean().item() - area) <= 0.5 / 16


def test_classmix_pastes_half_of_the_next_images_classes() -> None:
    view = block_view(size=(32, 32))
    # Mark the source image in the confidence.
    source = torch.arange(4.0)[:, None, None, None].expand(-1, 2, 32, 32) / 10
    out = augment(view._replace(confidences=source.contiguous()), mixing="classmix", **STILL)
    for index in range(4):
        following = (index + 1) % 4
        pasted = out.confidences[index, 0] == source[following, 0]
        given = view.labels[following, 0]
        chosen = set(given[pasted].tolist())
        assert len(chosen) == (len(given.unique()) + 1) // 2
        assert torch.equal(pasted, torch.isin(given, torch.tensor(sorted(chosen))))  # whole classes
        assert torch.equal(out.labels[index, 0], torch.where(pasted, given, view.labels[index, 0]))


@pytest.mark.parametrize("mixing", ["none", "cutout", "cutmix", "classmix"])
def test_labelled_images_give_classes_with_their_true_labels_instead(mixing: str) -> None:
    view, labeled = block_view(), block_view(batch=2, seed=1)
    truth = labeled._replace(confidences=torch.ones_like(labeled.confidences))
    out = augment(view, mixing=mixing, labeled_share=1.0, labeled=truth, **STILL)
    for index in range(4):
        given = truth.labels[index % 2, 0]
        pasted = (out.confidences[index] == 1).all(dim=0)
        assert set(given[pasted].tolist()).isdisjoint(given[~pasted].tolist()) and pasted.any() and not pasted.all()
        assert torch.equal(out.labels[index, 0], torch.where(pasted, given, view.labels[index, 0]))
    assert torch.equal(out.image[:, 0], SHADES[out.labels[:, 0]])


def test_labelled_images_are_scaled_as_the_others_are() -> None:
    settings = {"mixing": "none", "crop": (16, 24), "scale": (0.5, 2.0), **GEOMETRY_ONLY}
    out = augment(block_view(), labeled_share=1.0, labeled=block_view(batch=2, seed=1), **settings)
    assert out.image.shape[2:] == (16, 24)
    assert in_step(out) >= 0.9
    assert_maps_agree(out)


def test_labelled_images_that_are_missing_in_words() -> None:
    with pytest.raises(ValueError, match=r"model.augmentation.labeled_share=0.5: this method gives .* set it to 0"):
        augment(block_view(), labeled_share=0.5)


@pytest.mark.parametrize("mixing", ["none", "cutout", "cutmix", "classmix"])
def test_deterministic_given_the_generator(mixing: str) -> None:
    first, again, other = (augment(block_view(), seed, mixing=mixing) for seed in (0, 0, 1))
    for one, same in zip(first, again, strict=True):
        assert torch.equal(one, same)
    assert not torch.equal(first.image, other.image)
    state = torch.get_rng_state()
    augment(block_view(), 0, mixing=mixing)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_number_of_channels(channels: int) -> None:
    out = augment(block_view(channels=channels), jitter_probability=1.0, blur_probability=1.0)
    assert out.image.shape == (4, channels, 24, 32)
    assert torch.isfinite(out.image).all()
    assert out.image.min() >= -1 - 1e-5  # still between black and white
    assert out.image.max() <= 1 + 1e-5


def test_photometry_leaves_the_labels() -> None:
    view = block_view()
    settings = {"scale": (1.0, 1.0), "mixing": "none", "flip_probability": 0.0}
    out = augment(view, jitter_probability=1.0, blur_probability=1.0, **settings)
    assert torch.equal(out.labels, view.labels)
    assert torch.equal(out.confidences, view.confidences)
    changed = (out.image - view.image).abs().flatten(1).mean(dim=1)
    assert (changed > 0.01).all()


def test_means_and_deviations_per_channel() -> None:
    """Photometry works on the picture, whatever the normalisation: two of them, one result."""
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255
    results = []
    for mean, std in (([0.0] * 3, [255.0] * 3), ([10.0, 20.0, 30.0], [50.0, 60.0, 70.0])):
        mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (mean, std))
        view = constant_view(batch=2)._replace(image=(picture - mean) / std)
        out = StrongAugmentation()(
            view, mean=mean, std=std, num_classes=4, ignore_index=IGNORED, generator=torch.Generator().manual_seed(3)
        )
        results.append(out.image * std + mean)
    assert (results[0] - picture).abs().mean() > 1
    torch.testing.assert_close(results[0], results[1], atol=0.05, rtol=0)


def test_wrong_mixing_in_words() -> None:
    with pytest.raises(
        ValueError, match="model.augmentation.mixing must be one of none, cutout, cutmix, classmix; got 'mixup'"
    ):
        StrongAugmentation(mixing="mixup")
