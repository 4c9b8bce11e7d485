"""Several comparisons whose trainings are shared, and what they say together."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmseg_css.evaluation.comparison.cluster import Cluster
from mmseg_css.evaluation.comparison.compare import write_results
from mmseg_css.evaluation.comparison.progress import Board
from mmseg_css.evaluation.comparison.results import summarise
from mmseg_css.evaluation.comparison.runs import Lanes, Run, locked
from mmseg_css.evaluation.comparison.tables import pooled_table
from mmseg_css.evaluation.json_numbers import without_nan
from mmseg_css.evaluation.statistics import class_iou, holm, load_areas, paired_t_test, rare_classes, sign_flip_test

SCHEMA: Final = 1
#: The trainings of a comparison by method, in the order of the seeds.
Runs = dict[str, list[Run]]


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is compared.

    Attributes:
        parts: Config files by part, data set and method; the baseline is the first of each.
        ceiling: The method that knows all labels.
        seeds: Seeds of the trainings of each.
        blocks: Of data sets that are videos: neighbouring images that the test over images swaps together.
    """

    parts: Mapping[str, Mapping[str, Mapping[str, Path]]]
    ceiling: str
    seeds: Sequence[int]
    blocks: Mapping[str, int]

    def runs(self, work_dir: Path, records: Path) -> dict[str, dict[str, Runs]]:
        """The trainings by part, data set and method. A config that several parts share is trained once."""
        return {
            part: {
                data: {
                    name: [_run(name, config, seed, work_dir, records) for seed in self.seeds]
                    for name, config in configs.items()
                }
                for data, configs in sets.items()
            }
            for part, sets in self.parts.items()
        }


def _run(name: str, config: Path, seed: int, work_dir: Path, records: Path) -> Run:
    place = Path(config.parent.name) / f"{name}_seed{seed}"
    return Run(
        name=f"{config.parent.name} {name}", config=config, seed=seed, folder=work_dir / place, record=records / place
    )


def in_order(runs: Mapping[str, Mapping[str, Runs]]) -> list[Run]:
    """Part by part, and in a part seed by seed; each once."""
    found: dict[Path, Run] = {}
    for sets in runs.values():
        for of_a_seed in zip(*(own for methods in sets.values() for own in methods.values()), strict=True):
            for run in of_a_seed:
                found.setdefault(run.folder, run)
    return list(found.values())


def train(
    runs: Mapping[str, Mapping[str, Runs]],
    work_dir: Path,
    records: Path,
    *,
    jobs: int = 1,
    launcher: Cluster | None = None,
) -> None:
    """Train what is not finished, on this machine or by a launcher; nobody else may write into either folder meanwhile.

    Raises:
        ValueError: A run there has other settings.
        RuntimeError: A training failed, or another study is at work there.
    """
    order = in_order(runs)
    apart = records.resolve() != work_dir.resolve()
    with locked(work_dir), locked(records) if apart else nullcontext(), Board(order, jobs) as board:
        (launcher or Lanes(jobs)).train(order, board.done, board.waiting)


def report(study: Study, runs: Mapping[str, Mapping[str, Runs]], records: Path) -> dict[str, Any]:
    """Write what the finished trainings say: ``study.json`` and ``study.md``, and the results of each comparison.

    A data set counts the seeds of which all its trainings are finished, a part those that all its data sets count.
    Methods of which a part has no finished training yet are left out of it.

    Returns:
        What ``study.json`` holds (docs/comparing.md).
    """
    parts: dict[str, Any] = {}
    text = []
    for part, planned in runs.items():
        sets = _begun(planned, study.ceiling)
        compared = {data: own for data, all_runs in sets.items() if (own := _finished(all_runs))}
        results = {
            data: summarise(own, ceiling=study.ceiling, block=study.blocks.get(data, 1))
            for data, own in compared.items()
        }
        for data, result in results.items():
            write_results(result, records / part.replace(" ", "_") / data)
        common = (
            set.intersection(*({*result["seeds"]} for result in results.values())) if len(results) == len(sets) else {}
        )
        if common:
            together = {data: _of_seeds(own, common) for data, own in compared.items()}
            results = {
                data: results[data] if own == compared[data] else summarise(own, ceiling=study.ceiling)
                for data, own in together.items()
            }
            parts[part] = pool(results, {data: _rare_gains(own) for data, own in together.items()})
            text.append(f"## {part}\n\n{pooled_table(parts[part], markdown=True)}")
    found = {"schema": SCHEMA, "parts": parts}
    records.mkdir(parents=True, exist_ok=True)
    (records / "study.json").write_text(json.dumps(found, indent=2) + "\n")
    (records / "study.md").write_text("\n\n".join(text) + "\n")
    return found


