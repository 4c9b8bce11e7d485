"""The folder of predictions: of one network, whatever happens."""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from mmseg_css.deployment.prediction.network import Classes
from mmseg_css.deployment.prediction.outputs import Outputs
from mmseg_css.deployment.prediction.predictor import Prediction

NAMES = PurePosixPath("x"), PurePosixPath("deep/y")


def outputs(folder: Path, checkpoint: str, *, probabilities: bool = False, overwrite: bool = False) -> Outputs:
    classes = Classes(("sky", "road"), np.array([[0, 0, 0], [255, 0, 0]], np.uint8))
    made_by = {"checkpoint": checkpoint}
    return Outputs(folder, classes=classes, made_by=made_by, probabilities=probabilities, overwrite=overwrite)


def write(out: Outputs, name: PurePosixPath) -> None:
    prediction = Prediction(np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.float32), slid=False)
    out.write(name, np.zeros((2, 2, 3), np.uint8), prediction)


def test_an_overwriting_that_is_interrupted_leaves_nothing_of_the_other_network(tmp_path: Path) -> None:
    first = outputs(tmp_path, "a.pth", probabilities=True)
    for name in NAMES:
        write(first, name)
    write(outputs(tmp_path, "b.pth", overwrite=True), NAMES[0])
    going_on = outputs(tmp_path, "b.pth")
    assert [going_on.is_done(name) for name in NAMES] == [True, False]
    assert not (tmp_path / "probabilities").exists()


def test_overwriting_with_the_same_network_loses_nothing(tmp_path: Path) -> None:
    for name in NAMES:
        write(outputs(tmp_path, "a.pth"), name)
    outputs(tmp_path, "a.pth", overwrite=True)
    assert all(outputs(tmp_path, "a.pth").is_done(name) for name in NAMES)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_others_is_never_touched(overwrite: bool, tmp_path: Path) -> None:
    """Masks that no record tells about may be somebody's ground truth."""
    (tmp_path / "masks").mkdir()
    with pytest.raises(FileExistsError, match="no .*predictions.json says what wrote it: name another --out"):
        outputs(tmp_path, "a.pth", overwrite=overwrite)
