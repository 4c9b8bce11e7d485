"""What methods are worth over several data sets."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from mmseg_css.evaluation.areas import class_iou, load_areas, rare_classes
from mmseg_css.evaluation.comparison import balanced
from mmseg_css.evaluation.comparison.machine import together
from mmseg_css.evaluation.comparison.results import check_one_truth, machines_of
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.json_numbers import without_nan
from mmseg_css.evaluation.statistics import by_seed, headroom_share_within, holm, paired_t_test_within, sign_flip_test

#: What trainings are worth, or gain, by data set and seed.
BySeed = Mapping[str, Mapping[int, float]]


class Finished(NamedTuple):
    """The trainings that are finished, by method, data set and seed, and what they are worth.

    Attributes:
        runs: The trainings.
        miou: Their mIoU.
        rare: The mean IoU over the third of the classes with the fewest pixels.
        balanced: By strength, mIoU with the classes balanced, as far as that is known.
    """

    runs: dict[str, dict[str, dict[int, Run]]]
    miou: dict[str, dict[str, dict[int, float]]]
    rare: dict[str, dict[str, dict[int, float]]]
    balanced: dict[str, dict[str, dict[str, dict[int, float]]]]


def pool(sets: Mapping[str, Mapping[str, Sequence[Run]]], ceiling: str) -> dict[str, Any]:
    """What each method is worth over all data sets: its gains, a pair of trainings of each data set and seed.

    Every data set counts the same, however many pairs it has. Interval and p are of other seeds on these data sets and
    lists, not of other data sets.

    Args:
        sets: Trainings by data set and method, the baseline first; those that are not finished do not count.
        ceiling: The method that knows all labels.

    Raises:
        ValueError: Trainings on a data set were evaluated with different masks.
    """
    baseline, *names = next(iter(sets.values()))
    finished = _finished(sets)
    methods = {
        name: _method(name, finished, baseline, ceiling)
        for name in names
        if difference(finished.miou[name], finished.miou[baseline])
    }
    compared = [name for name in methods if name != ceiling]
    _adjust([methods[name]["gain"] for name in compared])
    # A ceiling that several lists share is one training.
    trainings = {run.folder: run for of_set in sets.values() for own in of_set.values() for run in own}
    made = [run.made_with() for run in trainings.values() if run.finished() is not None]
    found: dict[str, Any] = without_nan(
        {
            "baseline": baseline,
            "ceiling": ceiling,
            "data_sets": list(sets),
            "trainings": {"finished": len(made), "planned": len(trainings)},
            "made_with": together(made),
            "methods": methods,
            "pairs": _pairs(compared, finished),
            "balanced": _balanced(finished, baseline, compared),
        }
    )
    return found


def difference(ours: BySeed, theirs: BySeed) -> dict[str, dict[int, float]]:
    """Ours minus theirs, of each pair of trainings of one data set and seed; data sets without a pair are left out.

    >>> difference({"x": {0: 3.0, 1: 5.0}, "y": {0: 1.0}}, {"x": {1: 4.0}, "y": {}})
    {'x': {1: 1.0}}
    """
    found = {
        data: {seed: own[seed] - theirs[data][seed] for seed in sorted(own.keys() & theirs[data].keys())}
        for data, own in ours.items()
        if data in theirs
    }
    return {data: own for data, own in found.items() if own}


def _balanced(finished: Finished, baseline: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By strength, gains over the baseline balanced alike, and of the baseline over itself as it was trained; where
    that is known of both. Holm over the methods, for each strength."""
    found = {}
    for strength in balanced.in_order(finished.balanced):
        miou = finished.balanced[strength]
        base = miou.get(baseline, {})
        gains = {name: own for name in names if (own := difference(miou.get(name, {}), base))}
        known = {name: _gain(own, finished, name, baseline) for name, own in gains.items()}
        _adjust([one["gain"] for one in known.values()])
        if strength != "0" and (own := difference(base, finished.miou[baseline])):
            known = {baseline: _gain(own, finished, baseline), **known}
        found[strength] = known
    return {strength: of_strength for strength, of_strength in found.items() if of_strength}


def _gain(gains: BySeed, finished: Finished, *names: str) -> dict[str, Any]:
    """The gain over data sets, and by data set seeds and what each pair of trainings, of these methods, gains."""
    return {
        "gain": _tested(gains, finished, *names),
        "seeds": {data: [*own] for data, own in gains.items()},
        "gains": {data: [*own.values()] for data, own in gains.items()},
    }


def _adjust(tests: Sequence[dict[str, Any]]) -> None:
    """Note p-values adjusted for these tests."""
    for key in ("p", "p_t"):
        for test, adjusted in zip(tests, holm([test[key] for test in tests]), strict=True):
            test[f"{key}_holm"] = adjusted


