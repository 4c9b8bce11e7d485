"""What methods are worth over several data sets."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmseg_css.evaluation.comparison.results import check_one_truth, machines_of, together
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.json_numbers import without_nan
from mmseg_css.evaluation.statistics import (
    class_iou,
    holm,
    load_areas,
    paired_t_test_within,
    rare_classes,
    sign_flip_test,
)


class Worth(NamedTuple):
    """mIoU of a training, and its mean over the third of the classes with the fewest pixels."""

    miou: float
    rare: float


#: By seed.
Finished = dict[int, Run]


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
    finished = {data: _finished(methods) for data, methods in sets.items()}
    worth = {data: _worth(of_set) for data, of_set in finished.items()}
    baseline, *names = next(iter(sets.values()))
    pairs = {
        name: {data: both for data, own in worth.items() if (both := sorted({*own[name]} & {*own[baseline]}))}
        for name in names
    }
    methods = {name: _method(name, own, baseline, ceiling, finished, worth) for name, own in pairs.items() if own}
    family = [name for name in methods if name != ceiling]
    for name, p in zip(family, holm([methods[name]["gain"]["p"] for name in family]), strict=True):
        methods[name]["gain"]["p_holm"] = p
    trainings = [run for of_set in sets.values() for own in of_set.values() for run in own]
    made = [run.made_with() for run in trainings if run.finished() is not None]
    found: dict[str, Any] = without_nan(
        {
            "baseline": baseline,
            "ceiling": ceiling,
            "data_sets": list(sets),
            "trainings": {"finished": len(made), "planned": len(trainings)},
            "made_with": together(made),
            "methods": methods,
        }
    )
    return found


def _finished(methods: Mapping[str, Sequence[Run]]) -> dict[str, Finished]:
    """Of one data set."""
    found = {name: {run.seed: run for run in own if run.finished() is not None} for name, own in methods.items()}
    check_one_truth([run for own in found.values() for run in own.values()])
    return found


def _worth(methods: Mapping[str, Finished]) -> dict[str, dict[int, Worth]]:
    """Of the trainings on one data set."""
    files = [str(run.record / "areas.npz") for own in methods.values() for run in own.values()]
    rare = rare_classes(files[0]) if files else []

    def worth(run: Run) -> Worth:
        iou = class_iou(load_areas(str(run.record / "areas.npz")))
        return Worth(float(np.nanmean(iou)), float(np.nanmean(iou[rare])))

    return {name: {seed: worth(run) for seed, run in own.items()} for name, own in methods.items()}


def _method(
    name: str,
    pairs: Mapping[str, Sequence[int]],
    baseline: str,
    ceiling: str,
    finished: Mapping[str, Mapping[str, Finished]],
    worth: Mapping[str, Mapping[str, Mapping[int, Worth]]],
) -> dict[str, Any]:
    def over_baseline(which: str, data: str, seeds: Sequence[int], part: str = "miou") -> np.ndarray:
        own, base = worth[data][which], worth[data][baseline]
        return np.array([getattr(own[seed], part) - getattr(base[seed], part) for seed in seeds])

    gains = {data: over_baseline(name, data, seeds) for data, seeds in pairs.items()}
    tested = paired_t_test_within(list(gains.values()))
    weighted = np.concatenate([own / len(own) for own in gains.values()])
    runs = [finished[data][name][seed] for data, seeds in pairs.items() for seed in seeds]
    noted = [run.finished() or {} for run in runs]
    return {
        "gain": {"mean": tested.mean, "interval": [tested.low, tested.high], "p": sign_flip_test(weighted)},
        "pairs": len(weighted),
        "seeds": {data: list(seeds) for data, seeds in pairs.items()},
        "gain_per_data_set": {data: float(own.mean()) for data, own in gains.items()},
        "headroom": None if name == ceiling else _share(pairs, worth, name, baseline, ceiling),
        "gain_rare": float(np.mean([over_baseline(name, data, seeds, "rare").mean() for data, seeds in pairs.items()])),
        "minutes": float(np.mean([one["minutes"] for one in noted])),
        "memory_gib": float(max(one["memory_gib"] for one in noted)),
        "machines_differ": [
            data
            for data, seeds in pairs.items()
            if any(machines_of(finished[data][name][seed], finished[data][baseline][seed]) for seed in seeds)
        ],
    }


def _share(
    pairs: Mapping[str, Sequence[int]],
    worth: Mapping[str, Mapping[str, Mapping[int, Worth]]],
    name: str,
    baseline: str,
    ceiling: str,
) -> float | None:
    """Share of the headroom, over the pairs of which the ceiling is finished, too; None if it may be zero."""
    gains, rooms = [], []
    for data, seeds in pairs.items():
        own, base, top = (worth[data][one] for one in (name, baseline, ceiling))
        known = [seed for seed in seeds if seed in top]
        if known:
            gains.append(np.array([own[seed].miou - base[seed].miou for seed in known]))
            rooms.append(np.array([top[seed].miou - base[seed].miou for seed in known]))
    if not rooms:
        return None
    room = paired_t_test_within(rooms)
    if room.mean <= 0 or room.low <= 0:
        return None
    return float(np.mean([own.mean() for own in gains]) / room.mean)
