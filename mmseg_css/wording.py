"""How several things are counted and named in a sentence."""

from collections.abc import Sequence


def count(names: Sequence[str], what: str) -> str:
    """How many there are of what.

    >>> count(["a.png"], "image"), count([], "mask")
    ('1 image', '0 masks')
    """
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}"


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first ones, and how many more.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
