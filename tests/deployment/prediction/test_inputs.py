"""Which files are meant, and what they are called in the output."""

import re
from pathlib import Path

import pytest

from mmseg_css.deployment.prediction.inputs import find_inputs


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(given: list[Path], out: Path) -> list[str]:
    return [str(item.name) for item in find_inputs(given, out).images]


def test_a_folder_and_its_subfolders(tmp_path: Path) -> None:
    files = ("b.JPG", "a/x.y.png", "a/ü 1/c.tiff", "notes.txt", ".hidden.png", ".trash/d.png", "clip.mp4", "d.HEIC")
    touch(*(tmp_path / file for file in files))
    found = find_inputs([tmp_path], tmp_path / "out")
    assert [str(item.name) for item in found.images] == ["b", "a/x.y", "a/ü 1/c"]
    assert (found.videos, found.passed_over) == ([], [tmp_path / "clip.mp4", tmp_path / "d.HEIC"])


def test_the_output_within_the_folder_is_no_input(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "out" / "overlays" / "a.jpg")
    assert names([tmp_path], tmp_path / "out") == ["a"]


def test_links_that_go_round(tmp_path: Path) -> None:
    touch(tmp_path / "photos" / "a.png", tmp_path / "more" / "b.png")
    (tmp_path / "photos" / "round").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "more").symlink_to(tmp_path / "more")
    assert names([tmp_path / "photos"], tmp_path / "out") == ["a", "more/b"]


def test_files_are_called_by_their_path_below_what_they_share(tmp_path: Path) -> None:
    touch(tmp_path / "p" / "a" / "1.png", tmp_path / "p" / "b" / "1.png", tmp_path / "p" / "b" / "clip.MP4")
    files = [tmp_path / "p" / "a" / "1.png", tmp_path / "p" / "b" / "1.png", tmp_path / "p" / "b" / "clip.MP4"]
    found = find_inputs(files, tmp_path)
    assert [str(item.name) for item in found.images] == ["a/1", "b/1"]
    assert [str(item.name) for item in found.videos] == ["b/clip"]
    assert names(files[:1], tmp_path) == ["1"]


def test_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths start from the folder of the call; files that are not there are for the end."""
    touch(tmp_path / "p" / "a" / "1.png")
    (tmp_path / "lists").mkdir()
    listed = tmp_path / "lists" / "some.txt"
    listed.write_text(f"\ufeffp/a/1.png\r\n\n  p/b/absent.png \np/a/1.png\n{tmp_path}/p/a/1.png\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert names([listed], Path("out")) == ["a/1", "b/absent"]
    listed.write_text("\n")
    with pytest.raises(ValueError, match=r"the list '\S+some.txt' is empty"):
        find_inputs([listed], Path("out"))
    listed.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        find_inputs([listed], Path("out"))


def test_a_file_that_is_given_twice_is_predicted_once(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.png")
    assert names([tmp_path, tmp_path / "a" / "1.png"], tmp_path / "out") == ["a/1"]


@pytest.mark.parametrize(
    ("files", "given"),
    [
        (("a/1.png", "b/1.png"), ("a", "b")),
        (("a/1.png", "a/1.jpg"), ("a",)),
        (("a/clip/000000.png", "a/clip.mp4"), ("a", "a/clip.mp4")),
        (("clip.avi", "clip.mp4"), ("clip.avi", "clip.mp4")),
    ],
)
def test_two_files_for_one_place(files: tuple[str, ...], given: tuple[str, ...], tmp_path: Path) -> None:
    touch(*(tmp_path / file for file in files))
    first, second = (re.escape(str(tmp_path / file)) for file in files)
    with pytest.raises(ValueError, match=rf"({first}|{second}).*({first}|{second}).*would both be written to"):
        find_inputs([tmp_path / name for name in given], tmp_path / "out")


def test_output_over_the_images(tmp_path: Path) -> None:
    touch(tmp_path / "photos" / "a.jpg")
    with pytest.raises(ValueError, match="--out is .*photos', the folder of the images: name another"):
        find_inputs([tmp_path / "photos"], tmp_path / "photos")


@pytest.mark.parametrize("listed", [False, True])
def test_output_over_images_that_are_named(listed: bool, tmp_path: Path) -> None:
    """Masks would lie among images, of which the next call and a training make inputs."""
    touch(tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "b" / "c.jpg")
    (tmp_path / "some.txt").write_text(f"{tmp_path}/photos/a.jpg\n{tmp_path}/photos/b/c.jpg\n")
    given = [tmp_path / "some.txt"] if listed else [tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "b" / "c.jpg"]
    for out in (tmp_path / "photos", tmp_path / "photos" / "b"):
        with pytest.raises(ValueError, match="--out is .*photos.*, the folder of the images: name another"):
            find_inputs(given, out)
    assert names(given, tmp_path / "photos" / "predicted") == ["a", "b/c"]


@pytest.mark.parametrize("record", ["predictions.json", "suggestions.json"])
def test_what_was_written_into_the_folder_itself_is_no_input(record: str, tmp_path: Path) -> None:
    """As calls of before did that named the images."""
    photos = tmp_path / "photos"
    touch(*(photos / name for name in (record, "a.png", "masks/a.png", "overlays/a.jpg", "b/a.png", "b/masks/c.png")))
    assert names([photos], tmp_path / "out") == ["a", "b/a", "b/masks/c"]


def test_nothing_to_predict(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no file that ends in .jpg"):
        find_inputs([tmp_path], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="there is no .*absent"):
        find_inputs([tmp_path / "absent"], tmp_path / "out")
