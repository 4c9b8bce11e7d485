"""Rules: the highest scores, spread or not, and draws."""

from typing import get_args, get_type_hints

import pytest
import torch

from mmseg_css.cli import suggest
from mmseg_css.deployment.suggestion.choosing import RULES, choose
from mmseg_css.deployment.suggestion.writing import FORMATS

# Of five images, the three first look alike, and the last one like the labelled one.
VECTORS = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
LABELLED = torch.tensor([[-1.0, 0.0]])
SCORES = [{"rare": score} for score in (0.3, 0.9, 0.8, 0.7, 0.6)]


def test_the_highest_scores_as_they_are() -> None:
    found = choose(SCORES, VECTORS, LABELLED, by="rare", budget=2, candidates=1)
    assert found.indices == [1, 2] and found.distances == [None, None]


def test_copies_are_passed_over_among_the_candidates() -> None:
    """The candidates are images 1 to 4; 1 is farthest from what is labelled, and 2 is a copy of it."""
    found = choose(SCORES, VECTORS, LABELLED, by="rare", budget=2, candidates=2)
    assert found.indices == [1, 3] and found.distances == pytest.approx([2, 2**0.5])


def test_diversity_looks_at_all_images() -> None:
    assert choose(SCORES, VECTORS, LABELLED, by="diversity", budget=2).indices == [0, 3]


def test_draws_depend_on_the_seed_alone() -> None:
    first, again, other = (choose(SCORES, VECTORS, LABELLED, by="random", budget=5, seed=s) for s in (1, 1, 2))
    assert first == again and sorted(first.indices) == list(range(5))
    assert first.indices != other.indices


def test_the_command_knows_all_rules_and_formats() -> None:
    hints = get_type_hints(suggest.command)
    assert get_args(hints["by"]) == RULES
    assert get_args(get_args(get_args(hints["formats"])[0])[0]) == FORMATS
