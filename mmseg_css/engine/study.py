"""A call of ``mmseg-css study``: configs are written, what is not finished is trained, and all of it is reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmseg_css.cfg_options import parse_options
from mmseg_css.datasets.checks import check_pretrained
from mmseg_css.engine.estimate import print_duration
from mmseg_css.evaluation.comparison.cluster import Cluster, Where
from mmseg_css.evaluation.comparison.lanes import TrainingFailedError, locked, told_after
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.comparison.study import (
    Runs,
    Study,
    check_records,
    choose,
    in_order,
    report,
    reported_seeds,
    train,
)
from mmseg_css.preparation.study import Plan, check_lists, read_plan, write_leaves


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        file: The study (`read_plan`).
        parts: Which of its parts are trained; all if none is named.
        seeds: With which, if not with the study's.
        work_dir: Where configs, logs and checkpoints go.
        records: Where results and what the trainings gave go, if not into ``records`` there.
        jobs: Trainings side by side.
        cluster: On which other machines; on this one if none is named.
        cluster_options: ``KEY=VALUE``, of submitit's executor.
        balance: Also evaluate each with its classes balanced (docs/balance.md).
        report_only: Train nothing.
    """

    file: Path
    parts: Sequence[str]
    seeds: Sequence[int]
    work_dir: Path
    records: Path | None
    jobs: int
    cluster: Where | None
    cluster_options: Sequence[str]
    balance: bool
    report_only: bool


def run_study(asked: Request) -> None:
    """Train what is asked for and not finished, and write and print what all finished trainings say.

    Raises:
        ValueError: The file is no study, a record is of other settings, or a setting does not fit.
        FileNotFoundError: A list, images or weights that a training needs are missing.
        TrainingFailedError: A training failed; the others were trained and reported.
        RuntimeError: Another study is at work there.
    """
    plan, records = read_plan(asked.file), asked.records or asked.work_dir / "records"
    chosen = {name: asked.seeds or plan.seeds_of(name) for name in _known(asked.parts or [*plan.parts], plan.parts)}
    check_lists(plan, chosen)
    study = planned(plan, asked.seeds, asked.work_dir, records)
    runs = study.runs(asked.work_dir, records)
    check_records(runs)
    if not asked.report_only:
        try:
            _train(choose(runs, chosen), asked, records)
        except TrainingFailedError as failed:
            with told_after(failed):
                _report(study, runs, records)
            raise
    _report(study, runs, records)


def _known(names: Sequence[str], parts: Iterable[str]) -> Sequence[str]:
    if unknown := {*names} - {*parts}:
        raise ValueError(f"--parts {' '.join(sorted(unknown))}: the study has {', '.join(map(repr, parts))}")
    return names


def planned(plan: Plan, seeds: Sequence[int], work_dir: Path, records: Path) -> Study:
    """All parts and seeds, whichever were asked for: what was reported before stays."""
    # Trainings of another study may be about to read theirs.
    configs = write_leaves(plan, plan.parts, work_dir / "configs", alone=lambda: locked(work_dir))
    known = reported_seeds(records)
    every = {name: sorted({*plan.seeds_of(name), *seeds, *known.get(name, ())}) for name in plan.parts}
    return Study(parts=configs, ceiling=plan.ceiling, seeds=every, blocks=plan.block_sizes())


def _train(runs: Mapping[str, Mapping[str, Runs]], asked: Request, records: Path) -> None:
    """What is not finished, after it was said how long that takes."""
    trainer = launcher(asked.cluster, asked.cluster_options, asked.work_dir, asked.jobs)
    look_ahead([run for run in in_order(runs) if run.finished() is None], asked.jobs, here=trainer is None)
    train(runs, asked.work_dir, records, jobs=asked.jobs, launcher=trainer, balance=asked.balance)


def launcher(where: Where | None, options: Sequence[str], work_dir: Path, jobs: int) -> Cluster | None:
    """Who trains on other machines.

    Raises:
        ValueError: There are options, and no machines that they are for.
    """
    if where is None:
        if options:
            raise ValueError("--cluster-options needs --cluster")
        return None
    return Cluster(where=where, folder=work_dir / "jobs", jobs=jobs, parameters=parse_options(options))


def look_ahead(runs: Sequence[Run], jobs: int, *, here: bool) -> None:
    """What would end each of these trainings, and how long they take on this machine."""
    check_inputs(runs)
    if here:
        print_duration([(run.source.path, run.steps_left) for run in runs], jobs)


def check_inputs(runs: Iterable[Run]) -> None:
    """Check, once for all trainings on a data set, that its images and the pretrained weights are there.

    Raises:
        FileNotFoundError: They are not.
    """
    for source in {run.source.path.parent: run.source for run in runs}.values():
        check_pretrained(source.trained.model)
        dataset = source.trained.val_dataloader.dataset
        images = Path(dataset.get("data_root") or "") / dataset.data_prefix.img_path
        if not images.is_dir():
            raise FileNotFoundError(f"{images} is missing: put the data set there (docs/data.md), or choose --parts")


def _report(study: Study, runs: Mapping[str, Mapping[str, Runs]], records: Path) -> None:
    """Write and print what is finished."""
    report(study, runs, records)
    print((records / "study.md").read_text(encoding="utf-8"))
