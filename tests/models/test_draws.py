"""What the strong augmentation draws, and on which values it works."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmseg_css.models.augmentation import StrongAugmentation
from mmseg_css.models.segmentors import Progress, base
from mmseg_css.registry import MODELS
from mmseg_css.types import View
from tests.models.helpers import build_css, css_config, random_batch


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


def test_ranks_iterations_and_seeds_draw_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of all three: the same again for the same, and otherwise never."""
    model = build_css()

    def draws(rank: int, iteration: int, seed: int) -> tuple[float, ...]:
        monkeypatch.setattr(base, "get_rank", lambda: rank)
        model.progress = Progress(iteration, 10, seed)
        return tuple(torch.rand(4, generator=model.generator(torch.device("cpu"))).tolist())

    keys = [(rank, iteration, seed) for rank in (0, 1) for iteration in (0, 1) for seed in (0, 1)]
    assert len({draws(*key) for key in keys}) == len(keys)
    assert draws(1, 0, 1) == draws(1, 0, 1)


def test_two_ranks_augment_the_same_image_each_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_css()
    views = []
    for rank in (0, 1):
        monkeypatch.setattr(base, "get_rank", lambda rank=rank: rank)
        model.loss(*random_batch())
        views.append(model.diagnostics.image)
    assert not torch.equal(*views)


def test_the_strong_view_is_a_picture_jittered_or_not() -> None:
    """Values beyond white and black, as a sharpening resize makes them, are cut off in every image of a batch alike:
    the changes of colour do so to the images that they are applied to.
    """
    augmentation = StrongAugmentation(
        scale=(1.0, 1.0), mixing="none", jitter_probability=0.5, blur_probability=0.0, flip_probability=0.0
    )
    mean, std = torch.full((3, 1, 1), 100.0), torch.full((3, 1, 1), 50.0)
    image = torch.linspace(-30, 290, 8 * 3 * 16 * 16).reshape(8, 3, 16, 16)
    none = image.new_zeros(8, 0, 16, 16)
    view = augmentation(
        View((image - mean) / std, none.long(), none, torch.ones(8, 16, 16, dtype=torch.bool)),
        mean=mean,
        std=std,
        num_classes=2,
        ignore_index=255,
        generator=torch.Generator().manual_seed(0),
    )
    picture = view.image * std + mean
    assert picture.min() >= -1e-3
    assert picture.max() <= 255 + 1e-3
    unchanged = [
        torch.allclose(own, before, atol=1e-3) for own, before in zip(picture, image.clamp(0, 255), strict=True)
    ]
    assert 0 < sum(unchanged) < 8


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": 0.0}, r"model\.temperature must be positive, got 0\.0"),
        ({"contrast_loss": {"type": "PrototypeContrastLoss", "temperature": -1.0}}, r"contrast_loss\.temperature must"),
        (
            {"contrast_loss": {"type": "PrototypeContrastLoss", "similarity_temperature": 0.0}},
            r"contrast_loss\.similarity_temperature must be positive",
        ),
    ],
)
def test_a_temperature_is_refused_when_the_model_is_built(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MODELS.build(css_config(**changes))
