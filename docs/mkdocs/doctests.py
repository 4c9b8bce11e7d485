"""Examples in docstrings are code on the site, too."""

import re
from typing import Any, Final

from griffe import Extension, Object

EXAMPLE: Final = re.compile(r"(?:^|\n\n)( *)(>>> (?:.|\n)*?)(?=\n\n|\Z)")


class Doctests(Extension):
    """Fences around what begins with ``>>>``."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(fenced, obj.docstring.value)


def fenced(match: re.Match) -> str:
    indent, example = match.groups()
    return f"\n\n{indent}```pycon\n{indent}{example.rstrip()}\n{indent}```"
