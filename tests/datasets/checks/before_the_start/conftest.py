"""Two folders of noise with masks, and quick configs."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from PIL import Image

from tests.datasets.helpers import write_pairs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    rng = np.random.default_rng(0)
    for part, names in (("train", "abcd"), ("val", "abc")):
        write_pairs(tmp_path / part, names)
        for name in names:  # noise, so that the files take some bytes
            picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
            picture.save(tmp_path / part / "images" / f"{name}.png")
    return tmp_path
