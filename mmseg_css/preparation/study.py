"""The configs of a study: methods on data sets, each with some of the labels."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from mmseg_css.config_files import read_config
from mmseg_css.locations import bases_from
from mmseg_css.preparation.leaves import METHODS, leaf_text

KEYS = ("baseline", "blocks", "ceiling", "parts", "seeds", "variants")


class Part(NamedTuple):
    """Methods that are compared on the same data sets, with the same shares of the labels.

    Attributes:
        fraction: Which labelled list, or several: then each of a data set counts as a data set.
        seeds: Other ones than the study's.
        steps: Another length of the trainings than the data sets' files say.
    """

    fraction: str | tuple[str, ...]
    data: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...] | None = None
    steps: int | None = None

    def sets(self) -> dict[str, tuple[str, str]]:
        """Data set and labelled list of all that is compared, by what it is called: the data set, and where there are
        several lists its list."""
        if isinstance(self.fraction, str):
            return {data: (data, self.fraction) for data in self.data}
        return {f"{data} {fraction}": (data, fraction) for data in self.data for fraction in self.fraction}


class Variant(NamedTuple):
    """A method under another name: with another list (an empty one is all images) or other settings of its model."""

    method: str
    labeled: str | None = None
    settings: dict[str, Any] | None = None


class Plan(NamedTuple):
    """What a study file says.

    Attributes:
        folder: Its folder, where the files of the data sets lie.
        baseline, ceiling: Methods that every part has.
        variants: Methods under other names.
        blocks: Of data sets that are videos: neighbouring images that are swapped together.
        lists: Of data sets whose labelled lists are elsewhere than in ``configs/splits/DATA``: the path of a list, in
            which ``{fraction}`` stands for its name.
    """

    folder: Path
    seeds: tuple[int, ...]
    baseline: str
    ceiling: str
    parts: dict[str, Part]
    variants: dict[str, Variant]
    blocks: dict[str, int]
    lists: dict[str, str]

    def seeds_of(self, part: str) -> tuple[int, ...]:
        """With which a part's trainings are made, unless others are asked for."""
        return self.parts[part].seeds or self.seeds

    def methods_of(self, part: str) -> tuple[str, ...]:
        """What is trained in a part, the baseline first."""
        return (self.baseline, self.ceiling, *self.parts[part].methods)

    def labeled_of(self, method: str, data: str, fraction: str) -> str:
        """The labelled list of a method on a data set; an empty one is all images."""
        own = self.variants.get(method, Variant(method)).labeled
        if own is not None:
            return own
        return self.lists.get(data, f"configs/splits/{data}/{{fraction}}.txt").replace("{fraction}", fraction)

    def block_sizes(self) -> dict[str, int]:
        """``blocks`` by what the data sets are called in the parts."""
        called = {name: data for part in self.parts.values() for name, (data, _) in part.sets().items()}
        return {name: self.blocks[data] for name, data in called.items() if data in self.blocks}


def read_plan(file: Path) -> Plan:
    """A study file, as ``configs/evidence/study.py`` shows it.

    Raises:
        ValueError: A key is missing or unknown, or a method is none.
        FileNotFoundError: There is no such file, or none for one of its data sets.
    """
    cfg = read_config(file).to_dict()
    if missing := [key for key in KEYS if key not in cfg]:
        raise ValueError(f"{file} lacks {', '.join(missing)}: see configs/evidence/study.py")
    for data, path in cfg.get("lists", {}).items():
        if "{fraction}" not in path:
            raise ValueError(f"{file}: lists[{data!r}] is {path!r}, where {{fraction}} has to stand for a list's name")
    parts = {name: _part(file, name, part) for name, part in cfg["parts"].items()}
    variants = {name: _variant(file, name, variant) for name, variant in cfg["variants"].items()}
    settings = {key: cfg[key] for key in ("baseline", "ceiling", "blocks")} | {"lists": cfg.get("lists", {})}
    plan = Plan(folder=file.resolve().parent, seeds=tuple(cfg["seeds"]), parts=parts, variants=variants, **settings)
    known = {*METHODS, *plan.variants}
    for method in (
        *(variant.method for variant in variants.values()),
        plan.baseline,
        plan.ceiling,
        *(method for part in parts.values() for method in part.methods),
    ):
        if method not in known:
            raise ValueError(f"{file}: {method!r} is no method; there are {', '.join(sorted(known))}")
    for data in {data for part in parts.values() for data in part.data}:
        if not (plan.folder / f"{data}.py").is_file():
            raise FileNotFoundError(f"{file} names the data set {data!r}, but {plan.folder / data}.py is missing")
    return plan


