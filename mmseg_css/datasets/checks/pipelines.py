"""What a pipeline holds."""

from collections.abc import Iterator
from typing import Any


def transforms_in(node: Any) -> Iterator[Any]:
    """A transform and, for wrappers like ``Compose`` and ``RandomChoice``, those within it."""
    yield node
    # The branches of test-time augmentation, or the parts of any other wrapper.
    children = getattr(node, "subroutines", None) or getattr(node, "transforms", ())
    for child in children if isinstance(children, list | tuple) else [children]:
        yield from transforms_in(child)
