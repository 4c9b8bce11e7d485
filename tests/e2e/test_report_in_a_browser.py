"""A diagnosis' page as Chromium lays it out: on a desk and on a phone, light and dark."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any, Final

import pytest

BROWSER: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")
#: A page that shows the report in a frame of the width that is asked for, and then says in JSON how that came out.
LOOK: Final = """<!DOCTYPE html><meta charset="utf-8"><body style="margin: 0">
<iframe style="border: 0" width="{width}" height="800" srcdoc="{page}"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, style = frame.contentWindow.getComputedStyle(page.body);
  document.body.textContent = JSON.stringify({{
    room: page.documentElement.clientWidth,
    needed: page.documentElement.scrollWidth,
    ink: style.color,
    paper: style.backgroundColor,
    images: [...page.images].map((image) => image.naturalWidth),
    loaded: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
    figures: [...page.querySelectorAll("figure > svg")].map((svg) => ({{
      name: svg.getAttribute("aria-label"),
      width: svg.getBoundingClientRect().width,
      colour: frame.contentWindow.getComputedStyle(svg.querySelector("text")).fill,
      texts: [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim()).map((text) => {{
        const box = text.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom];
      }}),
    }})),
  }});
}};
</script>"""


def look(page: Path, width: int, scheme: str, folder: Path) -> dict[str, Any]:
    wrapped = folder / "look.html"
    wrapped.write_text(LOOK.format(width=width, page=escape(page.read_text(encoding="utf-8"))), encoding="utf-8")
    asked = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"),
        f"--blink-settings=preferredColorScheme={('dark', 'light').index(scheme)}",
        *("--virtual-time-budget=10000", "--dump-dom", wrapped.as_uri()),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    found = re.search(r"<body[^>]*>(\{.*\})", done.stdout, flags=re.DOTALL)
    assert found, done.stdout[-500:] + done.stderr[-2000:]
    return json.loads(unescape(found[1]))


def brightness(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of an opaque colour as Chromium names it."""
    red, green, blue = (int(part) / 255 for part in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour).groups())
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted(map(brightness, (first, second)))
    return (high + 0.05) / (low + 0.05)


def overlap(first: list[float], second: list[float]) -> bool:
    """By more than a pixel each way."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return width > 1 and height > 1


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible(report: Path, width: int, scheme: str, tmp_path: Path) -> None:
    """Nothing is wider than the window, each picture is there, and text is large and dark (or bright) enough, and apart
    from other text."""
    found = look(report / "report.html", width, scheme, tmp_path)
    assert found["needed"] <= found["room"] <= width
    assert found["images"] and all(found["images"]) and not found["loaded"]
    assert (brightness(found["paper"]) > 0.5) == (scheme == "light")
    assert len(found["figures"]) == 11
    for figure in found["figures"]:
        assert 0.8 * min(width, 400) <= figure["width"] <= found["room"], figure["name"]
        boxes = figure["texts"]
        assert min(bottom - top for _, top, _, bottom in boxes) >= 9, figure["name"]
        assert all(left >= -1 and right <= found["room"] + 1 for left, _, right, _ in boxes), figure["name"]
        near = [(one, two) for at, one in enumerate(boxes) for two in boxes[:at] if overlap(one, two)]
        assert not near, figure["name"]
    for ink in (found["ink"], *(figure["colour"] for figure in found["figures"])):
        assert contrast(ink, found["paper"]) >= 7
