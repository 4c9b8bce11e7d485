"""Relative links of all pages lead somewhere, and so do paths that sentences name."""

import re
from typing import Final

import pytest

from tests.documentation.pages import CHANGES, PAGES, ROOT, anchors, inline, prose

ALL: Final = [*PAGES, CHANGES]
#: Folders of the repository whose files are named in full.
ROOMS: Final = "configs|tools|benchmarks|tests|mmseg_css|docs|requirements"
#: What `mmseg-css init` writes in examples, what the pages let the reader write, and what only a wheel has.
YOURS: Final = re.compile(
    r"configs/(own|street)\b|mmseg_css/\.mim|mmseg_css/models/segmentors/<method>|_base_/methods/<method>"
)


@pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors(page):
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page))):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{page.relative_to(ROOT)} links to what is not there: {broken}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_sentences(page):
    """But for patterns, and placeholders in capitals or angle brackets."""
    lost = []
    for part in inline(page):
        for path in re.findall(rf"(?<![\w/.-])(?:{ROOMS})/[\w/.-]++(?![*{{<=])", part.text):
            if not (ROOT / path.rstrip(".")).exists() and not YOURS.search(part.text):
                lost.append(f"{part}: {path}")
    assert not lost, "\n".join(lost)
