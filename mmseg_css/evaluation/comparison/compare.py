"""The whole comparison: train what is missing, then results, table and figure in the work dir."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmseg_css.cfg_options import parse_options
from mmseg_css.compat.cpu import busy
from mmseg_css.evaluation.comparison import balanced
from mmseg_css.evaluation.comparison.curves import draw_curves
from mmseg_css.evaluation.comparison.lanes import Lanes, TrainingFailedError, locked, told_after
from mmseg_css.evaluation.comparison.progress import Board
from mmseg_css.evaluation.comparison.results import in_common, summarise
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.evaluation.comparison.tables import tables
from mmseg_css.files import read_json, write_text

if TYPE_CHECKING:
    from mmseg_css.evaluation.comparison.cluster import Cluster

#: What a comparison writes.
RESULTS: Final = ("results.json", "results.md", "curves.png")


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds of which one stands there twice.

    Raises:
        ValueError: It does.
    """
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds {' '.join(map(str, seeds))}: a seed that counts twice is no second run")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is compared.

    Attributes:
        configs: Config files by name; the first is the baseline.
        seeds: Seeds of the trainings of each.
        ceiling: The name of the config that knows all labels, with the same network and the same steps.
        block: Neighbouring images that the test over images swaps together (frames of a video).
        evaluations: How often each training is evaluated.
        options: ``KEY=VALUE``, settings of all configs.

    Raises:
        ValueError: A name cannot be that of a folder, a seed stands there twice or among the options, the ceiling is
            none of the configs, or a number is below 1.
    """

    configs: dict[str, Path]
    seeds: Sequence[int] = (0,)
    ceiling: str | None = None
    block: int = 1
    evaluations: int = 8
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        if wrong := [name for name in self.configs if Path("parent", name).name != name]:
            raise ValueError(f"{wrong[0]!r} is no name of a config: a folder is named after it")
        if "randomness.seed" in parse_options(self.options):
            raise ValueError("--cfg-options randomness.seed: each training has its own; choose them with --seeds")
        if self.ceiling is not None and self.ceiling not in self.configs:
            raise ValueError(f"--ceiling {self.ceiling} is none of the configs: {', '.join(self.configs)}")
        for name in ("block", "evaluations"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1, got {getattr(self, name)}")

    def runs(self, work_dir: Path, records: Path | None = None) -> dict[str, list[Run]]:
        """The trainings of each config, in the order of the seeds."""
        sources = {name: Source(config, tuple(self.options)) for name, config in self.configs.items()}
        return {
            name: [
                Run(
                    name=name,
                    source=source,
                    seed=seed,
                    folder=work_dir / f"{name}_seed{seed}",
                    record=(records or work_dir) / f"{name}_seed{seed}",
                    evaluations=self.evaluations,
                )
                for seed in self.seeds
            ]
            for name, source in sources.items()
        }


def compare(
    question: Question, work_dir: Path, *, records: Path | None = None, jobs: int = 1, balance: bool = False
) -> dict[str, Any]:
    """Train what is not finished, and write ``results.json``, ``results.md`` and ``curves.png``.

    Args:
        question: What is compared.
        work_dir: Where runs and results go. A comparison that was stopped goes on there.
        records: Where results and what the runs gave go instead, without weights and logs. A run that stands there is
            finished, wherever it was trained.
        jobs: Trainings side by side; with more than one, each has one thread.
        balance: Also evaluate each with its classes balanced (docs/balance.md).

    Returns:
        What ``results.json`` holds (docs/comparing.md).

    Raises:
        ValueError: A run there has other settings, or a config is none to compare.
        TrainingFailedError: A training failed, or could not be balanced; the results are those of the seeds that the
            others have in common.
        RuntimeError: Another comparison is at work there.
    """
    runs = question.runs(work_dir, records)
    in_order = [run for same_seed in zip(*runs.values(), strict=True) for run in same_seed]
    if jobs == 1 and any(run.finished() is None for run in in_order) and (told := busy()):
        print(told, flush=True)
    with locked(work_dir, records or work_dir):
        try:
            work(in_order, Lanes(jobs), jobs, balance=balance)
        except TrainingFailedError as failed:
            with told_after(failed):
                _report_in_common(question, runs, records or work_dir)
            raise
        return _report(question, runs, records or work_dir)


def work(runs: Sequence[Run], trainer: "Lanes | Cluster", jobs: int, *, balance: bool) -> None:
    """Train what is not finished; then, with ``balance``, evaluate here what is finished with its classes balanced.

    Raises:
        ValueError: A run has other settings, or its config is none to compare.
        TrainingFailedError: A training failed, or could not be balanced; the others were not held up.
    """
    if balance:
        balanced.check_images(runs)
    failed = []
    try:
        with Board(runs, jobs) as board:
            trainer.train(runs, board.done, board.waiting)
    except TrainingFailedError as error:
        failed.append(str(error))
    if balance:
        try:
            # On a cluster ``jobs`` counts machines.
            (trainer if isinstance(trainer, Lanes) else Lanes(1)).balance(runs)
        except TrainingFailedError as error:
            failed.append(str(error))
    if failed:
        raise TrainingFailedError("\n".join(failed))


def _report_in_common(question: Question, runs: Mapping[str, Sequence[Run]], folder: Path) -> None:
    """Of trainings of which some failed."""
    if not (finished := in_common(runs, question.ceiling)):
        print("There are no results: no seed is finished with baseline and ceiling.")
        return
    _report(question, finished, folder)
    if absent := [name for name in runs if name not in finished]:
        print(f"Not in the results, for want of a finished seed in common with the others: {', '.join(absent)}")


def _report(question: Question, runs: Mapping[str, Sequence[Run]], folder: Path) -> dict[str, Any]:
    results = summarise(runs, ceiling=question.ceiling, block=question.block)
    _keep(folder, results)
    write_results(results, folder)
    print(tables(results))
    print(f"written to {folder}: {', '.join(RESULTS)}")
    return results


def _keep(folder: Path, results: Mapping[str, Any]) -> None:
    """Keep results of methods or seeds that the new ones lack, under numbered names."""
    if not (file := folder / RESULTS[0]).exists():
        return
    before = read_json(file, "delete it or move it away, and give the command again; nothing is trained twice")
    if before["methods"].keys() <= results["methods"].keys() and {*before["seeds"]} <= {*results["seeds"]}:
        return
    number = next(number for number in count(1) if not (folder / f"{RESULTS[0]}.~{number}~").exists())
    for name in RESULTS:
        if (folder / name).exists():
            (folder / name).replace(folder / f"{name}.~{number}~")
    print(f"{folder} held results of other methods or seeds, which are now {RESULTS[0]}.~{number}~ and beside it")


def write_results(results: Mapping[str, Any], folder: Path) -> None:
    """``results.json``, ``results.md`` and ``curves.png``, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / RESULTS[0], json.dumps(results, indent=2) + "\n")
    write_text(folder / RESULTS[1], tables(results, markdown=True))
    draw_curves(results, folder / RESULTS[2])
