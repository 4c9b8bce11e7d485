"""Reading a config file, with errors that name it."""

import ast
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from mmengine.config import Config

from mmseg_css.cfg_options import merge_options, read_of, settings_of
from mmseg_css.locations import find_config

#: Endings of configs.
KINDS: Final = (".py", ".json", ".yaml", ".yml")
#: What configs of MMSegmentation 0.x set, and what is read in its place.
FORMER: Final = {
    "optimizer": "optim_wrapper=dict(optimizer=...)",
    "optimizer_config": "optim_wrapper",
    "lr_config": "param_scheduler",
    "data": "train_dataloader, val_dataloader and test_dataloader",
    "evaluation": "train_cfg=dict(val_interval=...) and val_evaluator",
    "checkpoint_config": "default_hooks=dict(checkpoint=...)",
    "log_config": "default_hooks=dict(logger=...)",
}


def read_config(path: str | PathLike[str], options: Mapping[str, Any] | None = None) -> Config:
    """The config in a file, with all that it is based on.

    Args:
        path: The file.
        options: Settings that replace its own, as `parse_options` makes them of ``--cfg-options``.

    Raises:
        FileNotFoundError: It, or a file that its ``_base_`` names, is not there.
        ValueError: It is no Python, or of another kind than configs are, or sets a variable of a file that it is based
            on, which was read before, to another value, so that nothing follows it; or an option would change nothing.
    """
    cfg = _read(path)
    merge_options(cfg, options or {})
    return cfg


def _read(path: str | PathLike[str]) -> Config:
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
    """``max_iters = 10000`` in a config whose bases say ``max_iters = 3500`` and use it; ``lr_config`` in any."""
    if path.suffix != ".py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    followed = read_of(cfg) | _used(tree)
    idle = {name: node for name, node in _assigned(tree).items() if name not in followed}
    below = list(_bases(path, tree)) if idle else []
    used = set().union(*map(_used, below))
    for name, node in idle.items():
        if name in FORMER and below and name not in used:  # a dumped config has such variables beside what they became
            raise ValueError(f"{path} sets {name}, as in MMSegmentation 0.x, which nothing reads: set {FORMER[name]}")
        set_by = next((base for base in below if name in _assigned(base)), None)
        if set_by is None:
            if not (below and name == "test_pipeline"):  # the bases' data may say themselves how they are read
                continue
        elif not (name in used or _is_dumped(set_by)) or _value(_assigned(set_by)[name]) == _value(node):
            continue
        set_to = _plain(cfg.get(name))  # not of the node: MMEngine has merged a dict with that of the bases
        if not any(set_to == _plain(value) for _, value in settings_of(cfg)):  # nor was that set, too
            of = " of a file that it is based on and that was read before" if set_by else ""
            raise ValueError(
                f"{path} sets {name}, a variable{of}, so that no setting follows: set what it stands for "
                "(train_cfg=dict(max_iters=...) for max_iters, say; model=dict(segmentor=dict(...)) for segmentor; "
                "test_dataloader=dict(dataset=dict(pipeline=...)) for test_pipeline), or change it in that file"
            )


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Variables that a file sets, private ones aside."""
    return {
        name: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in _names(node)
        if not name.startswith("_")
    }


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _used(tree: ast.Module) -> set[str]:
    """Variables that a file reads, its own and those of its bases."""
    nodes = list(ast.walk(tree))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return own | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _is_dumped(tree: ast.Module) -> bool:
    """Whether a file is a whole config without variables in use, as work dirs hold it: nothing follows any of them."""
    names = {target for node in tree.body if isinstance(node, ast.Assign) for target in _names(node)}
    return "model" in names and "_base_" not in names and _used(tree) <= {"dict", "float"}


def _value(node: ast.expr) -> Any:
    try:
        return _plain(ast.literal_eval(node))
    except ValueError:  # an expression
        return ast.dump(node)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _bases(path: Path, tree: ast.Module) -> Iterator[ast.Module]:
    """The files below ``_base_``, nearest first, as far as they are named plainly and lie there."""
    found = next((node.value for node in tree.body if isinstance(node, ast.Assign) and _is_base(node)), None)
    try:
        given = [] if found is None else ast.literal_eval(found)
    except ValueError:  # put together from parts
        return
    for base in [given] if isinstance(given, str) else given:
        file = find_config(base) if "::" in base else path.parent / base
        if file.is_file() and file.suffix == ".py":
            below = ast.parse(file.read_text(encoding="utf-8"))
            yield below
            yield from _bases(file, below)


def _is_base(node: ast.Assign) -> bool:
    return "_base_" in _names(node)


def _is_faulty(path: Path) -> bool:
    try:
        ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return True
    return False
