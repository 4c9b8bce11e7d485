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


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six images of two classes."""
    for number in range(6):
        values = np.zeros((4, 4), np.uint8)
        values[: number % 3] = 1
        write_mask(tmp_path / "masks" / f"{number}.png", values)
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{number}.jpg").touch()
    return tmp_path


def test_command_prints_what_was_reached(data: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["split", "generate", "--images", str(data / "images"), "--masks", str(data / "masks")]
    call([*arguments, "--count", "2", "--imbalance", "0", "--out", str(data / "list.txt")])
    assert len((data / "list.txt").read_text().split()) == 2
    said = capsys.readouterr().out
    assert "asked for" in said and "2 images" in said and "50.00%" in said and "entropy" in said


def test_a_series_and_the_names_of_a_config(data: Path, capsys: pytest.CaptureFixture) -> None:
    """Whose lists lie deep, or have long names: a column is headed by what tells them apart."""
    dataset = {
        "type": "BaseSegDataset",
        "metainfo": {"classes": ["meadow", "wall"], "palette": [[0, 0, 0], [1, 1, 1]]},
        "data_prefix": {"img_path": str(data / "images"), "seg_map_path": str(data / "masks")},
    }
    (data / "own.py").write_text(f"train_dataloader = dict(dataset={dataset})\n")
    out = data / "a folder of lists with a long name" / "and another one inside of it" / "list.txt"
    arguments = ["split", "generate", "--config", str(data / "own.py"), "--series", "2", "3", "--imbalance", "0"]
    call([*arguments, "--out", str(out)])
    table = capsys.readouterr().out.partition("shares of the pixels")[2]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if "│" in line]
    assert [row[0] for row in rows] == ["meadow", "wall", "entropy, bits"]
    [head] = [line for line in table.splitlines() if "asked for" in line]
    assert "2 images" in head and "3 images" in head and "…" not in table


def test_images_without_a_labelled_pixel_are_not_chosen() -> None:
    images = {name: np.array(counts) for name, counts in (("a", (50, 50)), ("b", (100, 0)), ("void", (0, 0)))}
    assert all(choose_by_share(images, [2], rho=1.0, seed=seed) == [["a", "b"]] for seed in range(6))
    with pytest.raises(ValueError, match="a list of 3 images cannot be chosen from 2"):
        choose_by_share(images, [3], rho=1.0, seed=0)


@pytest.mark.parametrize("rho", [-1.0, float("nan"), float("inf")])
def test_what_is_no_power_is_refused(rho: float) -> None:
    with pytest.raises(ValueError, match=f"--imbalance {rho:g}: it must be a number from 0"):
        choose_by_share(pool(3), [1], rho=rho, seed=0)
