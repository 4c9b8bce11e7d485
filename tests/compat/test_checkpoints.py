"""Checkpoints load whole, and without running code."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmseg_css import compat
from tests.compat.helpers import RunsCode, only_onedl, pristine


@pytest.fixture
def without_allowed_types() -> Iterator[None]:
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(allowed)


def save_checkpoint(path: Path) -> Path:
    history = HistoryBuffer()
    history.update(0.5)
    message_hub = {"log_scalars": {"loss": history}, "runtime_info": {"mIoU": np.float32(41.5), "flag": np.bool_(True)}}
    torch.save({"state_dict": {"weight": torch.ones(2)}, "message_hub": message_hub}, path)
    return path


def test_checkpoint_round_trip_runs_no_code(tmp_path):
    path = save_checkpoint(tmp_path / "iter_1.pth")
    for _ in range(2):  # onedl-mmengine's own loader would take types off the list after the first
        checkpoint = mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert checkpoint["message_hub"]["runtime_info"]["mIoU"] == np.float32(41.5)
    assert checkpoint["message_hub"]["log_scalars"]["loss"].current() == 0.5


def test_checkpoint_of_numpy_1_loads(tmp_path):
    path = tmp_path / "published.pth"
    content = {"mIoU": np.float64(0.25), "classes": np.arange(3, dtype=np.uint8)}
    torch.save(content, path, _use_new_zipfile_serialization=False)  # one stream, so that a name can be exchanged
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    checkpoint = mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert checkpoint["mIoU"] == 0.25
    np.testing.assert_array_equal(checkpoint["classes"], [0, 1, 2])


def test_checkpoint_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "crafted.pth"
    torch.save({"state_dict": RunsCode(tmp_path / "ran")}, path)
    with pytest.raises(pickle.UnpicklingError):
        mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    assert not (tmp_path / "ran").exists()


class ReachesFor:
    """Pickles into ``getattr(HistoryBuffer, name)``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self):
        return getattr, (HistoryBuffer, self.name)


@pytest.mark.parametrize("name", ["__init__", "update", "__subclasses__"])
def test_only_statistics_of_a_history_can_be_reached(tmp_path, name):
    path = tmp_path / "crafted.pth"
    torch.save(ReachesFor(name), path)
    with pytest.raises(pickle.UnpicklingError, match=name):
        mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu")
    torch.save(ReachesFor("mean"), path)
    assert mmengine.runner.checkpoint._load_checkpoint(str(path), map_location="cpu") is HistoryBuffer.mean


def test_refusal_names_the_file_and_the_remedy(tmp_path):
    path = tmp_path / "crafted.pth"
    torch.save(RunsCode(tmp_path / "ran"), path)
    with pytest.raises(pickle.UnpicklingError, match=r"crafted\.pth.*could run code.*add_safe_globals"):
        compat.load_weights_only(path)


def test_allowed_types_fault(tmp_path, without_allowed_types):
    """Goes when torch or MMEngine itself allows what MMEngine's checkpoints hold."""
    path = save_checkpoint(tmp_path / "iter_1.pth")
    with pytest.raises(pickle.UnpicklingError, match="(?i)historybuffer|getattr"):
        torch.load(path)


@only_onedl
def test_unsafe_fallback_fault(tmp_path, without_allowed_types):  # which also puts back what that loader takes away
    """Goes when onedl-mmengine refuses what it cannot load safely."""
    path = tmp_path / "crafted.pth"
    torch.save(RunsCode(tmp_path / "ran"), path)
    pristine(mmengine.runner.checkpoint)._safe_torch_load(path)
    assert (tmp_path / "ran").exists()
