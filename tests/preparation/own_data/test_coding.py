"""mmseg-css init: which value or colour of a mask is which class."""

from pathlib import Path

import numpy as np
import pytest

from mmseg_css.preparation.own_data.coding import find_coding, to_indices, write_indices
from mmseg_css.preparation.own_data.masks import MaskFacts, look_at_mask, pack
from tests.preparation.own_data.conftest import COLOURS, labels_of, labels_read, names, run, write, write_images


def values(*found: int) -> MaskFacts:
    return MaskFacts((1, len(found)), True, dict.fromkeys(found, 1), {}, {})


@pytest.mark.parametrize(
    ("found", "named", "ignore", "table"),
    [
        ([0, 1, 2], None, None, {0: 0, 1: 1, 2: 2}),
        ([0, 1, 255], None, None, {0: 0, 1: 1, 255: 255}),
        ([0, 255], None, None, {0: 0, 255: 1}),
        ([0, 128, 255], None, None, {0: 0, 128: 1, 255: 2}),
        ([0, 128, 255], None, 255, {0: 0, 128: 1, 255: 255}),
        ([0, 2, 5], None, None, {0: 0, 2: 2, 5: 5}),
        ([0, 2, 5], 3, None, {0: 0, 2: 1, 5: 2}),
        ([0, 2, 5], 6, None, {0: 0, 2: 2, 5: 5}),
        ([1, 2, 3], 3, None, {1: 0, 2: 1, 3: 2}),
        ([0, 1, 2], None, 0, {0: 255, 1: 0, 2: 1}),
        ([0, 1, 11], None, 11, {0: 0, 1: 1, 11: 255}),
        ([0, 1000, 2000], None, None, {0: 0, 1000: 1, 2000: 2}),
    ],
)
def test_table_of_values(found: list[int], named: int | None, ignore: int | None, table: dict[int, int]) -> None:
    coding = find_coding([values(*found)], None if named is None else [f"n{i}" for i in range(named)], ignore)
    assert coding.table == table
    assert coding.readable == all(value == index for value, index in table.items())


