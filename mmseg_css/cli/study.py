"""``mmseg-css study``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mmseg_css.cli.options import Balance, Jobs, Seeds
from mmseg_css.extras import check_extra

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
    from mmseg_css.engine.study import Request, run_study

    asked = Request(
        file=file,
        parts=parts or (),
        seeds=seeds or (),
        work_dir=work_dir or Path("work_dirs", file.stem),
        records=records,
        jobs=jobs,
        cluster=cluster,
        cluster_options=cluster_options or (),
        balance=balance,
        report_only=report_only,
    )
    run_study(asked)
