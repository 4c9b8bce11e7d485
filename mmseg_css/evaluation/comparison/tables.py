"""The results of a comparison in tables: what the methods are worth, beside each other, too, and the classes."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from prettytable import PrettyTable, TableStyle

PAIRS: Final = (
    "Points of mIoU by which a row's method is above a column's, and p over seeds, adjusted (Holm) for these pairs."
)
BALANCED: Final = (
    "With the classes balanced after the training, by strength (docs/balance.md): mIoU, and the gain over the baseline "
    "at the same strength, or of each training at its best one, chosen on these images; in brackets p over seeds, "
    "adjusted (Holm) by strength."
)
POOLED_BALANCED: Final = (
    "Gains with the classes of both balanced at the same strength (docs/balance.md), or each training at its best one, "
    "chosen on these images, over the pairs of trainings of which that is known; of the baseline what balancing alone "
    "is worth. In brackets p of swaps, adjusted (Holm) for the methods, by strength."
)
POOLED_PAIRS: Final = (
    "Methods beside each other, over the pairs of trainings of one data set and seed that both have; p adjusted (Holm) "
    "for these rows."
)

#: Columns of a method that several tables have. Where there is no ceiling its headroom is null, or not there.
GAIN: Final = {
    "gain": lambda method: _number(method.get("gain", {}).get("mean"), "+.1f"),
    "95 % interval": lambda method: _interval(method.get("gain", {}).get("interval"), "+.1f"),
}
HEADROOM: Final = {
    "share of headroom": lambda method: _number((method.get("headroom") or {}).get("share"), ".0%"),
    "its interval": lambda method: _interval((method.get("headroom") or {}).get("interval"), ".0%"),
}
COST: Final = {
    "minutes": lambda method: f"{method['minutes']:.1f}",
    "GiB": lambda method: f"{method['memory_gib']:.1f}",
}


def tables(results: Mapping[str, Any], *, markdown: bool = False) -> str:
    """A table with a row for each method, one of all pairs of them, one of classes, and what made the runs."""
    seeds = " / ".join(map(str, results["seeds"]))
    parts = [_render(_methods(results), markdown)]
    if results["pairs"] and len(results["seeds"]) > 1:
        parts += [_render(_pairs(results), markdown), PAIRS]
    parts.append(_render(_classes(results), markdown))
    if results.get("balanced"):
        parts += [_render(_by_strength(results["balanced"], results["methods"], _level), markdown), BALANCED]
    note = (
        f"mIoU and IoU in percent, last checkpoint, seeds {seeds}; {_made_with(results)}. Columns: docs/comparing.md."
    )
    if len(results["seeds"]) == 1:
        note += " One training of each says nothing of other trainings: give several --seeds."
    if differ := results.get("machines_differ"):
        note += (
            f" The trainings of seed {' and '.join(map(str, differ))} ran on different machines, one after the "
            "other or each on its own, or with other threads: a difference between them may come from that, and their "
            "minutes compare nothing."
        )
    lengths = {name: method["iterations"] for name, method in results["methods"].items()}
    if len({*lengths.values()}) > 1:
        note += f" Lengths differ: {', '.join(f'{name} {length} iterations' for name, length in lengths.items())}."
    return "\n\n".join([*parts, note]) + "\n"


def pooled_table(pooled: Mapping[str, Any], *, markdown: bool = False) -> str:
    """A row for each method of a part of a study, over its data sets, and on each; one for each two methods."""
    columns = {
        "pairs": lambda method: str(method["pairs"]),
        **GAIN,
        "p of t (Holm)": lambda method: _tested(method["gain"], "p_t"),
        "p of swaps (Holm)": lambda method: _tested(method["gain"], "p"),
        **HEADROOM,
        "gain on rare classes": lambda method: f"{method['gain_rare']:+.1f}",
        **COST,
    }
    methods, sets = pooled["methods"], pooled["data_sets"]
    parts = [_render(_filled({"": list(methods)}, columns, methods.values()), markdown)]
    if len(sets) > 1:
        by_set = PrettyTable(["gain on", *sets])
        for name, method in methods.items():
            by_set.add_row([name, *(_number(method["gain_per_data_set"].get(data), "+.1f") for data in sets)])
        parts.append(_render(by_set, markdown))
    parts.append(" ".join(_pooled_notes(pooled)))
    if balanced := pooled.get("balanced"):
        names = [pooled["baseline"], *methods]
        table = _by_strength(balanced, names, lambda one: _gained(one["gain"], "p_holm"), pairs=_most_pairs)
        parts += [_render(table, markdown), POOLED_BALANCED]
    if pooled["pairs"]:
        parts += [_render(_pooled_pairs(pooled["pairs"]), markdown), POOLED_PAIRS]
    return "\n\n".join(parts)


def _most_pairs(found: Iterable[Mapping[str, Any]]) -> str:
    """Of a method at any strength."""
    return str(max(sum(map(len, one["seeds"].values())) for one in found))


def _pooled_pairs(pairs: Sequence[Mapping[str, Any]]) -> PrettyTable:
    """A row for each two methods of a part of a study."""
    names = {which: [pair["methods"][index] for pair in pairs] for index, which in enumerate(("above", "below"))}
    columns = {
        "pairs": lambda pair: str(sum(map(len, pair["seeds"].values()))),
        "difference": lambda pair: f"{pair['difference']['mean']:+.1f}",
        "95 % interval": lambda pair: _interval(pair["difference"]["interval"], "+.1f"),
        "p of t (Holm)": lambda pair: _tested(pair["difference"], "p_t"),
        "p of swaps (Holm)": lambda pair: _tested(pair["difference"], "p"),
        "other machines": lambda pair: ", ".join(pair["machines_differ"]),
    }
    return _filled(names, columns, pairs)


def _filled(
    first: Mapping[str, list[str]], columns: Mapping[str, Callable[[Any], str]], rows: Iterable[Mapping[str, Any]]
) -> PrettyTable:
    """A table without the columns that are empty: one seed has no interval, without a ceiling there is no headroom."""
    rows = list(rows)
    table = PrettyTable()
    for title, cells in [*first.items(), *((title, [*map(show, rows)]) for title, show in columns.items())]:
        if any(cells):
            table.add_column(title, cells)
    return table


def _pooled_notes(pooled: Mapping[str, Any]) -> Iterable[str]:
    methods, trainings = pooled["methods"], pooled["trainings"]
    yield (
        f"Gains over {pooled['baseline']} in points of mIoU, over pairs of trainings of one data set and seed; "
        f"{trainings['finished']} of {trainings['planned']} trainings are finished. Interval and p of t are of "
        f"Welch's t within data sets ({_freedom(methods)}); p of swaps takes no distribution for granted, and with so "
        f"few pairs cannot be below {_least(methods)}."
    )
    if shared := [name for name, method in methods.items() if method["gain"]["least_p"] > 2 / 2 ** method["pairs"]]:
        yield (
            f"Of {', '.join(shared)}, a training of which several data sets share, all pairs of one seed count as one "
            "in interval and both p, and t is Student's."
        )
    if len({json.dumps(method["seeds"]) for method in methods.values()}) > 1:
        yield (
            "Methods with other pairs than others are means over other trainings: compare them by data set, or in the "
            "last table."
        )
    if differ := {name: method["machines_differ"] for name, method in methods.items() if method["machines_differ"]}:
        of = "; ".join(f"{name} on {', '.join(data)}" for name, data in differ.items())
        yield (
            "Trained on another machine, or with other threads, than their baseline, or one of the two on several: "
            f"{of}. What these gain may come from that in part, and their minutes compare nothing."
        )
    yield f"Made with {_made_with(pooled)}."


def _least(methods: Mapping[str, Any]) -> str:
    """The least p of swaps there can be, and of which methods."""
    named: dict[float, list[str]] = {}
    for name, method in methods.items():
        named.setdefault(method["gain"]["least_p"], []).append(name)
    return "; ".join(
        f"{least:.2g}" + (f" ({', '.join(names)})" if len(named) > 1 else "") for least, names in sorted(named.items())
    )


def _freedom(methods: Mapping[str, Any]) -> str:
    found = sorted({method["gain"]["freedom"] for method in methods.values()} - {0})
    numbers = dict.fromkeys(f"{number:.2g}" for number in found)
    said = [f"{' or '.join(numbers)} degrees of freedom"] if found else []
    if any(not method["gain"]["freedom"] for method in methods.values()):
        said.append("none where a data set has a single pair, or pairs do not differ")
    return "; ".join(said)


def _made_with(results: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {_all(value)}" for key, value in results["made_with"].items())


def _all(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _render(table: PrettyTable, markdown: bool) -> str:
    if markdown:
        table.set_style(TableStyle.MARKDOWN)
    table.align = "r"
    table.align[table.field_names[0]] = "l"
    return table.get_string()


def _methods(results: Mapping[str, Any]) -> PrettyTable:
    columns = {
        "mIoU": lambda method: f"{method['mIoU']:.1f}",
        "by seed": lambda method: _join(method["mIoU_per_seed"]),
        **GAIN,
        "detectable": lambda method: _number(method.get("gain", {}).get("detectable"), ".1f"),
        "p over seeds (Holm)": lambda method: _tested(method.get("gain", {}), "p_seeds"),
        "p over images (Holm)": lambda method: _tested(method.get("gain", {}), "p_images"),
        **HEADROOM,
        **COST,
    }
    methods = results["methods"]
    return _filled({"": list(methods)}, columns, methods.values())


def _pairs(results: Mapping[str, Any]) -> PrettyTable:
    """The better methods first: a row's mIoU less a column's."""
    names = list(dict.fromkeys(name for pair in results["pairs"] for name in pair["methods"]))
    cells = {
        tuple(pair["methods"]): f"{pair['difference']:+.1f} ({_p(pair['p_seeds_holm'])})" for pair in results["pairs"]
    }
    table = PrettyTable(["above", *names[1:]])
    for name in names[:-1]:
        table.add_row([name, *(cells.get((name, other), "") for other in names[1:])])
    return table


def _classes(results: Mapping[str, Any]) -> PrettyTable:
    methods = results["methods"]
    table = PrettyTable(["IoU", *methods])
    for name in next(iter(methods.values()))["IoU"]:
        table.add_row([name, *(_number(method["IoU"][name], ".1f") for method in methods.values())])
    return table


def _by_strength(
    balanced: Mapping[str, Mapping[str, Any]],
    names: Iterable[str],
    show: Callable[[Mapping[str, Any]], str],
    **beside: Callable[[Iterable[Mapping[str, Any]]], str],
) -> PrettyTable:
    """A row for each method of which it is known, with a column for each strength, and before these what is said of all
    of them."""
    table = PrettyTable(["strength", *beside, *balanced])
    for name in names:
        cells = [of_strength.get(name) for of_strength in balanced.values()]
        if found := [one for one in cells if one is not None]:
            of_all = (say(found) for say in beside.values())
            table.add_row([name, *of_all, *("" if one is None else show(one) for one in cells)])
    return table


def _level(one: Mapping[str, Any]) -> str:
    """mIoU, and the gain of a method that has one."""
    return f"{one['mIoU']:.1f}" + (f", {_gained(one['gain'], 'p_seeds_holm')}" if "gain" in one else "")


def _gained(gain: Mapping[str, Any], key: str) -> str:
    """Of the baseline, and of one seed, there is no p."""
    return f"{gain['mean']:+.1f}" + ("" if gain.get(key) is None else f" ({_p(gain[key])})")


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def _interval(bounds: Sequence[float | None] | None, form: str) -> str:
    if bounds is None or bounds[0] is None or bounds[1] is None:
        return ""
    return f"{bounds[0]:{form}} to {bounds[1]:{form}}"


def _tested(gain: Mapping[str, Any], key: str) -> str:
    adjusted = gain.get(f"{key}_holm")
    return _p(gain.get(key)) + ("" if adjusted is None else f" ({_p(adjusted)})")


def _p(value: float | None) -> str:
    return "< 0.0001" if value is not None and value < 0.00005 else _number(value, ".4f")


def _join(values: Iterable[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)
