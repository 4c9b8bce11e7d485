"""``--cfg-options`` as MMSegmentation reads them, but for those that would change nothing."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mmengine.config import Config, DictAction

from mmseg_css.typos import RUNNERS

#: What is read of a config's top level: by the Runner, the rest of MMEngine, MMSeg's inferencer, and `suggest`.
READ: Final = frozenset(
    {
        *RUNNERS,
        *(
            "activation_checkpointing",
            "compile",
            "efficient_conv_bn_eval",
            "detect_anomalous_params",
            "find_unused_parameters",
            "model_wrapper_cfg",
            "sync_bn",
        ),
        *("custom_imports", "test_pipeline", "tta_model", "tta_pipeline", "unlabeled"),
    }
)
#: A dict as a value, or in a list.
DICT: Final = re.compile(r"(^|[\[(,])\s*(\{|dict\()")
#: A string with spaces, and no list.
SPACED: Final = re.compile(r"[^\s\[(,][^,]*\s[^,]*[^\s,]")


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """``["a.b=1", "c=[x,y]", "d=my images"]`` as ``{"a.b": 1, "c": ["x", "y"], "d": "my images"}``.

    Raises:
        ValueError: One of them is no KEY=VALUE, or its value has a bracket that nothing closes, or is a dict, which
            MMEngine would take apart at the commas.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not key or "=" not in pair:
            raise ValueError(f"--cfg-options: expected KEY=VALUE, got {pair!r}")
        if DICT.search(value):
            raise ValueError(
                f"--cfg-options {pair}: MMEngine reads numbers, strings, True, False, None, lists and tuples here, and "
                f"no dicts; set each of its keys, as {key}.NAME=VALUE (of an item of a list, {key}.0.NAME=VALUE), or "
                "write it into a config file"
            )
        # MMEngine drops spaces, which names of folders may have.
        options |= {key: value.strip("'\"")} if SPACED.fullmatch(value.strip()) else _parsed(pair)
    return options


def _parsed(pair: str) -> dict[str, Any]:
    """As MMEngine reads values."""
    parser = ArgumentParser()
    parser.add_argument("options", nargs=1, action=DictAction)
    try:
        return parser.parse_args(["--", pair]).options
    except AssertionError as error:
        raise ValueError(f"--cfg-options {pair}: {error}; close each bracket that you open") from None


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Set settings of a config, in place.

    Raises:
        ValueError: One is nothing that is read, ``lr`` say, or a variable of the config file, ``max_iters`` say: the
            file was read before it could be set, so that no setting would follow it.
    """
    read = read_of(cfg)
    for key in options:
        name, _, below = key.partition(".")
        if name in read:
            continue
        if name not in cfg:
            last = key.rpartition(".")[2]
            alike = [place for place, _ in settings_of(cfg) if place.rpartition(".")[2] == last]
            meant = f": is {' or '.join(alike[:4])} meant?" if alike else ""
            raise ValueError(f"--cfg-options {key}: no setting begins with {name}, and nothing would read it{meant}")
        places = [place for place, value in settings_of(cfg) if _same(value, cfg[name])]
        instead = ", ".join(f"{place}.{below}".rstrip(".") for place in places[:8])
        if len(places) > 1:
            instead = f"all of these that it stands for: {instead}{', ...' if len(places) > 8 else ''}"
        raise ValueError(
            f"--cfg-options {key}: {name} is a variable of the config file, which nothing reads after the file; "
            f"set {instead or 'what it is used for'}; or change {name} in the file"
        )
    cfg.merge_from_dict(dict(options))


def read_of(cfg: Config) -> frozenset[str]:
    """What is read of this config's top level.

    Where a training reads unlabelled images, ``unlabeled`` is but the variable for them, and where the test data say
    how they are read, ``test_pipeline``.
    """
    variables = set()
    if "unlabeled" in (cfg.get("train_dataloader") or {}).get("dataset", {}):
        variables.add("unlabeled")
    if any(place.endswith(".pipeline") for place, _ in _below("test_dataloader", cfg.get("test_dataloader"))):
        variables.add("test_pipeline")
    return READ - variables


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and value == other


def settings_of(cfg: Config) -> Iterator[tuple[str, Any]]:
    """Every setting that a training or a test reads, with its key."""
    read = read_of(cfg) - {"unlabeled"}
    for name in cfg:
        if name in read:
            yield from _below(name, cfg[name])


def _below(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield key, value
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _below(f"{key}.{name}", child)
