"""Randomness is an argument: the same seed gives the same draw, and nothing else is read or moved."""

import ast
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mmseg_css.functional import channel_dropout, negative_sampling, sampling
from mmseg_css.functional.contrastive import draw_contrast
from mmseg_css.functional.geometry import draw_flip, draw_scale_crop
from mmseg_css.functional.mixing import draw_box_sets, draw_boxes, draw_classmix_mask, draw_shaped_boxes
from mmseg_css.functional.photometric import draw_blur, draw_color_jitter, draw_grey
from tests.functional.helpers import class_map, equal, generator, normal, uniform
from tests.functional.test_package import MODULES

LABELS = class_map(0, 2, 6, 6, num_classes=4)
DRAWS: dict[str, Callable[[torch.Generator], Any]] = {
    "draw_contrast": lambda g: draw_contrast(
        LABELS, torch.ones_like(LABELS).bool(), normal(1, 4, 3), num_queries=8, num_negatives=8, generator=g
    ),
    "draw_boxes": lambda g: draw_boxes(8, (64, 64), generator=g),
    "draw_shaped_boxes": lambda g: draw_shaped_boxes(8, (64, 64), generator=g),
    "draw_box_sets": lambda g: draw_box_sets(8, (64, 64), generator=g),
    "draw_channel_factors": lambda g: channel_dropout.draw_channel_factors(4, 64, generator=g),
    "draw_half": lambda g: channel_dropout.draw_half(64, generator=g),
    "draw_complementary_factors": lambda g: channel_dropout.draw_complementary_factors(
        torch.zeros(4, dtype=torch.bool), 64, generator=g
    ),
    "draw_grey": lambda g: draw_grey(64, 0.5, generator=g),
    "draw_anchors": lambda g: negative_sampling.draw_anchors(LABELS < 255, 64, generator=g),
    "draw_negatives": lambda g: negative_sampling.draw_negatives(
        negative_sampling.uniform(uniform(1, 2, 4, 6, 6)), torch.arange(8), LABELS < 255, 16, generator=g
    ),
    "draw_classmix_mask": lambda g: draw_classmix_mask(LABELS, 4, generator=g),
    "draw_scale_crop": lambda g: draw_scale_crop(8, (64, 64), (64, 64), (0.5, 1.5), generator=g),
    "draw_flip": lambda g: draw_flip(64, 0.5, generator=g),
    "draw_color_jitter": lambda g: draw_color_jitter(8, generator=g),
    "draw_blur": lambda g: draw_blur(8, generator=g),
    "draw_below": lambda g: sampling.draw_below(torch.full((64,), 1000), generator=g),
    "draw_members": lambda g: sampling.draw_members(
        sampling.group_indices(LABELS.flatten(), 4), torch.arange(4).expand(8, 4), generator=g
    ),
    "draw_categories": lambda g: sampling.draw_categories(torch.full((3, 4), 0.25), num_draws=64, generator=g),
}


def fields(drawn: Any) -> list[Tensor]:
    """The tensors of a draw."""
    return [drawn] if isinstance(drawn, Tensor) else [torch.as_tensor(field) for field in drawn]


def test_every_draw_is_listed_here() -> None:
    names = {
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("draw_")
    }
    assert names == set(DRAWS)


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_decides_the_draw(name: str) -> None:
    first, again, other = (fields(DRAWS[name](generator(seed))) for seed in (3, 3, 4))
    for one, same in zip(first, again, strict=True):
        equal(one, same)
    assert any(not torch.equal(one, different) for one, different in zip(first, other, strict=True))


@pytest.mark.parametrize("name", DRAWS)
def test_consecutive_draws_differ(name: str) -> None:
    source = generator(3)
    first, second = fields(DRAWS[name](source)), fields(DRAWS[name](source))
    assert any(not torch.equal(one, two) for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("name", DRAWS)
def test_global_randomness_is_neither_moved_nor_read(name: str) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    first = fields(DRAWS[name](generator(3)))
    equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1] and random.getstate() == before[2]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(12345)
        second = fields(DRAWS[name](generator(3)))
    for one, same in zip(first, second, strict=True):
        equal(one, same)
