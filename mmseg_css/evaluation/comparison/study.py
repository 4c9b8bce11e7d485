"""Several comparisons whose trainings are shared, and what they say together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmseg_css.evaluation.comparison.cluster import Cluster
from mmseg_css.evaluation.comparison.compare import check_seeds, work, write_results
from mmseg_css.evaluation.comparison.gains import draw_gains
from mmseg_css.evaluation.comparison.lanes import Lanes, locked
from mmseg_css.evaluation.comparison.pooling import pool
from mmseg_css.evaluation.comparison.results import comparable, summarise
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.evaluation.comparison.tables import pooled_table
from mmseg_css.files import read_json, write_text

SCHEMA: Final = 3
REPORT: Final = "study.json"
#: The trainings of a comparison by method, in the order of the seeds.
Runs = dict[str, list[Run]]


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is compared.

    Attributes:
        parts: Config files by part, data set and method; the baseline is the first of each.
        ceiling: The method that knows all labels.
        seeds: Seeds of the trainings, by part.
        blocks: Of data sets that are videos: neighbouring images that the test over images swaps together.

    Raises:
        ValueError: A seed stands there twice.
    """

    parts: Mapping[str, Mapping[str, Mapping[str, Path]]]
    ceiling: str
    seeds: Mapping[str, Sequence[int]]
    blocks: Mapping[str, int]

    def __post_init__(self) -> None:
        for seeds in self.seeds.values():
            check_seeds(seeds)

    def runs(self, work_dir: Path, records: Path) -> dict[str, dict[str, Runs]]:
        """The trainings by part, data set and method. A config that several parts share is trained once."""
        configs = {path for sets in self.parts.values() for own in sets.values() for path in own.values()}
        sources = {path: Source(path) for path in configs}
        return {
            part: {
                data: {
                    name: [_run(name, sources[config], seed, work_dir, records) for seed in self.seeds[part]]
                    for name, config in configs.items()
                }
                for data, configs in sets.items()
            }
            for part, sets in self.parts.items()
        }


def _run(name: str, source: Source, seed: int, work_dir: Path, records: Path) -> Run:
    data = source.path.parent.name
    place = Path(data) / f"{name}_seed{seed}"
    return Run(name=f"{data} {name}", source=source, seed=seed, folder=work_dir / place, record=records / place)


def choose(runs: Mapping[str, Mapping[str, Runs]], seeds: Mapping[str, Sequence[int]]) -> dict[str, dict[str, Runs]]:
    """Of the trainings of a study those of some parts, with these seeds in their order.

    Raises:
        ValueError: A seed stands there twice.
    """
    for own in seeds.values():
        check_seeds(own)
    return {
        part: {
            data: {
                name: [run for seed in own for run in planned if run.seed == seed] for name, planned in methods.items()
            }
            for data, methods in runs[part].items()
        }
        for part, own in seeds.items()
    }


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
    balance: bool = False,
) -> None:
    """Train what is not finished, on this machine or by a launcher; nobody else may write into either folder meanwhile.

    With ``balance`` each is then evaluated here with its classes balanced, too (docs/balance.md); where a launcher
    trains, one after the other.

    Raises:
        ValueError: A run there has other settings, or a config is none to compare.
        TrainingFailedError: A training failed, or could not be balanced; the others were not held up.
        RuntimeError: Another study is at work there.
    """
    order = in_order(runs)
    with locked(work_dir, records):
        work(order, launcher or Lanes(jobs), jobs, balance=balance)


def check_records(runs: Mapping[str, Mapping[str, Runs]]) -> None:
    """Refuse what could not be reported, before anything is trained.

    Raises:
        ValueError: A record, of whichever part, is of other settings, or lacks what the training gave.
    """
    for run in in_order(runs):
        run.finished()


def reported_seeds(records: Path) -> dict[str, set[int]]:
    """By part, those of the last report, which may have been asked for beside the study file's.

    Of all records in the folder that would be too many: parts share trainings, and one may have more seeds than others.
    """
    if not (file := records / REPORT).exists():
        return {}
    last = read_json(file, "put back a copy, or delete it; it is written anew")
    parts = last["parts"] if last.get("schema") == SCHEMA else {}
    return {
        part: {seed for method in pooled["methods"].values() for seeds in method["seeds"].values() for seed in seeds}
        for part, pooled in parts.items()
    }


def report(study: Study, runs: Mapping[str, Mapping[str, Runs]], records: Path) -> dict[str, Any]:
    """Write what the finished trainings say: ``study.json`` and ``study.md``, a picture of the gains of each part, and
    the results of each comparison.

    A part counts each method where it and the baseline are finished. A comparison, of one data set, has the seeds of
    baseline and ceiling, and the methods that are finished with all of these.

    Returns:
        What ``study.json`` holds (docs/comparing.md).
    """
    parts: dict[str, Any] = {}
    for part, sets in runs.items():
        for data, planned in sets.items():
            if own := comparable(planned, study.ceiling):
                result = summarise(own, ceiling=study.ceiling, block=study.blocks.get(data, 1))
                write_results(result, records / part.replace(" ", "_") / data.replace(" ", "_"))
        pooled = pool(sets, study.ceiling)
        if pooled["methods"]:
            parts[part] = pooled
            draw_gains(pooled, records / part.replace(" ", "_") / "gains.png")
    found = {"schema": SCHEMA, "parts": parts}
    text = [f"## {part}\n\n{pooled_table(pooled, markdown=True)}" for part, pooled in parts.items()]
    records.mkdir(parents=True, exist_ok=True)
    write_text(records / REPORT, json.dumps(found, indent=2) + "\n")
    write_text(records / "study.md", "\n\n".join(text or ["No method is finished anywhere."]) + "\n")
    return found