@pytest.mark.parametrize(
    ("found", "named", "ignore", "said"),
    [
        (
            [*range(10), 11],
            11,
            None,
            "11 is taken for n10: too high for an index of 11 names, so that values are",
        ),
        ([*range(10), 11], 11, None, "If 11 means that nothing is known of a pixel, say --ignore 11."),
        ([*range(10), 11], 11, 11, None),
        ([*range(10), 11], 12, None, None),
        ([0, 128, 255], 3, None, "128 is taken for n1, 255 is taken for n2: "),
        ([0, 128, 255], None, None, "255 counts as a class here."),
        ([0, 1, 65535], None, None, "65535 counts as a class here."),
        ([0, 1, 65535], None, 65535, None),
        ([0, 100, 200], None, None, None),  # the table says it, and nobody named a class
        ([0, 255], 2, None, None),
    ],
)
def test_values_that_are_taken_for_classes_are_told(
    found: list[int], named: int | None, ignore: int | None, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A void value that nobody declared would be a class, without a word."""
    write_images(names(4))
    for number, name in enumerate(names(3)):
        write(
            Path("masks") / name,
            np.array(found, np.uint16 if max(found) > 255 else np.uint8)[labels_of(number, len(found))],
        )
    names_given = [] if named is None else ["--classes", ",".join(f"n{index}" for index in range(named))]
    run(*names_given, *([] if ignore is None else ["--ignore", str(ignore)]))
    printed = " ".join(capsys.readouterr().out.split())
    if said is None:
        assert "is taken for" not in printed and "counts as a class" not in printed
    else:
        assert said in printed


def test_ignored_values_of_16_bits(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    for number, name in enumerate(names(3)):
        write(Path("masks") / name, np.array([0, 1, 65535], np.uint16)[labels_of(number)])
    cfg = run("--ignore", "65535")
    np.testing.assert_array_equal(labels_read(cfg)["00.png"], np.array([0, 1, 255])[labels_of(0)])
    with pytest.raises(SystemExit):
        run("--ignore", "65536", "--overwrite")
    assert "expected a number from 0 to 65535, or R,G,B, each from 0 to 255" in " ".join(
        capsys.readouterr().err.split()
    )
    for number, name in enumerate(names(3)):
        write(Path("masks") / name, COLOURS[labels_of(number)])
    with pytest.raises(ValueError, match="--ignore is the value 65535, but the masks hold colours; give R,G,B"):
        run("--ignore", "65535", "--overwrite")


def test_ignored_colour(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(names(4))
    for number, name in enumerate(names(3)):
        write(Path("masks") / name, COLOURS[labels_of(number)])
    cfg = run("--ignore", "20,180,40", "--classes", "a,b")
    np.testing.assert_array_equal(labels_read(cfg)["00.png"], np.array([0, 255, 1])[labels_of(0)])
    assert cfg.palette == [[0, 0, 0], [200, 30, 60]]
    assert "20,180,40" in capsys.readouterr().out
    with pytest.raises(
        (OSError, ValueError), match="no mask holds --ignore 1,2,3; the masks hold 0,0,0; 20,180,40; 200,30,60"
    ):
        run("--ignore", "1,2,3", "--overwrite")


def test_grey_colours_and_transparency_are_values(tmp_path: Path) -> None:
    labels = labels_of(0)
    opaque = np.full_like(labels, 255)
    write(tmp_path / "rgb.png", np.stack([labels * 100] * 3, -1))
    write(tmp_path / "la.png", np.stack([labels * 100, opaque], -1))
    write(tmp_path / "grey.png", labels * 100)
    masks = [look_at_mask(tmp_path / name) for name in ("rgb.png", "la.png", "grey.png")]
    coding = find_coding(masks)
    assert (coding.kind, dict(coding.table)) == ("values", {0: 0, 100: 1, 200: 2})
    for name in ("rgb.png", "la.png", "grey.png"):
        np.testing.assert_array_equal(to_indices(tmp_path / name, coding), labels, err_msg=name)


def test_palettes_that_contradict_each_other_are_read_by_colour(tmp_path: Path) -> None:
    """As from a program that gives the first colour it meets the first index."""
    labels = labels_of(0)
    colours = [tuple(colour) for colour in COLOURS.tolist()]
    write_indices(tmp_path / "a.png", labels, colours)
    order = [2, 0, 1]
    write_indices(tmp_path / "b.png", np.argsort(order)[labels].astype(np.uint8), [colours[index] for index in order])
    coding = find_coding([look_at_mask(tmp_path / name) for name in ("a.png", "b.png")])
    assert coding.kind == "colours"
    assert not coding.readable
    first, second = (to_indices(tmp_path / name, coding) for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.array(coding.palette)[first], COLOURS[labels])


@pytest.mark.parametrize(
    ("masks", "named", "said"),
    [
        ([values(0)], None, "hold 0 and so fewer than two classes"),
        ([values(0, 255)], 3, "--classes names 3, but the masks hold 2 values, in this order: 0, 255"),
        ([MaskFacts((1, 3), False, None, {0: 1, 255: 1, 256: 1}, {})], 2, "hold 3 colours.*: 0,0,0; 0,0,255; 0,1,0"),
        (
            [MaskFacts((100, 100), True, {0: 5000, 255: 5000, **dict.fromkeys(range(100, 140), 2)}, {}, {})],
            None,
            r"hold 42 values, and 40 of them have hardly any pixels: soft \(anti-aliased\) edges",
        ),
    ],
)
def test_masks_that_make_no_classes(masks: list[MaskFacts], named: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        find_coding(masks, None if named is None else [f"n{index}" for index in range(named)])


def test_packed_colours() -> None:
    assert pack(np.array([[1, 2, 3]])).tolist() == [0x010203]
