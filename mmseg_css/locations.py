"""Where the package finds its own files: in the clone that it lies in, or in ``.mim``, which only a wheel has; and
where processes that it starts find the package.
"""

import os
import sys
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent
_MIM: Final = PACKAGE / ".mim"
#: The folder of the clone; None where the package was installed from a wheel.
CLONE: Final = None if _MIM.is_dir() else PACKAGE.parent
#: The folder of the configs.
CONFIGS: Final = (CLONE or _MIM) / "configs"


def find_config(text: str) -> Path:
    """The config that is meant: a path, or ``mmseg_css::css/css_lite0_demo.py`` of the package's own."""
    package, _, name = text.partition("::")
    return CONFIGS / name if package == PACKAGE.name and name else Path(text)


def find_lists(folder: Path) -> Path:
    """A folder of lists that our configs name: from where they are called, else the package's own."""
    own = CONFIGS.parent / folder
    return own if folder.parts[:1] == (CONFIGS.name,) and own.is_dir() and not folder.is_dir() else folder


def bases_from(folder: Path) -> str:
    """What a config in a folder calls our ``configs/_base_``: the path from there, or the package by its name."""
    if CLONE is None:
        return "mmseg_css::_base_"
    return Path(os.path.relpath(CONFIGS / "_base_", folder.resolve())).as_posix()


def import_from_here() -> None:
    """Let modules in the current folder be imported (``custom_imports``), after all others."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def python_path() -> dict[str, str]:
    """What the environment of a process needs so that it finds a clone that is not installed.

    Nothing, where the package is: its folder would come before what the user has put before it.
    """
    if CLONE is None:
        return {}
    return {"PYTHONPATH": os.pathsep.join([str(CLONE), *filter(None, [os.environ.get("PYTHONPATH")])])}
