"""Configs of the package by their name, where there is no clone."""

from pathlib import Path

import pytest

from mmseg_css.cli.compare import named_config
from mmseg_css.cli.main import app, run
from mmseg_css.locations import CONFIGS, find_config

NAME = "mmseg_css::css/css_lite0_demo.py"


def test_a_name_of_the_package_a_path_otherwise() -> None:
    assert find_config(NAME) == CONFIGS / "css" / "css_lite0_demo.py"
    assert find_config("css/own.py") == Path("css/own.py")
    assert named_config(f"css={NAME}") == ("css", CONFIGS / "css" / "css_lite0_demo.py")


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("train", []),
        ("test", ["some.pth"]),
        ("predict", ["some.pth", ".", "--out", "out"]),
        ("diagnose", ["some.pth"]),
        ("suggest", ["some.pth", "--budget", "1"]),
        ("export", ["some.pth", "exported"]),
    ],
)
def test_commands_take_them(command: str, more: list[str]) -> None:
    _, bound, *_ = app.parse_args([command, NAME, *more])
    assert bound.args[0] == CONFIGS / "css" / "css_lite0_demo.py"


def test_a_config_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(["train", "mmseg_css::css/none.py"])
    assert "css/none.py" in capsys.readouterr().err.replace("\n", "")
