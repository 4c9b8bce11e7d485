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


class Worth(NamedTuple):
    """mIoU of a training, and its mean over the third of the classes with the fewest pixels."""

    miou: float
    rare: float


class Set(NamedTuple):
    """What is finished on one data set, by method and seed."""

    runs: dict[str, dict[int, Run]]
    worth: dict[str, dict[int, Worth]]

    def by_strength(self) -> dict[str, "Set"]:
        """The same with the classes balanced, as far as that is known, by strength."""
        known = {
            name: {seed: balanced.worth(run, self.worth[name][seed].miou) for seed, run in own.items()}
            for name, own in self.runs.items()
        }
        strengths = {strength for own in known.values() for one in own.values() for strength in one}
        return {
            strength: self._replace(
                worth={
                    name: {seed: Worth(one[strength], np.nan) for seed, one in own.items() if strength in one}
                    for name, own in known.items()
                }
            )
            for strength in strengths
        }

    def gains(self, name: str, over: str, seeds: Sequence[int], part: str = "miou") -> np.ndarray:
        """Of a method over another one, a pair of trainings of each seed."""
        own, base = self.worth[name], self.worth[over]
        return np.array([getattr(own[seed], part) - getattr(base[seed], part) for seed in seeds])

    def pairs(self, name: str, over: str) -> list[tuple[Run, Run]]:
        """Of all seeds in common."""
        return [(self.runs[name][seed], self.runs[over][seed]) for seed in self.in_common(name, over)]

    def in_common(self, *names: str) -> list[int]:
        """Seeds with which all these methods are finished."""
        return sorted(set.intersection(*({*self.worth[name]} for name in names)))


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
    finished = {data: _finished(methods) for data, methods in sets.items()}
    paired = {name: {data: own for data, own in finished.items() if own.in_common(name, baseline)} for name in names}
    methods = {name: _method(name, own, baseline, ceiling) for name, own in paired.items() if own}
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


