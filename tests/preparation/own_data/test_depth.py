"""mmseg-css init: which values of images of 16 bits become 0 to 255."""

import numpy as np
import pytest

from mmseg_css.preparation.own_data.images import ImageFacts, choose_input, levels
from tests.preparation.own_data.conftest import SIDE, names, run, write, write_masks


def image(low: float, high: float, channels: int = 1) -> ImageFacts:
    alpha = "varies" if channels == 4 else "none"
    return ImageFacts((SIDE, SIDE), channels, 16, alpha, False, (low,) * channels, (high,) * channels)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([(10, 900)], (10, 901)),
        ([(10, 900), (20, 65535)], (10, 65536)),  # which of two is the odd one?
        ([(10, 900)] * 4 + [(0, 65535)], (10, 901)),
        ([(10, 900)] * 38 + [(0, 65535)] * 2, (10, 901)),
        ([(10, 900)] * 37 + [(0, 65535)] * 3, (0, 65536)),
        ([(number, number) for number in range(5)], (1, 4)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_range_is_that_of_all_images_but_a_twentieth(
    bounds: list[tuple[int, int]], expected: tuple[int, int], channels: int
) -> None:
    _, stretch = choose_input([image(*bound, channels) for bound in bounds]).loading
    low, high = ([bound] * 4 if channels == 4 else bound for bound in expected)
    assert (stretch["low"], stretch["high"]) == (low, high)


def test_levels_that_an_image_spans() -> None:
    chosen = choose_input([image(0, 1019)])
    assert chosen.loading[1]["high"] == 1020
    assert levels(image(0, 1020), chosen) == 256
    assert levels(image(510, 530, channels=3), chosen) == pytest.approx(6)
    assert levels(image(3000, 4000), chosen) == 1  # all white
    assert levels(image(0, 255, channels=4), choose_input([image(0, 1019, channels=4)])) == pytest.approx(64.75)


def write_deep(tops: list[int]) -> None:
    rng = np.random.default_rng(0)
    for name, top in zip(names(len(tops), ".tif"), tops, strict=True):
        write(f"images/{name}", rng.integers(0, top, (SIDE, SIDE), np.uint16))
    write_masks(names(3))


def test_a_saturated_image_takes_no_levels_from_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    write_deep([4096] * 4 + [65536] + [4096])
    assert 4000 < run().loading[1].high <= 4096
    assert "levels" not in capsys.readouterr().out


def test_images_that_are_left_few_levels_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_deep([2000] * 4 + [65536] * 4)
    run()
    said = " ".join(capsys.readouterr().out.split())
    assert "! 4 of 8 images span fewer than 16 of these 256 levels" in said
