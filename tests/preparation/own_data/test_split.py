"""mmseg-css init: which labelled images are for training and which for validation."""

from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.preparation.own_data.split import Split, split


@given(
    labels=st.lists(st.frozensets(st.integers(0, 5), min_size=1), min_size=2, max_size=30),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_split(labels: list[frozenset[int]], share: float, seed: int) -> None:
    classes_of = {f"{number}.png": own for number, own in enumerate(labels)}
    train, val = parts = split(classes_of, share, seed)
    assert sorted([*train, *val]) == sorted(classes_of)
    assert train
    assert 1 <= len(val) <= max(1, round(share * len(labels)))
    assert parts == split(dict(reversed(classes_of.items())), share, seed)
    trained = frozenset().union(*(classes_of[name] for name in train))
    assert trained == frozenset().union(*labels) or len(val) == 1


@given(
    places=st.lists(st.sampled_from(["train", "val", "both", "new", "gone"]), min_size=2, max_size=12),
    share=st.floats(0.05, 0.95),
)
def test_images_stay_in_their_part_of_an_earlier_split(places: list[str], share: float) -> None:
    named = {f"{number:02d}.png": place for number, place in enumerate(places)}
    before = Split(
        *(tuple(name for name, place in named.items() if place in (part, "both", "gone")) for part in Split._fields)
    )
    classes_of = {name: {0} for name, place in named.items() if place != "gone"}
    if len(classes_of) < 2:
        return
    train, val = split(classes_of, share, 0, before)
    assert sorted([*train, *val]) == sorted(classes_of)
    assert train and val
    places_left = {named[name] for name in classes_of}
    if "new" in places_left or {"val"} < places_left:
        assert all(named[name] in ("val", "new") for name in val)
        assert all(named[name] != "val" for name in train)


def test_split_has_every_class_on_both_sides() -> None:
    classes_of = {f"{number:02d}": {0, number % 5} for number in range(25)}
    for seed in range(5):
        for names_of_part in split(classes_of, 0.2, seed):
            assert set().union(*(classes_of[name] for name in names_of_part)) == set(range(5))
