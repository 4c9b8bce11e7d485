"""mmseg-css init: how much memory masks of many megapixels take while they are looked at."""

import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.cli.main import call
from mmseg_css.preparation.own_data import survey
from mmseg_css.preparation.own_data.masks import pack, unpack
from tests.preparation.own_data.conftest import names, write_images, write_masks

SIDE = 500


def test_a_mask_is_packed_with_few_bytes_a_pixel() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    tracemalloc.start()
    try:
        packed = pack(colours)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 8 * SIDE * SIDE
    assert [unpack(colour) for colour in packed[0].tolist()] == [tuple(colour) for colour in colours[0].tolist()]


def test_no_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[int] = set()
    look = survey.look_at_image

    def look_and_note(path: Path) -> object:
        used.add(threading.get_ident())
        return look(path)

    monkeypatch.setattr(survey, "look_at_image", look_and_note)
    monkeypatch.setattr(survey, "cores", lambda: 1)
    write_images(names(12))
    write_masks(names(12))
    call(["init", "images", "masks"])
    assert len(used) == 1
