"""Names in a config that nothing knows, with the nearest that something does."""

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import mmseg.registry
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_css.config_parts import mappings

_UNEXPECTED = re.compile(r"(\w+)(?:\.(\w+))?\(\) got an unexpected keyword argument '(\w+)'")
_UNREGISTERED = re.compile(r"(\w+) is not in the \S*?(\w+) registry")
_REGISTRIES = [value for value in vars(mmseg.registry).values() if isinstance(value, Registry)]
#: A top-level name may be anyone's own variable; it is taken for a typo only if it resembles one of the Runner's.
RUNNERS = tuple(inspect.signature(Runner.__init__).parameters)[1:]
_RESEMBLES = 0.88
_NOT_REGISTERED: dict[str, type] = {"DataLoader": DataLoader, "Runner": Runner}


def check_top_level(cfg: Config, needed: Sequence[str] = ()) -> None:
    """Check that no top-level key is a misspelt one of the Runner's, which the Runner would overlook.

    Args:
        cfg: The config.
        needed: Keys without which nothing can be done, with dots.

    Raises:
        KeyError: One is, or one that is needed is not there.
    """
    for key in cfg:
        if key not in RUNNERS and (near := get_close_matches(key, RUNNERS, 1, _RESEMBLES)):
            raise KeyError(f"the config has {key!r}, which nothing reads; did you mean {near[0]!r}?")
    for key in needed:
        node: Any = cfg
        for part in key.split("."):
            node = node.get(part)
            if node is None:
                raise KeyError(
                    f"the config{f' {cfg.filename}' if cfg.filename else ''} has no {key}: name a config of configs/ "
                    "that has it in its _base_, or write it"
                )


@contextmanager
def explained(cfg: Config) -> Iterator[None]:
    """Tell errors about unknown names where they stand in the config, and what was probably meant."""
    try:
        yield
    except (TypeError, KeyError) as error:
        if explanation := _explain(str(error.args[0] if error.args else error), cfg):
            raise type(error)(explanation) from error
        raise


def _explain(message: str, cfg: Config) -> str | None:
    if found := _UNEXPECTED.search(message):
        owner, method, name = found.groups()
        places = list(_places(cfg, name))
        # The error names the base class that refused it; the config the one that was meant.
        kind = next((kind for _, kind in places if kind), owner)
        known = _parameters(kind, method or "__init__")
        what = f"{kind if isinstance(kind, str) else kind.__name__} takes no {name!r}"
        instead = getattr(_class(kind), "INSTEAD", None)
        if instead and name in _parameters(instead, "__init__"):
            return f"{_listed(places)}: {what}; {instead} does: set its type, with _delete_=True where one is inherited"
    elif found := _UNREGISTERED.search(message):
        name = found[1]
        if any(name in registry.module_dict for registry in _REGISTRIES) and cfg.get("default_scope") is None:
            return f"the config has no default_scope, so that {name} is not found: set default_scope='mmseg'"
        places = list(_places(cfg, name))
        known = {key for registry in _REGISTRIES for key in _names(registry)}
        what = f"there is no {found[2]} called {name!r}"
    else:
        return None
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]!r}?" if near else "take it out, or import the module that knows it"
    return f"{_listed(places)}: {what}; {remedy}"


def _listed(places: list[tuple[str, Any]]) -> str:
    return " and ".join(place for place, _ in places) or "the config"


def _parameters(kind: str | type, method: str) -> set[str]:
    """Names of the arguments of a class, through all classes below it that it passes arguments on to."""
    names: set[str] = set()
    for base in _class(kind).__mro__:
        if method in vars(base):
            parameters = inspect.signature(vars(base)[method]).parameters.values()
            names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
            if not any(p.kind == p.VAR_KEYWORD for p in parameters):
                break
    return names - {"self"}


def _class(kind: str | type) -> type:
    if isinstance(kind, str):
        kind = _NOT_REGISTERED.get(kind) or next((known for r in _REGISTRIES if (known := r.get(kind))), object)
    return kind if isinstance(kind, type) else object


def _names(registry: Registry) -> Iterator[str]:
    yield from registry.module_dict
    if registry.parent is not None:
        yield from _names(registry.parent)


def _places(cfg: Config, name: str) -> Iterator[tuple[str, str | type | None]]:
    """Where in a config a key, or a ``type``, is called that, and the ``type`` beside it."""
    for place, part in mappings(cfg._cfg_dict):
        for key, value in part.items():
            if key == name or (key == "type" and value == name):
                yield f"{place}.{key}".lstrip("."), part.get("type")
