"""The configs of a study: methods on data sets, each with some of the labels."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmseg_css.config_files import read_config
from mmseg_css.preparation.leaves import METHODS, leaf_text

KEYS = ("baseline", "blocks", "ceiling", "parts", "seeds", "variants")


class Part(NamedTuple):
    """Methods that are compared on the same data sets, with the same share of the labels."""

    fraction: str
    data: tuple[str, ...]
    methods: tuple[str, ...]


class Plan(NamedTuple):
    """What a study file says.

    Attributes:
        folder: Its folder, where the files of the data sets lie.
        baseline, ceiling: Methods that every part has.
        variants: Names of methods under other settings: ``method``, and ``labeled`` or ``settings`` of `leaf_text`.
        blocks: Of data sets that are videos: neighbouring images that are swapped together.
    """

    folder: Path
    seeds: tuple[int, ...]
    baseline: str
    ceiling: str
    parts: dict[str, Part]
    variants: dict[str, dict[str, Any]]
    blocks: dict[str, int]


def read_plan(file: Path) -> Plan:
    """A study file, as ``configs/evidence/study.py`` shows it.

    Raises:
        ValueError: A key is missing or unknown, or a method is none.
        FileNotFoundError: There is no such file, or none for one of its data sets.
    """
    cfg = read_config(file).to_dict()
    if missing := [key for key in KEYS if key not in cfg]:
        raise ValueError(f"{file} lacks {', '.join(missing)}: see configs/evidence/study.py")
    parts = {name: _part(file, name, part) for name, part in cfg["parts"].items()}
    settings = {key: cfg[key] for key in ("baseline", "ceiling", "variants", "blocks")}
    plan = Plan(folder=file.resolve().parent, seeds=tuple(cfg["seeds"]), parts=parts, **settings)
    known = {*METHODS, *plan.variants}
    for method in (plan.baseline, plan.ceiling, *(method for part in parts.values() for method in part.methods)):
        if method not in known:
            raise ValueError(f"{file}: {method!r} is no method; there are {', '.join(sorted(known))}")
    for data in {data for part in parts.values() for data in part.data}:
        if not (plan.folder / f"{data}.py").is_file():
            raise FileNotFoundError(f"{file} names the data set {data!r}, but {plan.folder / data}.py is missing")
    return plan


def _part(file: Path, name: str, part: Mapping[str, Any]) -> Part:
    if wrong := {*part} ^ {*Part._fields}:
        raise ValueError(
            f"{file}: parts[{name!r}] has or lacks {', '.join(sorted(wrong))}; it has {', '.join(Part._fields)}"
        )
    return Part(part["fraction"], tuple(part["data"]), tuple(part["methods"]))


def write_leaves(plan: Plan, names: Iterable[str], out: Path, bases: Path) -> dict[str, dict[str, dict[str, Path]]]:
    """Write the configs of parts, and say where they are, by part, data set and method.

    One that does not depend on the part's labels is written once, for all parts.
    """
    written: dict[str, dict[str, dict[str, Path]]] = {}
    for name in names:
        part = plan.parts[name]
        methods = (plan.baseline, plan.ceiling, *part.methods)
        written[name] = {
            data: {method: _write_leaf(plan, method, data, part.fraction, out, bases) for method in methods}
            for data in part.data
        }
    return written


def _write_leaf(plan: Plan, method: str, data: str, fraction: str, out: Path, bases: Path) -> Path:
    variant: Mapping[str, Any] = plan.variants.get(method, {"method": method})
    labeled = variant.get("labeled", f"configs/splits/{data}/{fraction}.txt")
    folder = out / (data if "labeled" in variant else f"{data}_{fraction}")
    folder.mkdir(parents=True, exist_ok=True)
    text = leaf_text(
        variant["method"],
        Path(os.path.relpath(plan.folder / f"{data}.py", folder.resolve())).as_posix(),
        Path(os.path.relpath(bases, folder.resolve())).as_posix(),
        labeled=labeled,
        settings=variant.get("settings"),
    )
    path = folder / f"{method}.py"
    path.write_text(text, encoding="utf-8")
    return path
