"""A trained network, and photographs of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.deployment.prediction.networks import Trained, reading, save


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return save(tmp_path_factory.mktemp("trained"), reading())


def noise(seed: int, height: int = 12, width: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path
