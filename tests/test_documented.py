"""The tables of docs/ that say which test holds a row: every row names one, and it is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
#: Nothing to hold.
UNTESTED: Final = ("not tried", "does not apply")


def rows(document: str) -> Iterator[list[str]]:
    """The rows of all tables whose last column is called ``Test``."""
    for table in re.findall(r"(?:^\|.*\n?)+", (ROOT / "docs" / document).read_text(), re.MULTILINE):
        head, _, *body = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
        if head[-1] == "Test":
            yield from body


@pytest.mark.parametrize(("document", "at_least"), [("bad-input.md", 40), ("compatibility.md", 50)])
def test_tables_name_tests_that_exist(document: str, at_least: int) -> None:
    found = list(rows(document))
    assert len(found) >= at_least
    for row in found:
        if not row[-1]:
            assert row[1] in UNTESTED, row
            continue
        named = re.fullmatch(r"`(\S+\.py)::\w+`(, `::\w+`)*", row[-1])
        assert named, row
        text = (ROOT / "tests" / named[1]).read_text()
        for test in re.findall(r"::(\w+)", row[-1]):
            assert re.search(rf"^def {test}\(", text, re.MULTILINE), row
