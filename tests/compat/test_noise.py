"""What is harmless is not said, what is long goes to the file alone, and every other word gets through."""

import logging
import warnings
from itertools import count
from pathlib import Path

import mmengine
import pytest
from mmengine.logging import MMLogger

from mmseg_css.compat.noise import quieten

NUMBERS = count()
HARMLESS = [
    '"FileClient" will be deprecated in future. Please use io functions in https://mmengine.readthedocs.io',
    '"HardDiskBackend" is the alias of "LocalBackend" and the former will be deprecated in future.',
    "The prefix is not set in metric class IoUMetric.",
]
LONG = [
    "\n------------------------------------------------------------\nSystem environment:\n    sys.platform: linux",
    "Config:\nmax_iters = 1",
    "Hooks will be executed in the following order:\nbefore_run:\n",
    "paramwise_options -- student.decode_head.conv_seg.weight:lr=0.01",
    "student.backbone.conv1.weight is skipped since its requires_grad=False",
]
OTHERS = ["labelled images: 20", "The schedule ends at iteration 8", "the Config:\nof another", "skipped: 3 images", 17]


def said(message: object, level: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[bool, bool]:
    """Whether the terminal and the file get a message."""
    quieten()
    quieten()  # twice, as by two imports
    logger = MMLogger(f"noise-{next(NUMBERS)}", log_file=str(folder / "run.log"))
    logger.log(level, message)
    for handler in logger.handlers:
        handler.flush()
    return str(message) in capsys.readouterr().out, str(message) in (folder / "run.log").read_text()


@pytest.mark.parametrize(
    ("messages", "heard"), [(HARMLESS, (False, False)), (LONG, (False, True)), (OTHERS, (True, True))]
)
def test_who_hears_what(
    messages: list[object], heard: tuple[bool, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for message in messages:
        for level in (logging.INFO, logging.WARNING):
            assert said(message, level, tmp_path, capsys) == heard, message


def test_without_a_logger_debugging_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    mmengine.logging.print_log("aside", level=logging.DEBUG)
    mmengine.print_log("aside", level=logging.DEBUG)
    mmengine.logging.print_log("news")
    assert capsys.readouterr().out == "news\n"


def test_other_warnings_of_the_same_packages_are_seen() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quieten()
        warnings.warn("Fail to import ``MultiScaleDeformableAttention`` from ``mmcv.ops``", stacklevel=1)
        warnings.warn("The draw is a bad one", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["The draw is a bad one"]