def _begun(sets: Mapping[str, Runs], ceiling: str) -> dict[str, Runs]:
    """Without the methods of which no training is finished on any data set; baseline and ceiling stay."""
    baseline = next(iter(next(iter(sets.values()))))
    begun = {
        name for own in sets.values() for name, runs in own.items() if any(run.finished() is not None for run in runs)
    }
    kept = begun | {baseline, ceiling}
    return {data: {name: runs for name, runs in own.items() if name in kept} for data, own in sets.items()}


def _finished(runs: Runs) -> Runs:
    """The seeds of which all trainings are finished; empty where there is none."""
    whole = [
        seed for seed in range(len(next(iter(runs.values())))) if all(own[seed].finished() for own in runs.values())
    ]
    return {name: [own[seed] for seed in whole] for name, own in runs.items()} if whole else {}


def _of_seeds(runs: Runs, seeds: Collection[int]) -> Runs:
    return {name: [run for run in own if run.seed in seeds] for name, own in runs.items()}


def _rare_gains(runs: Runs) -> dict[str, list[float]]:
    """Of each seed: what each method gains on the third of the classes with the fewest pixels."""
    rare = rare_classes(str(next(iter(runs.values()))[0].record / "areas.npz"))
    of_rare = {
        name: np.array([np.nanmean(class_iou(load_areas(str(run.record / "areas.npz")))[rare]) for run in own])
        for name, own in runs.items()
    }
    base = next(iter(of_rare.values()))
    return {name: (own - base).tolist() for name, own in of_rare.items()}


def pool(results: Mapping[str, Mapping[str, Any]], rare: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """What each method is worth over all data sets: its gains, a pair of trainings of each data set and seed.

    Interval and p are of other seeds on these data sets and lists, not of other data sets.

    Args:
        results: What `summarise` says, by data set.
        rare: Gains on rare classes, by data set, method and seed.
    """
    baseline, ceiling = next(iter(results.values()))["baseline"], next(iter(results.values()))["ceiling"]
    names = [name for name in next(iter(results.values()))["methods"] if name != baseline]
    methods: dict[str, Any] = {}
    for name in names:
        own = {data: result["methods"][name] for data, result in results.items()}
        gains = np.array([gain for method in own.values() for gain in method["gain"]["per_seed"]])
        tested = paired_t_test(gains, np.zeros_like(gains))
        room = np.mean([result["methods"][ceiling]["gain"]["mean"] for result in results.values()])
        methods[name] = {
            "gain": {"mean": tested.mean, "interval": [tested.low, tested.high], "p": sign_flip_test(gains)},
            "pairs": len(gains),
            "gain_per_data_set": {data: method["gain"]["mean"] for data, method in own.items()},
            "headroom": None if name == ceiling or room <= 0 else float(gains.mean() / room),
            "gain_rare": float(np.mean([gain for of_set in rare.values() for gain in of_set[name]])),
            "minutes": float(np.mean([method["minutes"] for method in own.values()])),
            "memory_gib": max(method["memory_gib"] for method in own.values()),
        }
    family = [name for name in names if name != ceiling]
    for name, p in zip(family, holm([methods[name]["gain"]["p"] for name in family]), strict=True):
        methods[name]["gain"]["p_holm"] = p
    seeds = {data: result["seeds"] for data, result in results.items()}
    found: dict[str, Any] = without_nan({"baseline": baseline, "ceiling": ceiling, "seeds": seeds, "methods": methods})
    return found
