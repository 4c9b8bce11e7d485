"""The Markdown pages of the repository, and what in them can be checked."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: A changelog speaks of what was, so its commands are not checked.
CHANGES: Final = ROOT / "CHANGELOG.md"
PAGES: Final = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for folder in ("docs", "configs") for path in (ROOT / folder).rglob("*.md")),
]
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A block of code, or a piece of code in a sentence, and where it stands."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Part]:
    text = page.read_text(encoding="utf-8")
    return [Part(page, text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in FENCE.finditer(text)]


def prose(page: Path) -> str:
    """The page without its blocks, with as many lines."""
    return FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"))


def inline(page: Path) -> list[Part]:
    """Code within sentences and tables."""
    text = prose(page)
    found = re.finditer(r"`([^`\n]+)`", text)
    return [Part(page, text.count("\n", 0, m.start()) + 1, "", m[1]) for m in found]


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    words = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", word).replace(" ", "-") for word in words}
