"""What checkpoints say of the settings that they were trained with, beside those of a config."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mmengine.config import Config

from mmseg_css.wording import some

#: Settings of a model that say nothing once it is trained, or that are compared elsewhere (`check_preprocessing`).
BESIDE: Final = frozenset({"init_cfg", "pretrained", "data_preprocessor"})
SHOWN: Final = 5
ABSENT: Final = object()


def notes_on(cfg: Config, metas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What to know of checkpoints that are looked at with a config, in sentences.

    MMEngine notes the config as Python, which is read and not executed; one that cannot be read is not compared.

    Args:
        cfg: The config.
        metas: What each checkpoint says of itself, by its path.
    """
    found = []
    for path, meta in metas.items():
        if other := other_settings(cfg, meta.get("cfg"), "model"):
            found.append(
                f"{path} was trained with other settings than {cfg.filename} has: {some([*other.values()], SHOWN)}. "
                "What is said of labels and thresholds goes by the config: give that of the training, or --cfg-options."
            )
        if meta.get("iter") is None:
            found.append(f"{path} does not say its iteration: any warm-up is taken to be over.")
    seeds = sorted({meta["seed"] for meta in metas.values() if meta.get("seed") is not None})
    if len(seeds) > 1:
        found.append(
            f"The checkpoints are of trainings with seeds {' and '.join(map(str, seeds))}: what is drawn over the "
            "iterations is not of one training."
        )
    return found


def other_settings(cfg: Config, text: str | None, section: str) -> dict[str, str]:
    """Settings below a key of the config that differ from those in a checkpoint's text, in words, by their keys."""
    if (then := _read(text or "", section)) is None:
        return {}
    # As text has them: classes that a config imports are their names.
    was, now = (dict(_leaves(section, settings)) for settings in (then, cfg.to_dict().get(section)))
    return {
        key: f"{key} {_said(was.get(key, ABSENT))} (here {_said(now.get(key, ABSENT))})"
        for key in sorted(was.keys() | now.keys())
        if was.get(key, ABSENT) != now.get(key, ABSENT)
    }


def _said(value: Any) -> str:
    return "absent" if value is ABSENT else repr(value)


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            if name not in BESIDE:
                yield from _leaves(f"{key}.{name}", below)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, below in enumerate(value):
            yield from _leaves(f"{key}.{number}", below)
    else:
        yield key, value


def _read(text: str, section: str) -> Any:
    """What a config as MMEngine writes it has at a key; None where it cannot be read."""
    try:
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == section:
                return _value(node.value)
    except (SyntaxError, ValueError):
        pass
    return None


def _value(node: ast.expr) -> Any:
    """As `ast.literal_eval`, which executes nothing, but with ``dict(...)``."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {ast.literal_eval(key): _value(value) for key, value in pairs if key is not None}
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    return ast.literal_eval(node)