def _balanced(finished: Mapping[str, Set], baseline: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By strength, gains over the baseline balanced alike, and of the baseline over itself as it was trained; where
    that is known of both. Holm over the methods, for each strength."""
    known = {data: own.by_strength() for data, own in finished.items()}
    found = {}
    for strength in balanced.in_order(strength for own in known.values() for strength in own):
        sets = {data: own[strength] for data, own in known.items() if strength in own}
        gains = {name: gain for name in names if (gain := _gain_at(name, baseline, sets)) is not None}
        _adjust([gain["gain"] for gain in gains.values()])
        itself = None if strength == "0" else _balancing(baseline, sets, finished)
        found[strength] = gains if itself is None else {baseline: itself, **gains}
    return {strength: of_strength for strength, of_strength in found.items() if of_strength}


def _balancing(name: str, after: Mapping[str, Set], before: Mapping[str, Set]) -> dict[str, Any] | None:
    """What balancing itself is worth to a method."""
    gains = {
        data: {seed: worth.miou - before[data].worth[name][seed].miou for seed, worth in own.worth[name].items()}
        for data, own in after.items()
        if own.worth[name]
    }
    if not gains:
        return None
    return {
        "gain": _tested(
            [np.array([*own.values()]) for own in gains.values()],
            [[*own] for own in gains.values()],
            shared=_share_trainings(name, [after[data] for data in gains]),
        ),
        "seeds": {data: [*own] for data, own in gains.items()},
        "gains": {data: [*own.values()] for data, own in gains.items()},
    }


def _gain_at(name: str, baseline: str, sets: Mapping[str, Set]) -> dict[str, Any] | None:
    own = {data: of_set for data, of_set in sets.items() if of_set.in_common(name, baseline)}
    if not own:
        return None
    return {"gain": _difference(name, baseline, own), **_pairs_of(name, baseline, own)}


def _pairs_of(name: str, over: str, sets: Mapping[str, Set]) -> dict[str, Any]:
    """Seeds by data set, and what each pair of trainings gains."""
    seeds = {data: own.in_common(name, over) for data, own in sets.items()}
    return {
        "seeds": seeds,
        "gains": {data: own.gains(name, over, seeds[data]).tolist() for data, own in sets.items()},
    }


def _adjust(tests: Sequence[dict[str, Any]]) -> None:
    """Note p-values adjusted for these tests."""
    for key in ("p", "p_t"):
        for test, adjusted in zip(tests, holm([test[key] for test in tests]), strict=True):
            test[f"{key}_holm"] = adjusted


def _pairs(names: Sequence[str], finished: Mapping[str, Set]) -> list[dict[str, Any]]:
    """Each two of these that are finished somewhere with the same seed, the better one first; Holm over all pairs."""
    found: list[dict[str, Any]] = []
    for first, second in combinations(names, 2):
        if sets := {data: own for data, own in finished.items() if own.in_common(first, second)}:
            pair = (first, second) if _mean(first, second, sets) >= 0 else (second, first)
            found.append(
                {
                    "methods": list(pair),
                    "difference": _difference(*pair, sets),
                    "seeds": {data: own.in_common(*pair) for data, own in sets.items()},
                    "machines_differ": _on_other_machines(*pair, sets),
                }
            )
    _adjust([pair["difference"] for pair in found])
    return found


def _mean(name: str, over: str, sets: Mapping[str, Set], part: str = "miou") -> float:
    """Gain in the mean of the data sets' means."""
    return float(np.mean([own.gains(name, over, own.in_common(name, over), part).mean() for own in sets.values()]))


def _difference(name: str, over: str, sets: Mapping[str, Set]) -> dict[str, Any]:
    """Of two methods, on data sets on which they have seeds in common."""
    seeds = [own.in_common(name, over) for own in sets.values()]
    samples = [own.gains(name, over, of_set) for own, of_set in zip(sets.values(), seeds, strict=True)]
    return _tested(samples, seeds, shared=any(_share_trainings(one, sets.values()) for one in (name, over)))


def _tested(samples: Sequence[np.ndarray], seeds: Sequence[Sequence[int]], *, shared: bool) -> dict[str, Any]:
    """The mean of differences over data sets, by seed where these share trainings, and how sure it is."""
    if shared:
        samples = by_seed(samples, seeds)
    tested = paired_t_test_within(samples)
    return {
        "mean": tested.mean,
        "interval": [tested.low, tested.high],
        "freedom": tested.freedom,
        "p": sign_flip_test(np.concatenate([own / len(own) for own in samples])),
        "least_p": 2 / 2 ** sum(map(len, samples)),
        "p_t": tested.p,
    }


def _finished(methods: Mapping[str, Sequence[Run]]) -> Set:
    """Of one data set."""
    runs = {name: {run.seed: run for run in own if run.finished() is not None} for name, own in methods.items()}
    every = [run for own in runs.values() for run in own.values()]
    check_one_truth(every)
    rare = rare_classes(str(every[0].record / "areas.npz")) if every else []

    def worth(run: Run) -> Worth:
        iou = class_iou(load_areas(str(run.record / "areas.npz")))
        return Worth(float(np.nanmean(iou)), float(np.nanmean(iou[rare])))

    return Set(runs, {name: {seed: worth(run) for seed, run in own.items()} for name, own in runs.items()})


def _method(name: str, sets: Mapping[str, Set], baseline: str, ceiling: str) -> dict[str, Any]:
    """Of one, on the data sets on which it and the baseline have seeds in common."""
    pairs = {data: own.pairs(name, baseline) for data, own in sets.items()}
    noted = [run.finished() or {} for own in pairs.values() for run, _ in own]
    return {
        "gain": _difference(name, baseline, sets),
        "pairs": sum(map(len, pairs.values())),
        **_pairs_of(name, baseline, sets),
        "gain_per_data_set": {data: _mean(name, baseline, {data: own}) for data, own in sets.items()},
        "headroom": None if name == ceiling else _share(name, sets, baseline, ceiling),
        "gain_rare": _mean(name, baseline, sets, "rare"),
        "minutes": float(np.mean([one["minutes"] for one in noted])),
        "memory_gib": float(max(one["memory_gib"] for one in noted)),
        "machines_differ": _on_other_machines(name, baseline, sets),
    }


def _on_other_machines(name: str, over: str, sets: Mapping[str, Set]) -> list[str]:
    """Data sets on which two trainings of one seed ran on different machines."""
    return [data for data, own in sets.items() if any(machines_of(*pair) for pair in own.pairs(name, over))]


def _share_trainings(name: str, sets: Iterable[Set]) -> bool:
    """Whether a training of a method counts on several data sets, as that of a ceiling does which lists share."""
    folders = [run.folder for own in sets for run in own.runs[name].values()]
    return len({*folders}) < len(folders)


def _share(name: str, sets: Mapping[str, Set], baseline: str, ceiling: str) -> dict[str, Any] | None:
    """Share of the headroom, over the pairs of which the ceiling is finished, too; None without one."""
    known = [(own, seeds) for own in sets.values() if (seeds := own.in_common(name, baseline, ceiling))]
    if not known:
        return None
    parts = [[own.gains(which, baseline, seeds) for own, seeds in known] for which in (name, ceiling)]
    if _share_trainings(ceiling, [own for own, _ in known]):
        parts = [by_seed(part, [seeds for _, seeds in known]) for part in parts]
    share = headroom_share_within(*parts)
    return {"share": share.share, "interval": [share.low, share.high]}
