"""The trainings of a comparison: each in a process of its own, several side by side, none of them twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, Final

from filelock import FileLock, Timeout
from mmengine.config import Config

from mmseg_css.cfg_options import merge_options, parse_options
from mmseg_css.config_files import read_config
from mmseg_css.evaluation.comparison.machine import made_with
from mmseg_css.evaluation.comparison.settings import differing, fingerprints
from mmseg_css.locations import PACKAGE

PATIENCE: Final = 10.0  # seconds
GIVEN: Final = ("curve.json", "areas.npz")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: a config, a seed, options of the command line, and the folder that holds it.

    Attributes:
        name: What the config is called in this comparison.
        config: The config file.
        seed: ``randomness.seed``.
        folder: Its work dir, which also gets ``output.txt``.
        record: The folder that gets what it gave, in some kilobytes: ``run.json``, ``curve.json`` and ``areas.npz``.
        options: ``KEY=VALUE``, settings of the config.
        evaluations: How often it is evaluated, the end included, as far as that divides its iterations.
    """

    name: str
    config: Path
    seed: int
    folder: Path
    record: Path
    options: tuple[str, ...] = ()
    evaluations: int = 8

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What makes the run what it is, as it was when this was first asked."""
        return self.read_settings()

    def read_settings(self) -> dict[str, Any]:
        """The same as the files say it now."""
        return {**fingerprints(self._cfg().to_dict()), "options": list(self.options), "seed": self.seed}

    def _cfg(self) -> Config:
        return read_config(self.config)

    def _trained(self) -> Config:
        """With the options."""
        cfg = self._cfg()
        merge_options(cfg, parse_options(self.options))
        return cfg

    @property
    def iterations(self) -> int:
        return self._iterations(self._trained())

    def _iterations(self, cfg: Config) -> int:
        if cfg.train_cfg.get("max_epochs") is not None:
            raise ValueError(f"{self.config}: a comparison counts iterations; set train_cfg.max_iters, not max_epochs")
        return cfg.train_cfg.max_iters

    def command(self) -> list[str]:
        """What is started."""
        cfg = self._trained()
        total = self._iterations(cfg)
        interval = total // max(n for n in range(1, self.evaluations + 1) if total % n == 0)
        return [
            *(sys.executable, "-m", "mmseg_css", "train", str(self.config)),
            *("--work-dir", str(self.folder), "--resume", "--cfg-options"),
            f"randomness.seed={self.seed}",
            "val_evaluator.type=PerImageIoUMetric",
            f"val_evaluator.areas_file={self.folder / 'areas.npz'}",
            "default_hooks.curve.type=CurveHook",
            f"default_hooks.curve.file={self.folder / 'curve.json'}",
            f"train_cfg.val_interval={interval}",
            *self._checkpoints(cfg, interval),
            *self.options,
        ]

    @staticmethod
    def _checkpoints(cfg: Config, interval: int) -> list[str]:
        """What is killed, and cannot save what it has learned, loses little.

        A checkpoint is written before the evaluation of its iteration, and one that is a step late holds that.
        """
        own = cfg.get("default_hooks", {}).get("checkpoint")
        counts = cfg.get("optim_wrapper", {}).get("accumulative_counts", 1)  # iterations of a step
        late = (interval // counts + 1) * counts
        if own is None or 0 < own.get("interval", -1) <= late:
            return []
        return [f"default_hooks.checkpoint.interval={late}", "default_hooks.checkpoint.max_keep_ckpts=2"]

    def made_with(self) -> dict[str, Any]:
        """What a finished run was made with, as far as it noted that."""
        noted: dict[str, Any] = (self.finished() or {}).get("made_with", {})
        return noted

    def finished(self) -> dict[str, Any] | None:
        """Minutes, memory and what it was made with if the run is finished.

        Raises:
            ValueError: The folder, or that of the record, holds a run of other settings.
        """
        for place in (self.record, self.folder):
            if (file := place / "run.json").exists():
                known = json.loads(file.read_text())
                if other := differing(known["settings"], self.settings):
                    raise ValueError(
                        f"{place} holds a run of another config, seed or image list, or of other options, than "
                        f"{self.config} ({', '.join(other)}): name another --work-dir and --records, or delete it"
                    )
                if known["finished"] and place != self.record:  # before records were asked for
                    self.finish(known["finished"])
                return known["finished"]
        return None

    def begin(self) -> None:
        """Write down whose folder it is."""
        self._note(self.folder, None)

    def finish(self, finished: dict[str, Any]) -> None:
        """Write down that the run is finished, and what it gave."""
        if self.record != self.folder:
            self.record.mkdir(parents=True, exist_ok=True)
            for name in GIVEN:
                shutil.copyfile(self.folder / name, self.record / name)
        self._note(self.record, finished)

    def _note(self, place: Path, finished: dict[str, Any] | None) -> None:
        place.mkdir(parents=True, exist_ok=True)
        file, part = place / "run.json", place / "run.json.part"
        part.write_text(json.dumps({"settings": self.settings, "finished": finished}, indent=2) + "\n")
        part.replace(file)  # at once: the board of the comparison reads it meanwhile


@dataclass
class Lanes:
    """Trains runs, ``jobs`` at a time; with more than one each has one thread.

    A run that was stopped goes on from its last checkpoint. What it prints goes to ``output.txt`` in its folder. Who
    ends us ends them, too: each that has begun saves a checkpoint first.
    """

    jobs: int = 1
    _processes: dict[int, subprocess.Popen] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False

    def train(self, runs: Iterable[Run], done: Callable[[Run], None], waiting: Callable[[], None]) -> None:
        """Train what is not finished; call ``done`` after each, and ``waiting`` now and then.

        Raises:
            RuntimeError: A training failed; the others were trained.
            ValueError: A folder holds a run of other settings; nothing was trained.
        """
        wanted = [run for run in runs if run.finished() is None]
        # Configs are read before the first start: Python's parser fails now and then where two threads use it.
        commands = [run.command() for run in wanted]
        for run in wanted:
            run.settings  # noqa: B018  (read once and kept)
        failed = []
        with ThreadPoolExecutor(self.jobs) as pool, ended_in_order():
            futures = {}
            try:
                for run, command in zip(wanted, commands, strict=True):
                    futures[pool.submit(self._train, run, command)] = run
                pending = set(futures)
                while pending:
                    ended, pending = wait(pending, PATIENCE, FIRST_COMPLETED)
                    failed += [futures[future] for future in ended if future.result()]
                    for future in ended:
                        done(futures[future])
                    waiting()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise
        if failed:
            raise RuntimeError("\n".join(map(_why, failed)))

    def _train(self, run: Run, command: list[str]) -> int:
        environment = dict(os.environ)
        # So that a clone works without being installed.
        path = [str(PACKAGE.parent), *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(path)
        if self.jobs > 1:
            environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        run.folder.mkdir(parents=True, exist_ok=True)
        with (run.folder / "output.txt").open("a") as output:
            with self._reading:
                changed = run.read_settings() != run.settings
            if changed:  # what is noted would not be what was trained
                print(f"{run.config} was changed while this training waited: start again", file=output)
                return 1
            run.begin()
            made = made_with(self.jobs)  # now: the clone may have other commits when the training ends
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
        if process.returncode == 0:
            last = json.loads((run.folder / "curve.json").read_text())[-1]
            if last["iteration"] != run.iterations:  # a loop that does not evaluate once more what was stopped there
                with (run.folder / "output.txt").open("a") as output:
                    print(f"evaluated after {last['iteration']} of {run.iterations} iterations last", file=output)
                return 1
            memory = last.get("gpu_gib", usage.ru_maxrss / 2**20)
            run.finish({"minutes": last["minutes"], "memory_gib": memory, "made_with": made})
        return process.returncode

    def _stop(self) -> None:
        self._stopping = True
        for process in list(self._processes.values()):
            os.kill(process.pid, signal.SIGTERM)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM, and the end of our terminal, raise an exception here: otherwise we would leave the trainings behind."""
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


def _why(run: Run) -> str:
    output = run.folder / "output.txt"
    last = output.read_text(errors="replace").strip().splitlines()[-1:]
    return f"the training of {run.config} with seed {run.seed} failed: {''.join(last)} (all of it in {output})"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder to oneself.

    Raises:
        RuntimeError: Another comparison is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise RuntimeError(
            f"another comparison is at work in {folder}: wait for it, or name another --work-dir"
        ) from None
