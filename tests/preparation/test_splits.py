"""tools/make_split.py: import, generate, verify, describe."""

import locale
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_css.datasets.protocols import PROTOCOLS, Protocol
from mmseg_css.datasets.splits import fingerprint, read_ids
from mmseg_css.preparation.splits import generate as make_split
from mmseg_css.preparation.splits.generate import choose, generate, import_list, list_length
from tests.test_tools import load_tool

tool = load_tool("make_split")
RULES = make_split.RULES

POOLS = st.dictionaries(
    st.text("aAbBäöZ_09/", min_size=1, max_size=6), st.sets(st.integers(0, 5), max_size=4), min_size=1, max_size=30
)


def pool_of(images: int = 60, classes: int = 9, seed: int = 0) -> dict[str, set[int]]:
    """Class c is shown by about one image in c + 1."""
    rng = np.random.default_rng(seed)
    return {f"{n:03d}": {c for c in range(classes) if rng.random() * (c + 1) < 1} for n in range(images)}


# -- choosing ---------------------------------------------------------------------------------------------------------


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
        generate(pool_of(100), ["92"], tmp_path / "voc-classic-92.txt", seed=0, rule="stratified")
    with pytest.raises(ValueError, match=r"'voc-classic-92\.txt' is the file"):
        generate(pool_of(100), ["92", "10"], tmp_path / "voc-classic.txt", seed=0, rule="stratified")
    assert not list(tmp_path.iterdir())


def test_other_lists_are_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "list.txt"
    generate(pool_of(), ["5"], out, seed=0, rule="stratified")
    generate(pool_of(), ["5"], out, seed=0, rule="stratified")
    with pytest.raises(FileExistsError, match="holds another list; remove it, or choose another file"):
        generate(pool_of(), ["5"], out, seed=1, rule="stratified")


@pytest.mark.parametrize("name", ["two\nlines", " space", "../out"])
def test_names_that_cannot_stand_in_a_list(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand on a line of a list|leads out"):
        make_split.write_list(tmp_path / "list.txt", [name])


# -- the tool ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve images in two folders, classes 0 to 3, the working folder around them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for number in range(12):
        mask = np.zeros((8, 8), np.uint8)
        mask[0] = 255
        mask[4:] = (0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 3)[number]
        for kind, content in (("images", np.zeros((8, 8, 3), np.uint8)), ("masks", mask)):
            path = tmp_path / kind / f"day {number % 2}" / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), content)
    return tmp_path


FOLDERS = ("--images", "images", "--masks", "masks", "--image-suffix", ".png")


def test_generate_a_series_from_folders(camera: Path, capsys: pytest.CaptureFixture) -> None:
    tool.main(["generate", *FOLDERS, "--series", "1/2", "4", "--out", "lists/own.txt"])
    small, large = (read_ids(f"lists/own-{count}.txt") for count in (4, 6))
    assert set(small) < set(large)
    assert {"day 1/03", "day 0/06", "day 1/11"} < set(small)  # alone in showing their class
    said = capsys.readouterr().out
    assert "own lists, chosen from 12 images" in said
    assert "lists/own-4.txt" in said
    assert "4 of 4" in said
    assert fingerprint(small)[:12] in said


def test_generate_from_a_part(camera: Path) -> None:
    Path("pool.txt").write_text("day 0/00\nday 1/01\nday 0/02\n")
    tool.main(["generate", *FOLDERS, "--pool", "pool.txt", "--count", "3", "--out", "own.txt"])
    assert Path("own.txt").read_text() == "day 0/00\nday 0/02\nday 1/01\n"


CONFIG = """
metainfo = dict(classes=('a', 'b', 'c', 'd'), palette=[[0, 0, 0]] * 4)
labeled = dict(type='BaseSegDataset', metainfo=metainfo, img_suffix='.png', ann_file='missing.txt',
               data_prefix=dict(img_path='images', seg_map_path='masks'))
unlabeled = dict(type='UnlabeledDataset', data_prefix=dict(img_path='images'), exclude='missing.txt')
train_dataloader = dict(dataset=dict(type='PairedDataset', labeled=labeled, unlabeled=unlabeled))
"""


def test_generate_from_a_config_whose_list_is_missing(camera: Path) -> None:
    Path("config.py").write_text(CONFIG)
    tool.main(["generate", "--config", "config.py", "--fraction", "1/3", "--out", "a.txt"])
    tool.main(["generate", *FOLDERS, "--count", "4", "--out", "b.txt"])
    assert Path("a.txt").read_text() == Path("b.txt").read_text()
    Path("pool.txt").write_text("day 0/00\nday 1/01\n")
    Path("config.py").write_text(CONFIG.replace("exclude=", "ann_file='pool.txt', exclude="))
    tool.main(["generate", "--config", "config.py", "--fraction", "1/1", "--out", "c.txt"])
    assert read_ids("c.txt") == ["day 0/00", "day 1/01"]


def test_generate_from_the_labelled_set_of_a_plain_config(camera: Path) -> None:
    Path("config.py").write_text(CONFIG + "train_dataloader = dict(dataset=labeled)\n")
    Path("missing.txt").write_text("day 0/00\nday 1/01\nday 1/03\n")
    tool.main(["generate", "--config", "config.py", "--count", "3", "--out", "own.txt"])
    assert read_ids("own.txt") == read_ids("missing.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--images", "images", "--count", "3"], "--images needs --masks"),
        (["--config", "config.py", "--pool", "x", "--count", "3"], "--pool goes with --images"),
        (["--config", "nowhere.py", "--count", "3"], "no config file nowhere.py"),
        (FOLDERS, "one of the arguments --count --fraction --series is required"),
    ],
)
def test_generate_refuses_options(camera: Path, capsys: pytest.CaptureFixture, arguments: list, said: str) -> None:
    with pytest.raises(SystemExit):
        tool.main(["generate", *arguments, "--out", "own.txt"])
    assert said in capsys.readouterr().err


