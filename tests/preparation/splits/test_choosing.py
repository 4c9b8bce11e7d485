"""Which images a list takes."""

import locale
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.preparation.splits import generate as make_split
from mmseg_css.preparation.splits.generate import Rule, choose, generate, list_length

RULES = get_args(Rule)

POOLS = st.dictionaries(
    st.text("aAbBäöZ_09/", min_size=1, max_size=6), st.sets(st.integers(0, 5), max_size=4), min_size=1, max_size=30
)


def pool_of(images: int = 60, classes: int = 9, seed: int = 0) -> dict[str, set[int]]:
    """Class c is shown by about one image in c + 1."""
    rng = np.random.default_rng(seed)
    return {f"{n:03d}": {c for c in range(classes) if rng.random() * (c + 1) < 1} for n in range(images)}


def test_fractions_round_up_as_in_the_published_lists() -> None:
    for total, published in (
        (2975, {"1/30": 100, "1/16": 186, "1/8": 372, "1/4": 744, "1/2": 1488}),
        (10582, {"1/16": 662, "1/8": 1323, "1/4": 2646, "1/2": 5291}),
        (1464, {"1/16": 92, "1/8": 183, "1/4": 366, "1/2": 732, "1/1": 1464}),
        (118287, {"1/512": 232, "1/256": 463, "1/128": 925, "1/64": 1849, "1/32": 3697}),
    ):
        assert {size: list_length(size, total) for size in published} == published
    assert list_length("46", 367) == 46


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("0", "a list of 0 images cannot be chosen from 60; take at least 1 and at most 60"),
        ("61", "a list of 61 images"),
        ("5/4", "a list of 5/4 images"),
        ("-1", "a list of -1 images"),
        ("0.5", "'0.5' is no size of a list; write a number .46. or a fraction"),
        ("1/0", "is no size"),
        ("all", "is no size"),
    ],
)
def test_size_that_does_not_fit(size: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list_length(size, 60)


@pytest.mark.parametrize("rule", RULES)
@given(pool=POOLS, seed=st.integers(0, 2**32 - 1), data=st.data())
def test_lists_are_exact_nested_and_of_the_pool(rule: str, pool: Mapping, seed: int, data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, len(pool)), min_size=1, max_size=3, unique=True))
    lists = choose(pool, lengths, seed=seed, rule=rule)
    assert [len(ids) for ids in lists] == sorted(lengths)
    assert all(ids == sorted(set(ids)) for ids in lists)
    assert set(lists[-1]) <= set(pool)
    for smaller, larger in zip(lists, lists[1:], strict=False):
        assert set(smaller) <= set(larger)
    assert choose(pool, lengths[:1], seed=seed, rule=rule) == choose(pool, lengths[:1], seed=seed, rule=rule)


@pytest.mark.parametrize("rule", RULES)
@given(pool=POOLS, data=st.data())
def test_order_of_the_pool_plays_no_role(rule: str, pool: Mapping, data: st.DataObject) -> None:
    names = data.draw(st.permutations(list(pool)))
    turned = {name: data.draw(st.permutations(sorted(pool[name]))) for name in names}
    lengths = [(len(pool) + 1) // 2, len(pool)]
    assert choose(turned, lengths, seed=3, rule=rule) == choose(pool, lengths, seed=3, rule=rule)


@pytest.mark.parametrize("rule", RULES)
def test_locale_plays_no_role(rule: str) -> None:
    pool = {name: {0} for name in ("a", "B", "ä", "b", "_c", "Z")}
    chosen = choose(pool, [3], seed=1, rule=rule)
    for name in ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:  # not installed
            continue
        try:
            assert choose(pool, [3], seed=1, rule=rule) == chosen
        finally:
            locale.setlocale(locale.LC_ALL, "")


@given(pool=POOLS, seed=st.integers(0, 100))
def test_stratified_lists_show_every_class(pool: Mapping, seed: int) -> None:
    classes = set().union(*pool.values())
    [ids] = choose(pool, [min(max(1, len(classes)), len(pool))], seed=seed)
    if len(classes) <= len(pool):
        assert set().union(*(pool[name] for name in ids)) == classes


def test_short_lists_take_what_shows_most() -> None:
    pool = {"a": {0, 1, 2, 3}, **{f"b{n}": {n % 4} for n in range(20)}}
    for seed in range(5):
        assert choose(pool, [1], seed=seed) == [["a"]]


def test_seeds_differ_and_are_fixed_for_all_time() -> None:
    chosen = {seed: choose(pool_of(), [6], seed=seed)[0] for seed in range(4)}
    assert len({tuple(ids) for ids in chosen.values()}) == 4
    assert {rule: choose(pool_of(), [6], seed=0, rule=rule)[0] for rule in RULES} == {
        "stratified": ["003", "011", "020", "035", "044", "059"],
        "reco": ["003", "006", "021", "035", "044", "059"],
    }


def test_reco_serves_the_least_frequent_class() -> None:
    """By hand: 2 is the rarest, then 1; 0 is everywhere."""
    pool = {**{f"a{n}": {0} for n in range(10)}, "b0": {0, 1}, "b1": {0, 1}, "b2": {0, 1}, "c0": {0, 2}, "c1": {0, 2}}
    for seed in range(5):
        lists = choose(pool, [1, 2, 3, 4, 5, 15], seed=seed, rule="reco")
        kinds = ["".join(sorted(name[0] for name in ids)) for ids in lists[:5]]
        assert kinds == ["c", "bc", "bcc", "bbcc", "bbbcc"]
        assert lists[5] == sorted(pool)


def test_reco_balances_better_than_chance() -> None:
    pool = pool_of(400)
    rarest = dict.fromkeys(RULES, 0)
    for rule in RULES:
        [ids] = choose(pool, [40], seed=0, rule=rule)
        rarest[rule] = min(sum(label in pool[name] for name in ids) for label in range(9))
    assert rarest["reco"] > 2 * rarest["stratified"] > 0


def test_own_lists_take_no_published_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'voc-classic-92\.txt' is the file of the published protocol voc-classic-92"):
        generate(100, ["92"], tmp_path / "voc-classic-92.txt", partial(choose, pool_of(100), seed=0))
    with pytest.raises(ValueError, match=r"'voc-classic-92\.txt' is the file"):
        generate(100, ["92", "10"], tmp_path / "voc-classic.txt", partial(choose, pool_of(100), seed=0))
    assert not list(tmp_path.iterdir())


def test_other_lists_are_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "list.txt"
    generate(len(pool_of()), ["5"], out, partial(choose, pool_of(), seed=0))
    generate(len(pool_of()), ["5"], out, partial(choose, pool_of(), seed=0))
    with pytest.raises(FileExistsError, match="holds another list; remove it, or choose another file"):
        generate(len(pool_of()), ["5"], out, partial(choose, pool_of(), seed=1))


@pytest.mark.parametrize("name", ["two\nlines", " space", "../out"])
def test_names_that_cannot_stand_in_a_list(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand on a line of a list|leads out"):
        make_split.write_list(tmp_path / "list.txt", [name])
