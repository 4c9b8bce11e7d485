"""What has to be said in several files is said alike."""

import re

from mmseg_css.version import __version__
from tests.documentation.pages import CHANGES, ROOT


def test_the_citation_is_of_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [__version__]


def test_the_changelog_is_open() -> None:
    assert re.findall(r"^## (.+)$", CHANGES.read_text(), re.MULTILINE)[0] == "[Unreleased]"


def test_ruff_is_the_same_everywhere() -> None:
    files = [*(ROOT / "requirements").glob("*.txt"), ROOT / ".pre-commit-config.yaml"]
    pins = {pin for file in files for pin in re.findall(r"\bruff==[\w.]+", file.read_text())}
    assert len(pins) == 1, pins
