"""Trainings in processes of their own, several side by side, none of them twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Final

from filelock import FileLock, Timeout
from tqdm import tqdm

from mmseg_css.evaluation.comparison import balanced
from mmseg_css.evaluation.comparison.machine import at_a_time, devices, made_with
from mmseg_css.evaluation.comparison.runs import Run, unfinished
from mmseg_css.locations import python_path

PATIENCE: Final = 10.0  # seconds
#: So that glibc keeps the memory that a step frees for the next one, in large pages: otherwise it gives it back, and
#: asks the system for it again, thousands of times a step (docs/performance.md). Other C libraries look at none of it.
KEEP_MEMORY: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class TrainingFailedError(RuntimeError):
    """A training failed, or could not be balanced; the others were not held up."""


@contextmanager
def told_after(failed: TrainingFailedError) -> Iterator[None]:
    """What goes wrong in the report of the others does not hide which training failed."""
    try:
        yield
    except Exception:
        print(f"error: {failed}", file=sys.stderr, flush=True)
        raise


@dataclass
class Lanes:
    """Trains runs, ``jobs`` at a time; with more than one each has one thread.

    Where there are several GPUs, trainings side by side take turns on them.

    A run that was stopped goes on from its last checkpoint. What it prints goes to ``output.txt`` in its folder. Who
    ends us ends them, too: each that has begun saves a checkpoint first.
    """

    jobs: int = 1
    _devices: SimpleQueue[str] = field(default_factory=SimpleQueue)
    _processes: dict[int, subprocess.Popen] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False

    def train(self, runs: Iterable[Run], done: Callable[[Run], None], waiting: Callable[[], None]) -> None:
        """Train what is not finished; call ``done`` after each, and ``waiting`` now and then.

        Raises:
            TrainingFailedError: A training failed; the others were trained.
            ValueError: A folder holds a run of other settings, or a config is none to compare; nothing was trained.
        """
        wanted = unfinished(runs)
        # Configs are read before the first start: Python's parser fails now and then where two threads use it.
        commands = [run.command() for run in wanted]
        if wanted and (cores := at_a_time(self.jobs)) < self.jobs:
            print(f"{self.jobs} trainings side by side are slower than {cores}, the cores of this machine")
        failed = []

        def ended(run: Run, why: str | None) -> None:
            if why is not None:
                failed.append(f"the training of {run.source.path} with seed {run.seed} failed: {why}")
            done(run)

        self._side_by_side(self._train, zip(wanted, commands, strict=True), ended, waiting)
        if failed:
            raise TrainingFailedError("\n".join(failed))

    def balance(self, runs: Iterable[Run]) -> None:
        """Evaluate finished runs with their classes balanced, where that is not known and the checkpoint is there.

        Raises:
            TrainingFailedError: One could not be evaluated; the others were.
        """
        found = [(run, run.last_checkpoint()) for run in balanced.missing(runs)]
        wanted = [(run, balanced.command(run, checkpoint)) for run, checkpoint in found if checkpoint is not None]
        if absent := [f"{run.name} with seed {run.seed}" for run, checkpoint in found if checkpoint is None]:
            print(f"Not balanced, because their last checkpoints are not here: {', '.join(absent)}")
        failed = []
        with tqdm(desc="balancing", total=len(wanted), unit="training", disable=not wanted) as progress:

            def ended(run: Run, why: str | None) -> None:
                if why is not None:
                    failed.append(f"{run.source.path} with seed {run.seed} could not be balanced: {why}")
                progress.update()

            self._side_by_side(self._balance, wanted, ended, progress.refresh)
        if failed:
            raise TrainingFailedError("\n".join(failed))

    def _side_by_side(
        self,
        work: Callable[[Run, list[str]], str | None],
        wanted: Iterable[tuple[Run, list[str]]],
        ended: Callable[[Run, str | None], None],
        waiting: Callable[[], object],
    ) -> None:
        """Work on runs, so many at a time; call ``ended`` with each and why it failed, and ``waiting`` now and then."""
        self._devices = _turns(self.jobs)
        with ThreadPoolExecutor(self.jobs) as pool, ended_in_order():
            try:
                futures = {pool.submit(work, run, command): run for run, command in wanted}
                pending = set(futures)
                while pending:
                    over, pending = wait(pending, PATIENCE, FIRST_COMPLETED)
                    for future in over:
                        ended(futures[future], future.result())
                    waiting()
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    with suppress(OSError):  # our terminal may be what ended
                        print(
                            "stopped; trainings that had begun have a checkpoint: the same command goes on", flush=True
                        )
                raise

    def _train(self, run: Run, command: list[str]) -> str | None:
        """Why the training failed, if it did: whatever it was, the others go on."""
        try:
            with self._reading:
                changed = run.source.read_settings() != run.source.settings
            if changed:  # what is noted would not be what was trained
                return f"{run.source.path} was changed while this training waited: start again"
            made = run.begin(made_with(self.jobs))  # now: the clone may have other commits when the training ends
            why, peak_gib = self._ended(run, command)
            if why is not None:
                return why
            curve = json.loads((run.folder / "curve.json").read_text())
            last = curve[-1]
            if last["iteration"] != run.iterations:  # a loop that does not evaluate once more what was stopped there
                return f"evaluated after {last['iteration']} of {run.iterations} iterations last"
            # Of all its parts; on a CPU of the last one.
            memory = max((point["gpu_gib"] for point in curve if "gpu_gib" in point), default=peak_gib)
            run.finish({"minutes": last["minutes"], "memory_gib": memory, "made_with": made})
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _balance(self, run: Run, command: list[str]) -> str | None:
        """Why the evaluation failed, if it did."""
        try:
            why, _ = self._ended(run, command)
            if why is None:
                balanced.check(run)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return why

    def _ended(self, run: Run, command: list[str]) -> tuple[str | None, float]:
        """Why a process for a run failed, if it did, and its peak memory."""
        before = output.stat().st_size if (output := run.folder / "output.txt").exists() else 0
        with self._on_a_device() as device:
            status, peak_gib = self._process(run, command, device)
        return (_last_words(run, status, before) if status != 0 else None), peak_gib

    @contextmanager
    def _on_a_device(self) -> Iterator[str | None]:
        """A GPU that no other training beside this one uses, or one that the fewest do; None where there are no two."""
        if self._devices.empty():
            yield None
            return
        device = self._devices.get()
        try:
            yield device
        finally:
            self._devices.put(device)

    def _process(self, run: Run, command: list[str], device: str | None) -> tuple[int, float]:
        """Exit status and peak memory of the training, on a GPU of its own if one is named, when it has ended."""
        environment = {**KEEP_MEMORY, **os.environ, **python_path()}
        if self.jobs > 1:
            environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        if device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = device
        with (run.folder / "output.txt").open("a") as output:
            # A session of its own, so that Ctrl-C reaches only us, who let it save a checkpoint.
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._processes[process.pid] = process
        if self._stopping:
            process.terminate()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        del self._processes[process.pid]
        return process.returncode, usage.ru_maxrss / 2**20

    def _stop(self) -> None:
        self._stopping = True
        for pid in list(self._processes):
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGTERM)


def _turns(jobs: int) -> SimpleQueue[str]:
    """A GPU for each of so many trainings side by side; none where there are no two."""
    turns: SimpleQueue[str] = SimpleQueue()
    if len(named := devices()) > 1:
        for lane in range(jobs):
            turns.put(named[lane % len(named)])
    return turns


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM, and the end of our terminal, raise an exception here: otherwise we would leave the trainings behind.

    Raises:
        RuntimeError: This is Windows, where the end of a terminal and of a process is told in other ways.
    """
    if os.name == "nt":
        raise RuntimeError(
            "compare, study and demo start their trainings on Linux and macOS alone, and this is Windows: take the "
            "Windows Subsystem for Linux (WSL), or train each config by itself with mmseg-css train"
        )
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:  # nohup
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _last_words(run: Run, status: int, before: int) -> str:
    """What ended a training, or what it printed last, after so many bytes of earlier attempts."""
    output = run.folder / "output.txt"
    if status < 0:
        killed = signal.Signals(-status).name
        remedy = " (the system's remedy where memory runs out: fewer --jobs)" if killed == "SIGKILL" else ""
        return f"it was ended by {killed}{remedy}; the same command goes on. All it printed is in {output}"
    last = output.read_bytes()[before:].decode(errors="replace").strip().splitlines()[-1:]
    return f"{last[0] if last else 'it printed nothing'} (all of it in {output})"


@contextmanager
def locked(*folders: Path) -> Iterator[None]:
    """Keep folders to oneself; one that is named twice is one.

    Raises:
        RuntimeError: Another comparison is at work in one.
    """
    with ExitStack() as stack:
        for folder in {folder.resolve(): folder for folder in folders}.values():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(FileLock(folder / ".lock", timeout=0))
            except Timeout:
                raise RuntimeError(
                    f"another comparison is at work in {folder}: wait for it, or name another --work-dir"
                ) from None
        yield
