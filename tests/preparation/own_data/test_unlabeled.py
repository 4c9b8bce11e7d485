"""mmseg-css init: which images without a mask are unlabelled ones."""

from pathlib import Path

import pytest

from mmseg_css.preparation.own_data.split import check_unlabeled
from tests.preparation.own_data.conftest import names, run, write_images, write_masks


@pytest.mark.parametrize("spare", ["test/8.png", "Testing/site 1/8.png", "val/8.png"])
def test_images_for_validation_and_tests_are_not_trained_on(spare: str) -> None:
    labelled = [f"{part}/{name}" for part, count in (("train", 3), ("val", 1)) for name in names(count)]
    write_images([*labelled, "train/9.png", spare])
    write_masks(labelled)
    with pytest.raises(ValueError, match=f"folders for validation or tests: 1, '{spare}' for one. Move them out"):
        run()
    assert not Path("configs").exists()
    write_images(["9.png"], folder="more")
    assert run("more").unlabeled.data_prefix.img_path == "more"


@pytest.mark.parametrize(
    ("labelled", "unlabelled", "refused"),
    [
        (["train/a"], ["train/b", "more/c"], False),
        (["train/a"], ["test/b"], True),  # no image validates yet
        (["val/a"], ["train/b", "test/c"], True),
        (["a"], ["test/b"], False),  # "test" of what?
        (["train/a"], ["test.png"], False),  # a file
    ],
)
def test_what_folders_say_of_images_without_a_mask(labelled: list[str], unlabelled: list[str], refused: bool) -> None:
    if refused:
        with pytest.raises(ValueError, match="images without a mask, which are trained on"):
            check_unlabeled(labelled, unlabelled)
    else:
        check_unlabeled(labelled, unlabelled)
