"""Lists as other toolboxes and editors write them, and images that a list or a suffix leaves out or repeats."""

from pathlib import Path

import pytest
from mmseg.registry import DATASETS

from mmseg_css.datasets import checks
from tests.datasets.helpers import labeled_config, write, write_image, write_mask


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(checks.listing, "warn", found.append)
    return found


def check(root: Path, content: str | bytes | None = None, **changes: object) -> int:
    """The number of images of a data set, that of the list if there is one."""
    if content is not None:
        changes["ann_file"] = str(write(root / "written.txt", content))
    dataset = DATASETS.build(labeled_config(root, **changes))
    checks.check_masks(dataset)
    return len(dataset)


@pytest.mark.parametrize("content", ["town 0/frame 00\r\ntown 1/frame 01\r\n", "town 0/frame 00  \ntown 1/frame 01"])
def test_what_editors_leave(root: Path, content: str) -> None:
    assert check(root, content.encode()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\ufefftown 0/frame 00\n", "begins with a byte order mark: save it as UTF-8 without one"),
        ("town 0/frame 00\n\ntown 1/frame 01\n", "has a blank line: take it out"),
        ("images/a.png masks/a.png\n", "names image and mask: leave one name on each line, without its ending"),
        (
            "town 0/frame 00.png\n",
            r"there is '.*/images/town 0/frame 00\.png', whose ending is in the list.*take it",
        ),
        ("town 0/none\n", "supply it, take its id off the list, or correct data_prefix, img_suffix"),
    ],
)
def test_lines_that_are_no_ids(root: Path, content: str, message: str) -> None:
    with pytest.raises(FileNotFoundError, match=rf"(?s)1 of the .* is missing; .*{message}"):
        check(root, content)


@pytest.mark.parametrize("other", [".PNG", ".jpg", ".JPG"])
def test_another_ending(root: Path, other: str) -> None:
    image = root / "images/town 0/frame 00.png"
    image.rename(image.with_suffix(other))
    with pytest.raises(FileNotFoundError, match=rf"there is '.*frame 00\{other}': set the suffix .*FolderDataset"):
        check(root, "town 0/frame 00\n")


def test_repeated_lines(root: Path, said: list[str]) -> None:
    assert check(root, "town 0/frame 00\ntown 1/frame 01\ntown 0/frame 00\n") == 3
    [message] = said
    assert "1 images are listed more than once in '" in message
    assert "written.txt', and count as often, the first: '" in message


def test_images_of_another_ending_are_left_out(root: Path, said: list[str]) -> None:
    write_image(root / "images/town 0/late.JPG")
    write_image(root / "images/town 0/frame.PNG")
    assert check(root) == 10
    [message] = said
    assert message.startswith(
        f"2 images in {str(root / 'images')!r} do not end in '.png' and are left out, the first: "
    )
    assert "'town 0/frame.PNG'; to use them, too, list whole names in a FolderDataset" in message


def test_masks_in_the_folder_of_the_images_are_not_left_out(root: Path, said: list[str]) -> None:
    for name in "ab":
        write_image(root / f"both/{name}.jpg")
        write_mask(root / f"both/{name}.png")
    folders = {"img_path": "both", "seg_map_path": "both"}
    assert check(root, data_prefix=folders, img_suffix=".jpg") == 2
    assert check(root, "town 0/frame 00\n") == 1  # a list says what it leaves out
    assert not said
