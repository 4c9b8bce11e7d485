"""Files appear as a whole or not at all."""

from pathlib import Path

import pytest

from mmseg_css.files import write_bytes, write_text, written


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
