"""Lists with chosen shares of the classes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_css.cli.main import call
from mmseg_css.preparation.splits.imbalance import choose_by_share, distance, entropy, target_shares
from tests.datasets.helpers import write_mask

SHARES = np.array([0.7, 0.2, 0.08, 0.02])


def pool(images: int = 300, seed: int = 0) -> dict[str, np.ndarray]:
    """Images of 1000 pixels, each with a mixture of its own."""
    rng = np.random.default_rng(seed)
    return {f"{n:03d}": rng.multinomial(1000, rng.dirichlet(4 * SHARES)) for n in range(images)}


@given(rho=st.floats(0, 4))
def test_target_is_a_power_of_the_share(rho: float) -> None:
    target = target_shares(SHARES, rho)
    assert target.sum() == pytest.approx(1)
    np.testing.assert_allclose(target / target[0], (SHARES / SHARES[0]) ** rho)


@pytest.mark.parametrize("rho", [0.0, 1.0, 2.0])
def test_lists_come_near_what_was_asked_for(rho: float) -> None:
    """Much nearer than images drawn blindly."""
    images = pool()
    total = np.sum([*images.values()], axis=0)
    target = target_shares(total / total.sum(), rho)
    [names] = choose_by_share(images, [30], rho=rho, seed=1)
    reached = np.sum([images[name] for name in names], axis=0)
    rng = np.random.default_rng(0)
    blind = np.median(
        [
            distance(np.sum([images[name] for name in rng.choice([*images], 30, replace=False)], axis=0), target)
            for _ in range(100)
        ]
    )
    assert distance(reached, target) < blind / 2


def test_every_image_but_the_first_is_the_best_that_is_left() -> None:
    images = pool(40)
    total = np.sum([*images.values()], axis=0)
    target = target_shares(total / total.sum(), 0.5)
    lists = choose_by_share(images, range(1, 8), rho=0.5, seed=3)
    for before, after in zip(lists, lists[1:], strict=False):
        sums = {name: sum(images[own] for own in [*before, name]) for name in images if name not in before}
        [added] = {*after} - {*before}
        assert distance(sums[added], target) == min(distance(own, target) for own in sums.values())


def test_entropy_falls_with_rho() -> None:
    images = pool()
    bits = []
    for rho in (0.0, 1.0, 2.0):
        [names] = choose_by_share(images, [30], rho=rho, seed=0)
        total = np.sum([images[name] for name in names], axis=0)
        bits.append(entropy(total / total.sum()))
    assert bits[0] > bits[1] > bits[2]


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), rho=st.floats(0, 2))
def test_lists_are_nested_and_depend_on_names_alone(seed: int, rho: float) -> None:
    images = pool(20, seed)
    lists = choose_by_share(images, [12, 3, 20], rho=rho, seed=seed)
    assert [len(names) for names in lists] == [3, 12, 20] and {*lists[0]} <= {*lists[1]} <= {*images} == {*lists[2]}
    shuffled = dict(reversed(images.items()))
    assert choose_by_share(shuffled, [3, 12, 20], rho=rho, seed=seed) == lists


def test_seeds_give_other_lists() -> None:
    assert len({str(choose_by_share(pool(), [20], rho=1.0, seed=seed)) for seed in range(5)}) > 1


def test_command_prints_what_was_reached(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for number in range(6):
        values = np.zeros((4, 4), np.uint8)
        values[: number % 3] = 1
        write_mask(tmp_path / "masks" / f"{number}.png", values)
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{number}.jpg").touch()
    arguments = ["split", "generate", "--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    call([*arguments, "--count", "2", "--imbalance", "0", "--out", str(tmp_path / "list.txt")])
    assert len((tmp_path / "list.txt").read_text().split()) == 2
    said = capsys.readouterr().out
    assert "asked for" in said and "50.00%" in said and "entropy" in said


def test_images_without_a_labelled_pixel_are_not_chosen() -> None:
    images = {name: np.array(counts) for name, counts in (("a", (50, 50)), ("b", (100, 0)), ("void", (0, 0)))}
    assert all(choose_by_share(images, [2], rho=1.0, seed=seed) == [["a", "b"]] for seed in range(6))
    with pytest.raises(ValueError, match="a list of 3 images cannot be chosen from 2"):
        choose_by_share(images, [3], rho=1.0, seed=0)


def test_negative_is_refused() -> None:
    with pytest.raises(ValueError, match="--imbalance -1"):
        choose_by_share(pool(3), [1], rho=-1, seed=0)
