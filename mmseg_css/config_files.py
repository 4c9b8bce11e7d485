"""Reading a config file, with errors that name it."""

import ast
from os import PathLike
from pathlib import Path
from typing import Final

from mmengine.config import Config

#: Endings of configs.
KINDS: Final = (".py", ".json", ".yaml", ".yml")


def read_config(path: str | PathLike[str]) -> Config:
    """The config in a file, with all that it is based on.

    Raises:
        FileNotFoundError: It, or a file that its ``_base_`` names, is not there.
        ValueError: It is no Python, or of another kind than configs are.
    """
    path = Path(path)
    try:
        return Config.fromfile(path)
    except FileNotFoundError as error:
        if not path.is_file():
            raise FileNotFoundError(f"there is no config {path}") from None
        if Path(str(error.filename or error)).suffix not in KINDS:  # a file that the config reads
            raise
        raise FileNotFoundError(
            f"the config {path} is based on {error.filename or error}, which is not there: correct _base_, whose paths "
            "start from the folder of the file that names them"
        ) from None
    except SyntaxError as error:
        where = str(path) if _is_faulty(path) else f"a file that {path} is based on"
        raise ValueError(f"{where} is no Python: {error.msg}, line {error.lineno}") from None
    except OSError as error:
        if "type are supported" in str(error):
            raise ValueError(f"{path} is no config: configs end in .py (or .json, .yaml)") from None
        raise


def _is_faulty(path: Path) -> bool:
    try:
        ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return True
    return False
