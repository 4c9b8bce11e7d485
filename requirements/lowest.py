"""The lower ends of requirements, as constraints for pip: ``python requirements/lowest.py core openmmlab > FILE``."""

import re
import sys
from pathlib import Path

LOWER_END = re.compile(r"^([\w.-]+)[>=]=([\w.]+)")


def lowest(names: list[str]) -> dict[str, str]:
    """The lowest version of each distribution that these files of requirements allow."""
    folder = Path(__file__).resolve().parent
    lines = [line for name in names for line in (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()]
    return dict(found.groups() for found in map(LOWER_END.match, lines) if found)


if __name__ == "__main__":
    for name, version in lowest(sys.argv[1:]).items():
        print(f"{name}=={version}")
