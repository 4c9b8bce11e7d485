"""``mmseg-css study``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from mmseg_css.cli.options import Balance, Jobs, Seeds
from mmseg_css.extras import check_extra

if TYPE_CHECKING:
    from mmseg_css.evaluation.comparison.cluster import Cluster
    from mmseg_css.evaluation.comparison.lanes import TrainingFailedError
    from mmseg_css.evaluation.comparison.runs import Run
    from mmseg_css.evaluation.comparison.study import Runs, Study
    from mmseg_css.preparation.study import Plan

Parts = Annotated[
    list[str] | None, Parameter(name="--parts", consume_multiple=True, help="Parts of the study; all otherwise.")
]
JobsOrLanes = Annotated[
    Jobs,
    Parameter(help="Trainings side by side; with more than one, each has one thread. On a cluster, jobs at a time."),
]
ClusterName = Annotated[
    Literal["slurm", "local"] | None, Parameter(help="Train on other machines than this one; local is for trying that.")
]
ClusterOptions = Annotated[
    list[str] | None,
    Parameter(
        consume_multiple=True,
        help="KEY=VALUE ...: of submitit's executor, e.g. timeout_min=120 cpus_per_task=8 slurm_partition=gpu.",
    ),
]


WorkDirOfStudy = Annotated[
    Path | None, Parameter(help="Where configs, logs and checkpoints go; work_dirs/NAME_OF_THE_FILE otherwise.")
]


def command(
    file: Path,
    /,
    *,
    parts: Parts = None,
    seeds: Seeds = None,
    work_dir: WorkDirOfStudy = None,
    records: Path | None = None,
    jobs: JobsOrLanes = 1,
    cluster: ClusterName = None,
    cluster_options: ClusterOptions = None,
    balance: Balance = False,
    report_only: bool = False,
) -> None:
    """Train methods on several data sets, and say what each is worth over all of them. See docs/comparing.md.

    Says first how long it will take here. What is finished is not trained again, and what was stopped goes on.

    Args:
        file: What is trained, as configs/evidence/study.py says it.
        records: Where results and what the trainings gave go instead, to go on from on another machine.
        report_only: Train nothing, and write what the finished trainings say.
    """
    check_extra("compare", "mmseg-css study", "matplotlib", "scipy", "statsmodels")
    import mmseg_css.register  # noqa: F401
    from mmseg_css.evaluation.comparison.study import check_records
    from mmseg_css.preparation.study import check_lists, read_plan

    plan, work_dir = read_plan(file), work_dir or Path("work_dirs", file.stem)
    chosen = {name: seeds or plan.seeds_of(name) for name in _known(parts or list(plan.parts), plan.parts)}
    check_lists(plan, chosen)
    records = records or work_dir / "records"
    study = _study(plan, seeds, work_dir, records)
    runs = study.runs(work_dir, records)
    check_records(runs)
    failed = None
    if not report_only:
        asked = replace(study, parts={name: study.parts[name] for name in chosen}, seeds=chosen)
        failed = _train(asked, work_dir, records, jobs, launcher(cluster, cluster_options, work_dir, jobs), balance)
    _report(study, runs, records, failed)


def _report(
    study: "Study", runs: "dict[str, dict[str, Runs]]", records: Path, failed: "TrainingFailedError | None"
) -> None:
    """Write and print what is finished; a training that failed is raised then."""
    from mmseg_css.evaluation.comparison.lanes import told_after
    from mmseg_css.evaluation.comparison.study import report

    with told_after(failed):
        report(study, runs, records)
    print((records / "study.md").read_text())
    if failed is not None:
        raise failed


def _study(plan: "Plan", seeds: Sequence[int] | None, work_dir: Path, records: Path) -> "Study":
    """All parts and seeds, whichever were asked for: what was reported before stays."""
    from mmseg_css.evaluation.comparison.lanes import locked
    from mmseg_css.evaluation.comparison.study import Study, reported_seeds
    from mmseg_css.preparation.study import write_leaves

    # Trainings of another study may be about to read theirs.
    configs = write_leaves(plan, plan.parts, work_dir / "configs", alone=lambda: locked(work_dir))
    known = reported_seeds(records)
    every = {name: sorted({*plan.seeds_of(name), *(seeds or ()), *known.get(name, ())}) for name in plan.parts}
    return Study(parts=configs, ceiling=plan.ceiling, seeds=every, blocks=plan.block_sizes())


def _train(
    study: "Study", work_dir: Path, records: Path, jobs: int, trainer: "Cluster | None", balance: bool
) -> "TrainingFailedError | None":
    """What is not finished, after it was said how long that takes; what failed, if anything did."""
    from mmseg_css.evaluation.comparison.lanes import TrainingFailedError
    from mmseg_css.evaluation.comparison.study import in_order, train

    runs = study.runs(work_dir, records)
    _look_ahead([run for run in in_order(runs) if run.finished() is None], jobs, here=trainer is None)
    try:
        train(runs, work_dir, records, jobs=jobs, launcher=trainer, balance=balance)
    except TrainingFailedError as error:
        return error
    return None


def launcher(
    where: Literal["slurm", "local"] | None, options: Sequence[str] | None, work_dir: Path, jobs: int
) -> "Cluster | None":
    """Who trains on other machines."""
    from mmseg_css.cfg_options import parse_options
    from mmseg_css.evaluation.comparison.cluster import Cluster

    if where is None:
        if options:
            raise ValueError("--cluster-options needs --cluster")
        return None
    return Cluster(where=where, folder=work_dir / "jobs", jobs=jobs, parameters=parse_options(options or ()))


def _known(names: Sequence[str], parts: Iterable[str]) -> Sequence[str]:
    if unknown := {*names} - {*parts}:
        raise ValueError(f"--parts {' '.join(sorted(unknown))}: the study has {', '.join(map(repr, parts))}")
    return names


def _look_ahead(runs: "list[Run]", jobs: int, *, here: bool) -> None:
    """What would end each of these trainings, and how long they take on this machine."""
    from mmseg_css.engine.estimate import print_duration

    _check_inputs(runs)
    if here:
        print_duration([(run.source.path, run.steps_left) for run in runs], jobs)


def _check_inputs(runs: "list[Run]") -> None:
    """Check, once for all trainings on a data set, that its images and the pretrained weights are there.

    Raises:
        FileNotFoundError: They are not.
    """
    from mmseg_css.config_files import read_config
    from mmseg_css.datasets.checks import check_pretrained

    for config in {run.source.path.parent: run.source.path for run in runs}.values():
        cfg = read_config(config)
        check_pretrained(cfg.model)
        dataset = cfg.val_dataloader.dataset
        images = Path(dataset.get("data_root") or "") / dataset.data_prefix.img_path
        if not images.is_dir():
            raise FileNotFoundError(f"{images} is missing: put the data set there (docs/data.md), or choose --parts")
