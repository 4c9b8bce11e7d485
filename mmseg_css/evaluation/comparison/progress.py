"""How far the trainings of a comparison are, while one waits."""

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Final, NamedTuple

from rich.console import Console
from rich.live import Live
from rich.table import Table

from mmseg_css.evaluation.comparison.runs import Run

_STEP: Final = re.compile(r"Iter\(train\) \[ *(\d+)/(\d+)\].*?eta: (?:(\d+) days?, )?(\d+):(\d+):(\d+)")
_METRIC: Final = re.compile(r"mIoU: ([\d.]+)")
TAIL: Final = 20_000


class Place(NamedTuple):
    """Where a training is, and how many minutes it still takes, by its own account."""

    iteration: int
    total: int
    left: float


class Board:
    """A live table of all runs on a terminal; elsewhere the time it will take, and a line for each run that ends.

    Args:
        runs: The runs.
        jobs: How many are trained at a time, for the time left.
    """

    def __init__(self, runs: Sequence[Run], jobs: int) -> None:
        self.runs = runs
        self.jobs = jobs
        self.console = Console(highlight=False, markup=False)
        self._told = False
        self._failed: set[Run] = set()
        self._live = Live(get_renderable=self._table, console=self.console, refresh_per_second=0.5)

    def __enter__(self) -> "Board":
        if self.console.is_terminal:
            self._live.start()
        else:
            before = sum(run.finished() is not None for run in self.runs)
            self.console.print(f"{len(self.runs)} trainings, {before} of them finished, {self.jobs} at a time")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def done(self, run: Run) -> None:
        """Called when a run has ended."""
        finished = run.finished()
        if finished is None:
            self._failed.add(run)
        if not self.console.is_terminal:
            said = "failed" if finished is None else f"finished after {finished['minutes']:.1f} min"
            self.console.print(f"{run.name}, seed {run.seed}: {said}; {self._left()}", soft_wrap=True)

    def waiting(self) -> None:
        """Called now and then: where no table is drawn, says once how long it will take."""
        if not self.console.is_terminal and not self._told and self._minutes() is not None:
            self._told = True
            self.console.print(self._left())

    def _left(self) -> str:
        """How many trainings have not ended, and the minutes until they have."""
        if not (waiting := self._waiting()):
            return f"{len(self._failed)} failed" if self._failed else "all finished"
        minutes = self._minutes()
        return f"{len(waiting)} to go" + ("" if minutes is None else f", about {minutes:.0f} min")

    def _waiting(self) -> list[Run]:
        return [run for run in self.runs if run not in self._failed and run.finished() is None]

    def _minutes(self) -> float | None:
        """Until all have ended, if that can be said of each."""
        known = []
        for run in self._waiting():
            if (minutes := self._left_of(run)) is None:
                return None
            known.append(minutes)
        return max(sum(known) / self.jobs, *known, 0.0)

    def _left_of(self, run: Run) -> float | None:
        """Minutes until a run is finished: it says so itself, or takes as long as others of its config, or as all."""
        if (place := _place(run)) is not None:
            return place.left
        durations = {other: minutes for other in self.runs if (minutes := _duration(other)) is not None}
        alike = [minutes for other, minutes in durations.items() if other.name == run.name]
        return fmean(alike or durations.values()) if durations else None

    def _table(self) -> Table:
        table = Table("run", "seed", "iteration", "mIoU", "left", title=self._left())
        for run in self.runs:
            table.add_row(run.name, str(run.seed), *_where(run))
        return table


def _where(run: Run) -> tuple[str, str, str]:
    """Iteration, last mIoU and time left of a run, as its output says."""
    if (finished := run.finished()) is not None:
        return "finished", _last(_METRIC, _tail(run.folder / "output.txt")), f"took {finished['minutes']:.1f} min"
    place = _place(run)
    if place is None:
        return "waits", "", ""
    metric = _last(_METRIC, _tail(run.folder / "output.txt"))
    return f"{place.iteration} of {place.total}", metric, f"{place.left:.0f} min"


def _place(run: Run) -> Place | None:
    steps = _STEP.findall(_tail(run.folder / "output.txt"))
    if not steps:
        return None
    iteration, total, days, hours, minutes, seconds = (int(number or 0) for number in steps[-1])
    return Place(iteration, total, days * 1440 + hours * 60 + minutes + seconds / 60)


def _duration(run: Run) -> float | None:
    """Minutes of the whole training, as far as they can be known."""
    if (finished := run.finished()) is not None:
        return finished["minutes"]
    place = _place(run)
    if place is None or place.iteration >= place.total:
        return None
    return place.left * place.total / (place.total - place.iteration)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""


def _tail(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as content:
        content.seek(max(0, file.stat().st_size - TAIL))
        return content.read().decode(errors="replace")
