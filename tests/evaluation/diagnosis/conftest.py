"""The report that figures are drawn from, without a network."""

from typing import Any

import pytest

from mmseg_css.evaluation.diagnosis.summary import summarise
from mmseg_css.evaluation.diagnosis.tally import Tally
from mmseg_css.evaluation.json_numbers import without_nan
from tests.evaluation.diagnosis.looks import CLASSES, HARD, IMAGES, THRESHOLD, K, looks


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """Of two checkpoints, with other numbers, of images without the class "road"."""
    checkpoints = []
    for iteration in (2, 4):
        tally = Tally(num_classes=K, threshold=THRESHOLD, hard=HARD, radius=1)
        for one in looks(iteration, "a class absent from the truth", IMAGES):
            tally.add(one)
        found = without_nan(summarise(tally, CLASSES, "mix"))
        ceiling = {"prototypes": 3, "highest_similarity": 0.948}
        of_file = {"checkpoint": f"iter_{iteration}.pth", "iteration": iteration, "worst": {}}
        checkpoints.append(of_file | ceiling | found)
    return {
        "images": IMAGES,
        "block": 1,
        "classes": [*CLASSES],
        "boundary_radius": 1,
        "thresholds": {"supervision": THRESHOLD},
        "checkpoints": checkpoints,
    }


@pytest.fixture
def axes() -> Any:
    return pytest.importorskip("matplotlib.figure").Figure().subplots()
