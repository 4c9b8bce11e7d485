"""Checkpoints: written whole or not at all, found again, refused where they do not fit."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.model import BaseModule
from torch import nn

from mmseg_css.compat import damage
from mmseg_css.engine import checkpoints
from tests.engine.conftest import exit_code, full_disk, save

# -- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    backend = get_file_backend(str(tmp_path), backend_args={"backend": "durable"})
    path = tmp_path / "new folder" / "iter_1.pth"
    backend.put(b"before", str(path))
    monkeypatch.setattr(os, step, full_disk) if step == "fsync" else monkeypatch.setattr(Path, step, full_disk)
    with pytest.raises(OSError, match=r"iter_1\.pth cannot be written \(No space left on device\).*--resume"):
        backend.put(b"after", str(path))
    assert path.read_bytes() == b"before"
    assert [file.name for file in path.parent.iterdir()] == ["iter_1.pth"]


def test_a_folder_that_cannot_be_synced_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where folders cannot be opened."""
    monkeypatch.setattr(os, "open", full_disk)
    checkpoints.DurableBackend().put(b"whole", tmp_path / "iter_1.pth")
    assert (tmp_path / "iter_1.pth").read_bytes() == b"whole"


def die_while_writing(path: Path) -> None:
    os.fsync = lambda file: os._exit(9)
    checkpoints.DurableBackend().put(bytes(500), path)


def test_a_process_that_dies_while_it_writes_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "iter_1.pth"
    path.write_bytes(b"before")
    assert exit_code(die_while_writing, path) == 9
    assert path.read_bytes() == b"before"


# -- finding ----------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # in the middle of the tensor; torch itself would load it
    path.write_bytes(content)


DAMAGES = pytest.mark.parametrize(
    ("harm", "said"), [(truncate, "its end is missing"), (empty, "it is empty"), (flip, "the checksum of .* is wrong")]
)