def _part(file: Path, name: str, part: Mapping[str, Any]) -> Part:
    needed = {*Part._fields} - {*Part._field_defaults}
    if wrong := ({*part} - {*Part._fields}) | (needed - {*part}):
        raise ValueError(
            f"{file}: parts[{name!r}] has or lacks {', '.join(sorted(wrong))}; it has {', '.join(Part._fields)}, of "
            f"which {' and '.join(Part._field_defaults)} may be left out"
        )
    seeds = None if part.get("seeds") is None else tuple(part["seeds"])
    fraction = part["fraction"] if isinstance(part["fraction"], str) else tuple(part["fraction"])
    return Part(fraction, tuple(part["data"]), tuple(part["methods"]), seeds, part.get("steps"))


def _variant(file: Path, name: str, variant: Mapping[str, Any]) -> Variant:
    wrong = {*variant} - {*Variant._fields}
    if wrong or "method" not in variant:
        raise ValueError(
            f"{file}: variants[{name!r}] has {', '.join(sorted(variant))}: it needs method, and may have labeled and "
            "settings"
        )
    return Variant(**variant)


def check_lists(plan: Plan, names: Iterable[str]) -> None:
    """Refuse to train parts whose labelled lists are not there.

    Raises:
        FileNotFoundError: One is missing.
    """
    for name in names:
        for method, (data, fraction) in product(plan.methods_of(name), plan.parts[name].sets().values()):
            labeled = plan.labeled_of(method, data, fraction)
            if labeled and not Path(labeled).is_file():
                raise FileNotFoundError(
                    f"the labelled list {labeled} is missing: start in the clone's folder, generate it, or choose "
                    "other --parts"
                )


def write_leaves(
    plan: Plan, names: Iterable[str], out: Path, *, alone: Callable[[], AbstractContextManager[None]] = nullcontext
) -> dict[str, dict[str, dict[str, Path]]]:
    """Write the configs of parts, and say where they are, by part, data set and method.

    One that does not depend on the part's labels is written once, for all parts. The lists need not be there.

    Args:
        plan: The study.
        names: Of the parts.
        out: The folder.
        alone: Entered while a file is written, and not where all of them are there and say the same.
    """
    written: dict[str, dict[str, dict[str, Path]]] = {}
    for name in names:
        part = plan.parts[name]
        written[name] = {
            called: {
                method: _write_leaf(plan, method, data, fraction, part.steps, out, alone)
                for method in plan.methods_of(name)
            }
            for called, (data, fraction) in part.sets().items()
        }
    return written


def _write_leaf(
    plan: Plan,
    method: str,
    data: str,
    fraction: str,
    steps: int | None,
    out: Path,
    alone: Callable[[], AbstractContextManager[None]],
) -> Path:
    variant = plan.variants.get(method, Variant(method))
    own_list = variant.labeled is not None
    named = [data, *([] if own_list else [fraction]), *([f"{steps}_steps"] if steps else [])]
    folder = out / "_".join(named)
    folder.mkdir(parents=True, exist_ok=True)
    text = leaf_text(
        variant.method,
        Path(os.path.relpath(plan.folder / f"{data}.py", folder.resolve())).as_posix(),
        bases_from(folder),
        labeled=plan.labeled_of(method, data, fraction),
        settings=variant.settings,
        steps=steps,
    )
    path = folder / f"{method}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        with alone():
            path.write_text(text, encoding="utf-8")
    return path
