"""How far the trainings of a comparison are, while one waits."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from mmseg_css.evaluation.comparison.runs import Run

_STEP: Final = re.compile(r"Iter\(train\) \[ *(\d+)/(\d+)\].*?eta: ((?:\d+ days?, )?[\d:]+)")
_METRIC: Final = re.compile(r"mIoU: ([\d.]+)")
TAIL: Final = 20_000


class Board:
    """A live table of all runs on a terminal; elsewhere a line for each run that ends.

    Args:
        runs: The runs.
        jobs: How many are trained at a time, for the time left.
    """

    def __init__(self, runs: Sequence[Run], jobs: int) -> None:
        self.runs = runs
        self.jobs = jobs
        self.console = Console(highlight=False, markup=False)
        self._start = time.perf_counter()
        self._before = sum(run.finished() is not None for run in runs)
        self._live = Live(get_renderable=self._table, console=self.console, refresh_per_second=0.5)

    def __enter__(self) -> "Board":
        if self.console.is_terminal:
            self._live.start()
        else:
            self.console.print(f"{len(self.runs)} trainings, {self._before} of them finished, {self.jobs} at a time")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def done(self, run: Run) -> None:
        """Called when a run has ended."""
        if not self.console.is_terminal:
            finished = run.finished()
            said = "failed" if finished is None else f"finished after {finished['minutes']:.1f} min"
            self.console.print(f"{run.name}, seed {run.seed}: {said}; {self._left()}", soft_wrap=True)

    def _left(self) -> str:
        """Time left, from the time that the finished ones took."""
        finished = sum(run.finished() is not None for run in self.runs)
        new, waiting = finished - self._before, len(self.runs) - finished
        if not waiting:
            return "all finished"
        if not new:
            return f"{waiting} to go"
        minutes = (time.perf_counter() - self._start) / 60 / new * waiting
        return f"{waiting} to go, about {minutes:.0f} min"

    def _table(self) -> Table:
        table = Table("run", "seed", "iteration", "mIoU", "left", title=self._left())
        for run in self.runs:
            table.add_row(run.name, str(run.seed), *_where(run))
        return table


def _where(run: Run) -> tuple[str, str, str]:
    """Iteration, last mIoU and time left of a run, as its output says."""
    if (finished := run.finished()) is not None:
        return "finished", _last(_METRIC, _tail(run.folder / "output.txt")), f"took {finished['minutes']:.1f} min"
    text = _tail(run.folder / "output.txt")
    steps = _STEP.findall(text)
    if not steps:
        return "waits", "", ""
    iteration, total, left = steps[-1]
    return f"{iteration} of {total}", _last(_METRIC, text), left


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""


def _tail(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as content:
        content.seek(max(0, file.stat().st_size - TAIL))
        return content.read().decode(errors="replace")
