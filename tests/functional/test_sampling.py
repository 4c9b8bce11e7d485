"""Groups of indices, and draws from them."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmseg_css.functional.sampling import draw_below, draw_categories, draw_members, group_indices, host_generator
from tests.functional.helpers import SEEDS, class_map, generator
from tests.reference import sampling as reference

SIGNIFICANCE = 1e-4


@given(SEEDS, st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0]))
def test_groups_are_the_reference(seed: int, length: int, ignored: float) -> None:
    group = class_map(seed, length, num_classes=5, ignored=ignored) - 1  # -1 belongs to no group, as 254 does
    groups = group_indices(group, 4)
    spans = zip(groups.start.tolist(), groups.size.tolist(), strict=True)
    assert [groups.order[start : start + size].tolist() for start, size in spans] == reference.group_indices(
        group.numpy(), 4
    )


def test_members_are_uniform_and_of_their_group() -> None:
    group = torch.tensor([1, 0, 255, 1, 1, 0])
    drawn = draw_members(group_indices(group, 2), torch.tensor([[0], [1]]).expand(2, 9_000), generator=generator(0))
    for row, members in zip(drawn, ([1, 5], [0, 3, 4]), strict=True):
        counts = torch.bincount(row, minlength=6)
        assert counts[members].sum() == 9_000
        assert stats.chisquare(counts[members].numpy()).pvalue > SIGNIFICANCE


def test_integers_below_a_limit_are_uniform() -> None:
    drawn = draw_below(torch.tensor([[3], [0], [1]]).expand(3, 9_000), generator=generator(1))
    assert stats.chisquare(torch.bincount(drawn[0], minlength=3).numpy()).pvalue > SIGNIFICANCE
    assert drawn[0].max() == 2 and (drawn[1:] == 0).all()


def test_categories_follow_each_row_and_never_an_empty_one() -> None:
    probabilities = torch.tensor([[0.0, 0.2, 0.0, 0.5, 0.3, 0.0], [0.6, 0.0, 0.4, 0.0, 0.0, 0.0]])
    drawn = draw_categories(probabilities, 20_000, generator=generator(0))
    for row, expected in zip(drawn, probabilities.double(), strict=True):
        counts, possible = torch.bincount(row, minlength=6), expected > 0
        assert counts[possible].sum() == 20_000
        p_value = stats.chisquare(
            counts[possible].numpy(), (20_000 * expected[possible] / expected.sum()).numpy()
        ).pvalue
        assert p_value > SIGNIFICANCE


class OnDevice(torch.Generator):
    """A generator that says it belongs to another device."""

    device = torch.device("cuda")


def test_host_draws_go_on_with_the_device() -> None:
    """Two views of one step must not draw alike, and a step that is repeated must."""
    source, other_source = OnDevice(), OnDevice()
    source.manual_seed(3), other_source.manual_seed(4)
    first, again = (torch.rand(5, generator=host_generator(source)) for _ in range(2))
    source.set_state(torch.Generator().manual_seed(5).get_state())  # as after a draw
    other = torch.rand(5, generator=host_generator(source))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, torch.rand(5, generator=host_generator(other_source)))