@DAMAGES
def test_the_last_whole_checkpoint_is_found(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    for number in (2, 4, 10):
        save(tmp_path / f"iter_{number}.pth")
    save(tmp_path / "best_mIoU_iter_2.pth")  # holds no optimiser
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_10.pth"))
    assert checkpoints.latest_whole(tmp_path) == (tmp_path / "iter_10.pth", [])
    harm(tmp_path / "iter_10.pth")
    found, [note] = checkpoints.latest_whole(tmp_path)
    assert found == tmp_path / "iter_4.pth"
    assert "iter_10.pth is truncated or corrupt" in note
    for number in (2, 4):
        harm(tmp_path / f"iter_{number}.pth")
    with pytest.raises(
        ValueError, match=rf"(?s)no checkpoint in .* is whole: .*iter_2\.pth.*{said}.*Leave out --resume"
    ):
        checkpoints.latest_whole(tmp_path)


def test_without_the_file_last_checkpoint_the_newest_counts(tmp_path: Path) -> None:
    assert checkpoints.latest_whole(tmp_path / "nothing") == (None, [])
    for number, age in ((9, 100), (10, 100), (400, 300)):  # 400 is of a longer run, before
        path = save(tmp_path / f"iter_{number}.pth")
        os.utime(path, (10_000 - age, 10_000 - age))
    assert checkpoints.latest_whole(tmp_path)[0] == tmp_path / "iter_10.pth"
    (tmp_path / "last_checkpoint").write_text("")  # cut off by a kill
    assert checkpoints.latest_whole(tmp_path)[0] == tmp_path / "iter_10.pth"
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_9.pth"))
    assert checkpoints.latest_whole(tmp_path)[0] == tmp_path / "iter_9.pth"


def test_a_copied_folder_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    for name in ("old", "copy"):
        (tmp_path / name).mkdir()
        save(tmp_path / name / "iter_2.pth")
        (tmp_path / name / "last_checkpoint").write_text(str(tmp_path / "old" / "iter_2.pth"))
    assert checkpoints.latest_whole(tmp_path / "copy")[0] == tmp_path / "copy" / "iter_2.pth"
    (tmp_path / "copy" / "iter_2.pth").unlink()  # the hook's out_dir may be another folder
    assert checkpoints.latest_whole(tmp_path / "copy")[0] == tmp_path / "old" / "iter_2.pth"


def test_old_files_of_torch_count_as_whole(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert damage(tmp_path / "old.pth") is None


# -- fitting ----------------------------------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self, classes: int = 3, *others: str) -> None:
        super().__init__()
        self.conv_seg = nn.Conv2d(2, classes, 1)
        for name in others:
            self.add_module(name, nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (Net(5), r"iter_1\.pth was trained with 5 classes, the config has 3: set num_classes"),
        (
            Net(3, "teacher"),
            r"not a checkpoint of this config's Net: 2 tensors are unknown to the model \(the first: t",
        ),
        (
            nn.Linear(2, 2),
            r"2 tensors are missing \(the first: conv_seg\.bias\), 2 tensors are unknown.*in its work dir",
        ),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(saved: nn.Module, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checkpoints.check_fit(Net(), {"state_dict": saved.state_dict()}, "iter_1.pth")


def test_a_checkpoint_of_the_model_passes_whatever_wraps_it() -> None:
    checkpoints.check_fit(Net(), {"state_dict": Net().state_dict()}, "iter_1.pth")
    checkpoints.check_fit(nn.ModuleDict({"module": Net()}), {"state_dict": Net().state_dict()}, "iter_1.pth")
    checkpoints.check_fit(Net(), Net().state_dict(), "iter_1.pth")


class Backbone(BaseModule):
    def __init__(self, path: Path, prefix: str | None) -> None:
        super().__init__({"type": "Pretrained", "checkpoint": str(path), "prefix": prefix})
        self.conv = nn.Conv2d(1, 1, 1)


class Renaming(Backbone):
    def init_weights(self) -> None:
        """As Swin's, which reads other names than its own."""


def test_pretrained_weights_that_fit_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "whole.pth"
    torch.save({f"backbone.conv.{name}": value for name, value in nn.Conv2d(1, 1, 1).state_dict().items()}, path)
    names = r"names are like 'backbone\.conv\.weight', its own like 'conv\.weight'"
    said = rf"whole\.pth' hold nothing of the Backbone .*{names}.*prefix='backbone\.'"
    for prefix in (None, "neck."):
        with pytest.raises(ValueError, match=said):
            checkpoints.check_pretrained_fit(nn.ModuleDict({"backbone": Backbone(path, prefix)}))
    checkpoints.check_pretrained_fit(nn.ModuleDict({"backbone": Backbone(path, "backbone.")}))
    checkpoints.check_pretrained_fit(nn.ModuleDict({"backbone": Renaming(path, None)}))


def test_a_format_of_the_future_is_refused() -> None:
    checkpoint: dict = {"meta": {}}
    checkpoints.check_format(checkpoint, "iter_1.pth")  # without a stamp
    checkpoints.stamp(checkpoint)
    checkpoints.check_format(checkpoint, "iter_1.pth")
    checkpoint["meta"]["mmseg_css"] = {"format": checkpoints.FORMAT + 1, "version": "9.9"}
    with pytest.raises(ValueError, match=r"iter_1\.pth has format 2, written by mmseg_css 9\.9.*install"):
        checkpoints.check_format(checkpoint, "iter_1.pth")


def test_another_number_of_processes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint: dict = {"meta": {}}
    checkpoints.stamp(checkpoint)
    assert checkpoints.not_exact(checkpoint) is None
    monkeypatch.setattr(checkpoints, "get_world_size", lambda: 2)
    assert "written by 1 processes, and now there are 2: " in checkpoints.not_exact(checkpoint)
    assert "batch_size times the processes" in checkpoints.not_exact(checkpoint)
    assert checkpoints.not_exact({"meta": {}}) is None  # of before there was a stamp: nobody knows
