"""Reading a config file, with errors that name it."""

import ast
from os import PathLike
from pathlib import Path
from typing import Final

from mmengine.config import Config

from mmseg_css.cfg_options import READ

#: Endings of configs.
KINDS: Final = (".py", ".json", ".yaml", ".yml")


def read_config(path: str | PathLike[str]) -> Config:
    """The config in a file, with all that it is based on.

    Raises:
        FileNotFoundError: It, or a file that its ``_base_`` names, is not there.
        ValueError: It is no Python, or of another kind than configs are, or sets a variable of a file that it is based
            on, which was read before, to another value, so that nothing follows it.
    """
    path = Path(path)
    try:
        cfg = Config.fromfile(path)
        _check_variables(path, cfg)
        return cfg
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


def _check_variables(path: Path, cfg: Config) -> None:
    """``max_iters = 10000`` in a config whose bases say ``max_iters = 3500`` and use it."""
    if path.suffix != ".py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    idle = {name: value for name, value in _assigned(tree).items() if name not in used and name not in READ}
    for name, value in idle.items():
        if name in cfg and (before := _in_bases(path, tree, name)) is not None and before != ast.dump(value):
            raise ValueError(
                f"{path} sets {name}, a variable of a file that it is based on and that was read before, so that no "
                "setting follows: set what it stands for (train_cfg=dict(max_iters=...) for max_iters, say), or change "
                "it in that file"
            )


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Variables that a file sets to something plain, private ones aside."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
        # Of dicts, which MMEngine merges, a config based on this one may make use.
        if not isinstance(node.value, (ast.Call, ast.Dict))
    }


def _in_bases(path: Path, tree: ast.Module, name: str) -> str | None:
    """What the files below ``_base_`` set a variable to, as far as they are files; None if they do not use it."""
    found = next((node.value for node in tree.body if isinstance(node, ast.Assign) and _is_base(node)), None)
    given = [] if found is None else ast.literal_eval(found)
    for base in [given] if isinstance(given, str) else given:
        file = path.parent / base
        if "::" in base or not file.is_file() or file.suffix != ".py":
            continue
        below = ast.parse(file.read_text(encoding="utf-8"))
        own = _assigned(below).get(name)
        if (value := ast.dump(own) if own is not None else _in_bases(file, below, name)) is not None:
            return value
    return None


def _is_base(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "_base_" for target in node.targets)


def _is_faulty(path: Path) -> bool:
    try:
        ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return True
    return False
