from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.trained import SIDE


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(pixels, (9, 9), 0))
    return path