def test_generate_says_what_is_wrong_with_the_data(camera: Path) -> None:
    with pytest.raises(SystemExit, match=r"no image in 'images' ends in '\.jpg'; give its ending with --image-suffix"):
        tool.main(["generate", *FOLDERS[:4], "--count", "3", "--out", "own.txt"])
    with pytest.raises(SystemExit, match=r"the mask 'masks/day 0/00_m\.png' is missing"):
        tool.main(["generate", *FOLDERS, "--mask-suffix", "_m.png", "--count", "3", "--out", "own.txt"])
    cv2.imwrite("masks/day 0/00.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SystemExit, match=r"'masks/day 0/00\.png' is of shape \(8, 8, 3\); it must be one channel"):
        tool.main(["generate", *FOLDERS, "--count", "3", "--out", "own.txt"])
    Path("masks/day 0/00.png").write_bytes(b"no image")
    with pytest.raises(SystemExit, match=r"'masks/day 0/00\.png' cannot be read"):
        tool.main(["generate", *FOLDERS, "--count", "3", "--out", "own.txt"])


def test_describe(camera: Path, capsys: pytest.CaptureFixture) -> None:
    Path("[a].txt").write_text("day 0/00\nday 1/03\n")
    Path("b.txt").write_text("day 1/03\nday 1/05\nday 1/07\n")
    tool.main(["describe", "[a].txt", "--masks", "masks", "--other", "b.txt"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "[a].txt" in said
    assert "protocol custom images 2" in said
    # Of 2 x 56 pixels that are not ignored, the lower half of one image is of class 1.
    assert "0 71.43% 2 (100.0%) 1 28.57% 1 (50.0%)" in said
    assert "b.txt custom 3 1 (33.3%)" in said


# -- published lists: stand-ins, so that the lists themselves are not needed -------------------------------------------


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[str]]:
    """Two small protocols in the registry, their lists in a repository `theirs`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    lists = {
        "voc-small-2": ["2007_000032", "2007_000039"],
        "cityscapes-small-2": ["ulm_000000_000019", "jena_000000_000019"],
    }
    for name, ids in lists.items():
        family = name.removesuffix("-2")
        data_set = name.split("-")[0]
        path = tmp_path / "theirs" / data_set / "labeled.txt"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{image_id}\n" for image_id in ids))
        protocol = Protocol(
            name, data_set, "U2PL", f"{data_set}/labeled.txt", "nobody", 2, fingerprint(ids), None, f"{family}-2.txt"
        )
        monkeypatch.setitem(PROTOCOLS, name, protocol)
        monkeypatch.setitem(make_split.identify.__globals__["_NAMES"], protocol.fingerprint, name)
    (tmp_path / "theirs" / "notes.txt").write_text("a\na\n")
    return lists


def test_import_finds_the_list_in_a_folder(registry: dict, capsys: pytest.CaptureFixture) -> None:
    tool.main(["import", "cityscapes-small-2", "theirs"])
    out = Path("data/splits/cityscapes-small-2.txt")
    assert out.read_text() == "jena/jena_000000_000019\nulm/ulm_000000_000019\n"
    assert f"{out} is cityscapes-small-2 (2 images, fingerprint " in capsys.readouterr().out
    tool.main(["import", "voc-small-2", "theirs/voc/labeled.txt", "--out", "here.txt"])
    assert Path("here.txt").read_text() == "2007_000032\n2007_000039\n"


def test_import_refuses_another_list(registry: dict) -> None:
    with pytest.raises(SystemExit, match=r"is not voc-small-2 \(2 images, .*; it is cityscapes-small-2 \(2 images"):
        tool.main(["import", "voc-small-2", "theirs/cityscapes/labeled.txt"])
    Path("own.txt").write_text("2007_000032\n2007_000033\n")
    with pytest.raises(SystemExit, match=r"it is a custom list \(2 images, fingerprint .*Nothing was written"):
        tool.main(["import", "voc-small-2", "own.txt"])
    with pytest.raises(SystemExit, match=r"no list in 'theirs' is voc-classic-92 .* 2 others.*: .*voc-small-2"):
        tool.main(["import", "voc-classic-92", "theirs"])
    with pytest.raises(SystemExit, match="there is no list or folder 'nowhere'"):
        tool.main(["import", "voc-small-2", "nowhere"])
    with pytest.raises(SystemExit, match="'2' names no protocol: a bare size"):
        tool.main(["import", "2", "theirs"])
    assert not Path("data").exists()


def test_import_overwrites_nothing_else(registry: dict) -> None:
    Path("own.txt").write_text("2007_000032\n")
    with pytest.raises(FileExistsError, match="'own.txt' holds another list"):
        import_list("voc-small-2", Path("theirs"), Path("own.txt"))


def test_verify(registry: dict, capsys: pytest.CaptureFixture) -> None:
    tool.main(["verify", "theirs/voc/labeled.txt"])
    said = capsys.readouterr().out
    assert "voc-small-2" in said
    assert fingerprint(registry["voc-small-2"]) in said
    Path("own.txt").write_text("2007_000032\n2007_000033\n")
    tool.main(["verify", "own.txt"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "protocol custom images 2" in said
    assert "same size, other images voc-small-2, cityscapes-small-2" in said
    with pytest.raises(SystemExit, match="there is no list of images 'nothing.txt'"):
        tool.main(["verify", "nothing.txt"])
