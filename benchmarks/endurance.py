"""Train thousands of steps of a tiny network, and see that nothing grows.

    python benchmarks/endurance.py --steps 5000 --json work_dirs/bench/endurance.json

CSS with two workers, checkpoints and validations in between. Resident memory of the process and its workers, open
files, threads and the time of a step are noted all along; the first tenth is left out, and for memory, in which caches
still fill, the first half. Exits with 1 if memory grows by more than 1 kB a step, files or threads by any, or the
median step of the last quarter takes a quarter longer than that of the first.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import mmseg_css  # noqa: F401  (registers)

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measure import write_json  # type: ignore[import-not-found]  # noqa: E402
from tiny import write_tiny  # type: ignore[import-not-found]  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
MAX_BYTES_A_STEP, MAX_SLOWDOWN = 1024, 1.25


class WatchHook(Hook):
    """Notes what the process holds after every so many steps, and how long each step took."""

    priority = "LOWEST"

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.samples: list[tuple[int, int, int, int]] = []
        self.seconds: list[float] = []

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        self.begin = time.perf_counter()

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        self.seconds.append(time.perf_counter() - self.begin)
        if self.every_n_train_iters(runner, self.interval):
            self.samples.append((runner.iter + 1, resident(), files(), threads()))


def family() -> list[str]:
    """This process and its children."""
    own = f"/proc/{os.getpid()}"
    return [own, *(f"/proc/{child}" for child in Path(f"{own}/task/{os.getpid()}/children").read_text().split())]


def resident() -> int:
    """Bytes in memory; pages that a worker shares with its parent count for both."""
    return PAGE * sum(int(Path(process, "statm").read_text().split()[1]) for process in family())


def files() -> int:
    return sum(len(os.listdir(f"{process}/fd")) for process in family())


def threads() -> int:
    return sum(len(os.listdir(f"{process}/task")) for process in family())


def endure(steps: int, folder: Path) -> dict[str, Any]:
    """Train so many steps; the figures."""
    changes = {
        "train_dataloader.num_workers": 2,
        "train_cfg.max_iters": steps,
        "train_cfg.val_interval": max(1, steps // 10),
        "default_hooks.checkpoint.interval": max(1, steps // 20),
    }
    watch = WatchHook(max(1, steps // 100))
    cfg = Config.fromfile(write_tiny("css", folder, changes, name="endurance"))
    cfg.work_dir = str(folder / "work_dir")
    runner = Runner.from_cfg(cfg)
    runner.register_hook(watch)
    begin = time.perf_counter()
    runner.train()
    samples = np.array(watch.samples[len(watch.samples) // 10 :], dtype=np.float64)
    steady = samples[len(samples) // 2 :]
    seconds = np.array(watch.seconds[steps // 10 :])
    quarter = len(seconds) // 4
    first, last = float(np.median(seconds[:quarter])), float(np.median(seconds[-quarter:]))
    return {
        "steps": steps,
        "minutes": (time.perf_counter() - begin) / 60,
        "megabytes": [round(value / 1e6, 1) for value in samples[:: max(1, len(samples) // 10), 1]],
        "bytes_a_step": float(np.polyfit(steady[:, 0], steady[:, 1], 1)[0]),
        "files": [int(samples[0, 2]), int(samples[-1, 2])],
        "threads": [int(samples[0, 3]), int(samples[-1, 3])],
        "step_ms": [1e3 * first, 1e3 * last],
        "step_ms_of_each_tenth": [round(1e3 * float(np.median(part)), 1) for part in np.array_split(seconds, 10)],
    }


def faults(found: dict[str, Any]) -> list[str]:
    """What grows, in words."""
    grown = [f"{name} from {a} to {b}" for name in ("files", "threads") for a, b in [found[name]] if b > a]
    if found["bytes_a_step"] > MAX_BYTES_A_STEP:
        grown.append(f"memory by {found['bytes_a_step']:.0f} bytes a step")
    first, last = found["step_ms"]
    if last > MAX_SLOWDOWN * first:
        grown.append(f"the time of a step from {first:.1f} to {last:.1f} ms")
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--json", type=Path, default=Path("work_dirs/bench/endurance.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = endure(args.steps, Path(folder))
    print(json.dumps(found, indent=2))
    write_json(args.json, found)
    if grown := faults(found):
        sys.exit(f"it grows: {'; '.join(grown)}")


if __name__ == "__main__":
    main()