def _pairs(names: Sequence[str], finished: Finished) -> list[dict[str, Any]]:
    """Each two of these that are finished somewhere with the same seed, the better one first; Holm over all pairs."""
    found: list[dict[str, Any]] = []
    for first, second in combinations(names, 2):
        if gains := difference(finished.miou[first], finished.miou[second]):
            pair = (first, second) if _mean(gains) >= 0 else (second, first)
            gains = difference(*(finished.miou[name] for name in pair))
            found.append(
                {
                    "methods": list(pair),
                    "difference": _tested(gains, finished, *pair),
                    "seeds": {data: [*own] for data, own in gains.items()},
                    "machines_differ": _on_other_machines(gains, finished, *pair),
                }
            )
    _adjust([pair["difference"] for pair in found])
    return found


def _mean(gains: BySeed) -> float:
    """The mean of the data sets' means."""
    return float(np.mean([own.mean() for own in _samples(gains)]))


def _samples(gains: BySeed) -> list[np.ndarray]:
    return [np.array([*own.values()]) for own in gains.values()]


def _tested(gains: BySeed, finished: Finished, *names: str) -> dict[str, Any]:
    """The mean of gains over data sets and how sure it is; by seed, where trainings of these methods are shared."""
    samples = _samples(gains)
    if any(_share_trainings(name, gains, finished) for name in names):
        samples = by_seed(samples, [[*own] for own in gains.values()])
    tested = paired_t_test_within(samples)
    return {
        "mean": tested.mean,
        "interval": [tested.low, tested.high],
        "freedom": tested.freedom,
        "p": sign_flip_test(np.concatenate([own / len(own) for own in samples])),
        "least_p": 2 / 2 ** sum(map(len, samples)),
        "p_t": tested.p,
    }


def _finished(sets: Mapping[str, Mapping[str, Sequence[Run]]]) -> Finished:
    found = Finished({}, {}, {}, {})
    for data, planned in sets.items():
        runs = {name: [run for run in own if run.finished() is not None] for name, own in planned.items()}
        every = [run for own in runs.values() for run in own]
        check_one_truth(every)
        rare = rare_classes(str(every[0].record / "areas.npz")) if every else []
        for name, own in runs.items():
            iou = {run.seed: class_iou(load_areas(str(run.record / "areas.npz"))) for run in own}
            found.runs.setdefault(name, {})[data] = {run.seed: run for run in own}
            found.miou.setdefault(name, {})[data] = {seed: float(np.nanmean(one)) for seed, one in iou.items()}
            found.rare.setdefault(name, {})[data] = {seed: float(np.nanmean(one[rare])) for seed, one in iou.items()}
        known = balanced.known(runs, {name: found.miou[name][data] for name in runs})
        for strength, methods in known.items():
            for name, miou in methods.items():
                found.balanced.setdefault(strength, {}).setdefault(name, {})[data] = miou
    return found


def _method(name: str, finished: Finished, baseline: str, ceiling: str) -> dict[str, Any]:
    """Of one, on the data sets on which it and the baseline have seeds in common."""
    gains = difference(finished.miou[name], finished.miou[baseline])
    noted = [finished.runs[name][data][seed].finished() or {} for data, own in gains.items() for seed in own]
    gain = _gain(gains, finished, name, baseline)
    return {
        "gain": gain.pop("gain"),
        "pairs": len(noted),
        **gain,
        "gain_per_data_set": {data: _mean({data: own}) for data, own in gains.items()},
        "headroom": None if name == ceiling else _share(gains, finished, baseline, ceiling),
        "gain_rare": _mean(difference(finished.rare[name], finished.rare[baseline])),
        "minutes": float(np.mean([one["minutes"] for one in noted])),
        "memory_gib": float(max(one["memory_gib"] for one in noted)),
        "machines_differ": _on_other_machines(gains, finished, name, baseline),
    }


def _on_other_machines(gains: BySeed, finished: Finished, *names: str) -> list[str]:
    """Data sets on which two trainings of one seed ran on different machines."""
    return [
        data
        for data, seeds in gains.items()
        if any(machines_of(*(finished.runs[name][data][seed] for name in names)) for seed in seeds)
    ]


def _share_trainings(name: str, data_sets: Iterable[str], finished: Finished) -> bool:
    """Whether a training of a method counts on several data sets, as that of a ceiling does which lists share."""
    folders = [run.folder for data in data_sets for run in finished.runs[name][data].values()]
    return len({*folders}) < len(folders)


def _share(gains: BySeed, finished: Finished, baseline: str, ceiling: str) -> dict[str, Any] | None:
    """Share of the headroom, over the pairs of which the ceiling is finished, too; None without one."""
    rooms = difference(finished.miou[ceiling], finished.miou[baseline])
    seeds = {data: sorted(gains[data].keys() & rooms[data].keys()) for data in gains if data in rooms}
    known = {data: own for data, own in seeds.items() if own}
    if not known:
        return None
    parts = [[np.array([part[data][seed] for seed in own]) for data, own in known.items()] for part in (gains, rooms)]
    if _share_trainings(ceiling, known, finished):
        parts = [by_seed(part, [*known.values()]) for part in parts]
    share = headroom_share_within(*parts)
    return {"share": share.share, "interval": [share.low, share.high]}
