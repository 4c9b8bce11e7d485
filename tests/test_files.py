"""Files appear as a whole or not at all."""

from pathlib import Path

import pytest

from mmseg_css.files import LOCK, hidden_within, is_left, replacing, write_bytes, write_text, written


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_text(path, "größer\n")
    with pytest.raises(KeyboardInterrupt), written(path) as part:
        part.write_text("half")
        assert path.read_bytes() == "größer\n".encode()
        raise KeyboardInterrupt
    assert path.read_bytes() == "größer\n".encode()
    assert [*path.parent.iterdir()] == [path]


def test_a_file_that_cannot_take_its_name_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_bytes(tmp_path / "folder", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_second_call_leaves_the_first_one_alone(tmp_path: Path) -> None:
    """And says so; afterwards nothing tells of either."""
    with replacing(tmp_path, ()) as new:
        (new / "a.txt").write_text("first")
        with (
            pytest.raises(FileExistsError, match="another call is writing into .*: wait for it"),
            hidden_within(tmp_path),
        ):
            pytest.fail("two at a time")
        assert all(map(is_left, tmp_path.iterdir()))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_call_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".new-killed").mkdir()
    (tmp_path / LOCK).touch()
    with hidden_within(tmp_path) as new:
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {new.name}
    assert not [*tmp_path.iterdir()]


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with replacing(tmp_path, ()) as new:
        (new / "a.txt").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
