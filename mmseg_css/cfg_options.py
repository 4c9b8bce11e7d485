"""``--cfg-options`` as MMSegmentation reads them."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from mmengine.config import DictAction


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """``["a.b=1", "c=[x,y]"]`` as ``{"a.b": 1, "c": ["x", "y"]}``.

    Raises:
        ValueError: One of them is no KEY=VALUE.
    """
    for pair in pairs:
        if not pair.partition("=")[0] or "=" not in pair:
            raise ValueError(f"--cfg-options: expected KEY=VALUE, got {pair!r}")
    parser = ArgumentParser()
    parser.add_argument("options", nargs="*", action=DictAction)  # MMEngine's own reading of values
    return parser.parse_args(["--", *pairs]).options or {}
