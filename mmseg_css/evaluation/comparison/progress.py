"""How far the trainings of a comparison are, while one waits."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Final, NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from mmseg_css.evaluation.comparison.runs import Run

_STEP: Final = re.compile(r"Iter\(train\) \[ *(\d+)/(\d+)\].*?eta: (?:(\d+) days?, )?(\d+):(\d+):(\d+)")
_METRIC: Final = re.compile(r"mIoU: ([\d.]+)")
TAIL: Final = 20_000
#: In the order of the table, and those that have not ended.
KINDS: Final = ("failed", "begun", "finished", "waiting")
TO_GO: Final = ("begun", "waiting")


class Place(NamedTuple):
    """Where a training is, and how many minutes it still takes, by its own account."""

    iteration: int
    total: int
    left: float


class State(NamedTuple):
    """A run at one look: in which of ``KINDS`` it is, its last mIoU, and the minutes of all of it as far as known."""

    run: Run
    kind: str
    place: Place | None
    miou: str
    minutes: float | None

    def row(self) -> tuple[str, ...]:
        iteration, left = self.kind, ""
        if self.kind == "finished":
            left = f"took {self.minutes:.1f} min"
        elif self.kind == "begun" and self.place is not None:
            iteration, left = f"{self.place.iteration} of {self.place.total}", in_words(self.place.left)
        return self.run.name, str(self.run.seed), iteration, self.miou, left


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
        before = Counter(state.kind for state in self._look())  # reads the configs, which no other thread does later
        if self.console.is_terminal:
            self._live.start()
        else:
            self.console.print(
                f"{len(self.runs)} trainings, {before['finished']} of them finished, {self.jobs} at a time"
            )
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
            self.console.print(f"{run.name}, seed {run.seed}: {said}; {self._left(self._look())}", soft_wrap=True)

    def waiting(self) -> None:
        """Called now and then: where no table is drawn, says once how long it will take."""
        if self.console.is_terminal or self._told:
            return
        states = self._look()
        if self._minutes(states) is not None:
            self._told = True
            self.console.print(self._left(states))

    def _look(self) -> list[State]:
        return [_state(run, failed=run in self._failed) for run in self.runs]

    def _left(self, states: Sequence[State]) -> str:
        """How many trainings have not ended, and the minutes until they have."""
        if not (to_go := sum(state.kind in TO_GO for state in states)):
            return f"{len(self._failed)} failed" if self._failed else "all finished"
        minutes = self._minutes(states)
        return f"{to_go} to go" + ("" if minutes is None else f", about {in_words(minutes)}")

    def _minutes(self, states: Sequence[State]) -> float | None:
        """Until all have ended, if that can be said of each: it says so, or takes as long as its like, or as all."""
        durations: dict[str, list[float]] = {}
        for state in states:
            if state.minutes is not None:
                durations.setdefault(state.run.name, []).append(state.minutes)
        every = [minutes for own in durations.values() for minutes in own]
        left = []
        for state in states:
            if state.kind not in TO_GO:
                continue
            if state.place is not None:
                left.append(state.place.left)
            elif alike := durations.get(state.run.name, every):
                left.append(fmean(alike))
            else:
                return None
        return max(sum(left) / self.jobs, *left, 0.0)

    def _table(self) -> Group:
        """What matters first: a terminal that is too low cuts the end off, so the first line counts all."""
        states = sorted(self._look(), key=lambda state: KINDS.index(state.kind))
        counts = Counter(state.kind for state in states)
        title = f"{self._left(states)} ({', '.join(f'{number} {kind}' for kind, number in counts.items())})"
        table = Table("run", "seed", "iteration", "mIoU", "left")
        for state in states:
            table.add_row(*state.row())
        return Group(title, table)


def in_words(minutes: float) -> str:
    """Minutes, at least one, and hours with them; whole hours above a day.

    >>> in_words(0.2), in_words(90), in_words(1470)
    ('1 min', '1 h 30 min', '24 h')
    """
    whole = max(1, round(minutes))
    hours, rest = divmod(whole, 60)
    return f"{whole} min" if hours == 0 else f"{hours} h" + (f" {rest} min" if hours < 24 and rest else "")


def _state(run: Run, *, failed: bool) -> State:
    text = _tail(run.folder / "output.txt")
    miou = _last(_METRIC, text)
    if (finished := run.finished()) is not None:
        return State(run, "finished", None, miou, finished["minutes"])
    begun = (run.folder / "run.json").exists()
    place = _place(text)
    whole = None
    if place is not None and place.iteration < place.total:
        whole = place.left * place.total / (place.total - place.iteration)
    return State(run, "failed" if failed else "begun" if begun else "waiting", place, miou, whole)


def _place(text: str) -> Place | None:
    steps = _STEP.findall(text)
    if not steps:
        return None
    iteration, total, days, hours, minutes, seconds = (int(number or 0) for number in steps[-1])
    return Place(iteration, total, days * 1440 + hours * 60 + minutes + seconds / 60)


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""


def _tail(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as content:
        content.seek(max(0, file.stat().st_size - TAIL))
        return content.read().decode(errors="replace")
