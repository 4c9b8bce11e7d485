"""The trainings of a study as jobs of a cluster, through submitit, an extra."""

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from mmseg_css.evaluation.comparison.lanes import Lanes, TrainingFailedError, ended_in_order
from mmseg_css.evaluation.comparison.runs import Run, unfinished
from mmseg_css.extras import check_extra
from mmseg_css.locations import import_from_here, python_path

#: Where jobs run: under Slurm, or as processes of this machine, which is for trying it.
Where = Literal["slurm", "local"]
#: Seconds between two looks at the jobs.
PATIENCE: Final = 2.0
#: In minutes: how long a training may take unless its ``timeout_min`` is given.
DAY: Final = 24 * 60


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Trains runs as jobs, ``jobs`` of an array at a time, in the place of `Lanes`.

    The folders must be on a disk that all machines see. A job that ends before its training does, by the limit of its
    time say, has failed; started again, the study goes on from the last checkpoint of each.

    Args:
        where: ``slurm`` or ``local``.
        folder: Where submitit keeps its files.
        jobs: How many run at the same time.
        parameters: Of submitit's executor, e.g. ``timeout_min``, ``cpus_per_task``, ``slurm_partition``.
    """

    where: Where
    folder: Path
    jobs: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def train(self, runs: Sequence[Run], done: Callable[[Run], None], waiting: Callable[[], None]) -> None:
        """Train what is not finished; call ``done`` after each, and ``waiting`` now and then.

        Raises:
            ModuleNotFoundError: submitit is missing.
            TrainingFailedError: A training failed; the others were trained.
            ValueError: A folder holds a run of other settings, or a config is none to compare; nothing was trained.
        """
        executor = self._executor()
        wanted = unfinished(runs)  # whose settings are known now: a job starts later, and refuses to train other ones
        pending: dict[Any, Run] = {}
        failed = []
        with ended_in_order():
            try:
                while wanted or pending:
                    pending |= self._submit(executor, wanted, self.jobs - len(pending))
                    ended = [job for job in pending if job.done()]
                    for job in ended:
                        run = pending.pop(job)
                        if (error := job.exception()) is not None:
                            failed.append(f"the job {job.job_id} of {run.name}, seed {run.seed}: {error}")
                        done(run)
                    waiting()
                    if pending and not ended:
                        time.sleep(PATIENCE)
            except BaseException:
                for job in pending:
                    job.cancel()
                raise
        if failed:
            raise TrainingFailedError("\n".join(failed))

    def _submit(self, executor: Any, wanted: list[Run], room: int) -> dict[Any, Run]:
        """Start what may be started now: under Slurm all, which limits an array itself."""
        started = wanted[:] if self.where == "slurm" else wanted[: max(0, room)]
        del wanted[: len(started)]
        return dict(zip(executor.map_array(_train, started), started, strict=True)) if started else {}

    def _executor(self) -> Any:
        check_extra("cluster", f"--cluster {self.where}", "submitit")
        import submitit

        executor = submitit.AutoExecutor(self.folder, cluster=self.where, **{f"{self.where}_python": _python()})
        defaults = {"name": "mmseg-css", "timeout_min": DAY, "slurm_array_parallelism": self.jobs}
        executor.update_parameters(**{**defaults, **self.parameters})
        return executor


def _python() -> str:
    """What starts Python in a job: this package, which a clone in the current folder does not take the place of."""
    found = [f"{name}={value}" for name, value in python_path().items()]
    return shlex.join([*(["env", *found] if found else []), sys.executable, "-P"])


def _train(run: Run) -> None:
    """In the job."""
    import_from_here()
    Lanes(1).train([run], done=lambda _: None, waiting=lambda: None)
