"""End short runs at random moments, resume them, and compare what they end with, bit by bit.

    python benchmarks/soak.py --json work_dirs/bench/soak.json      # two runs of every method, 5 kills each

Every method and the supervised baseline are trained in one process, and with 2 workers and accumulated gradients, with
augmentation, dropout and bfloat16; once without interruption and once ended by SIGKILL, SIGTERM and a full disk in
turn, at random moments of training, saving and validation. Both must agree in the hashes of all parts of the last
checkpoint, and in every loss, anchor count and metric logged. Exits with 1 if not.
"""

import argparse
import errno
import hashlib
import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import mmseg_css  # noqa: F401  (registers)
from mmseg_css.cli.main import call
from mmseg_css.preparation.leaves import METHODS
from mmseg_css.registry import HOOKS

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measure import write_json  # type: ignore[import-not-found]  # noqa: E402
from tiny import write_tiny  # type: ignore[import-not-found]  # noqa: E402

ITERATIONS, CHECKPOINTS, VALIDATIONS, ANCHORS = 48, 4, 12, 6  # anchors are logged between two checkpoints, too
FULL_DISK = "full disk"
ENDS = ("SIGKILL", "SIGTERM", FULL_DISK)
#: How a process ends then; each may come after its last iteration.
EXITS = {"SIGKILL": {-signal.SIGKILL, 0}, "SIGTERM": {128 + signal.SIGTERM, 0}, FULL_DISK: {1, 0}}
NOT_COMPARED = {"time", "data_time", "memory", "step", "iter"}
started = multiprocessing.get_context("fork").Event()


@HOOKS.register_module()
class SayStartedHook(Hook):
    """Tells the parent that training has begun."""

    priority = "LOWEST"

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if not started.is_set():
            started.set()


def fill_disk(after: int) -> None:
    """Let nothing be flushed to the disk any more after so many times."""
    flush, calls = os.fsync, itertools.count()

    def fsync(file: int) -> None:
        if next(calls) >= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(file)

    os.fsync = fsync


def train(config: Path, work_dir: Path, flushes: int | None = None) -> None:
    if flushes is not None:
        fill_disk(flushes)
    with open(work_dir / "output.txt", "a") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    torch.set_num_threads(1)
    call(["train", str(config), "--work-dir", str(work_dir), "--resume", "--amp"])


def run(config: Path, work_dir: Path, seconds: float | None = None, end: str = "", flushes: int | None = None) -> float:
    """Train in a process of its own: to the end, for so many seconds from its first iteration on, or for so many
    flushes to the disk.

    Returns the seconds that it trained.

    Raises:
        RuntimeError: It ended otherwise than it was told to.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    started.clear()
    # A forked process has everything imported.
    process = multiprocessing.get_context("fork").Process(target=train, args=(config, work_dir, flushes))
    process.start()
    while process.is_alive() and not started.wait(0.1):
        pass
    begin = time.monotonic()
    process.join(seconds)
    expected = {0} if flushes is None else EXITS[end]
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.Signals[end])
        process.join()
        expected = EXITS[end]
    if process.exitcode not in expected:
        output = (work_dir / "output.txt").read_text()
        raise RuntimeError(f"a training ended with {process.exitcode}, expected {expected}: {output[-3000:]}")
    return time.monotonic() - begin


def hashes(checkpoint: Path) -> dict[str, str]:
    """SHA-256 of every part of a checkpoint that training goes on from."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state = content["state_dict"]
    names = sorted({name.split(".")[0] for name in state})
    parts = {name: {k: v for k, v in state.items() if k.split(".")[0] == name} for name in names}
    parts |= {"optimizer": content["optimizer"], "schedulers": content["param_schedulers"]}
    return {name: hashlib.sha256("\n".join(leaves(part)).encode()).hexdigest() for name, part in parts.items()}


def leaves(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, torch.Tensor):
        content = node.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        yield f"{path} {node.dtype} {tuple(node.shape)} {hashlib.sha256(content).hexdigest()}"
    elif isinstance(node, dict | list | tuple):
        children = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in children:
            yield from leaves(child, f"{path}.{key}")
    else:
        yield f"{path} {node!r}"


def logged(work_dir: Path) -> dict[tuple[int, str], set[float]]:
    """Every value logged, by step and name; what measures time or memory is left out."""
    values: dict[tuple[int, str], set[float]] = {}
    for path in work_dir.rglob("scalars.json"):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # the line that a kill cut off
                continue
            for name, value in entry.items():
                if name not in NOT_COMPARED:
                    values.setdefault((entry["step"], name), set()).add(value)
    return values


def write_config(method: str, workers: int, folder: Path, iterations: int, accumulate: int) -> Path:
    """A training in the small that saves, validates and logs often."""
    changes = {
        "train_dataloader.num_workers": workers,
        "train_dataloader.persistent_workers": workers > 0,
        "train_cfg.max_iters": iterations,
        "train_cfg.val_interval": VALIDATIONS,
        "default_hooks.checkpoint.interval": CHECKPOINTS,
        "default_hooks.logger.interval": 1,
        "optim_wrapper.accumulative_counts": accumulate,
        "custom_imports.allow_failed_imports": True,
    }
    config = write_tiny(method, folder, changes, name=f"{method}-{workers}" + "-accumulated" * (accumulate > 1))
    cfg = Config.fromfile(config)
    diagnostics = [] if method == "supervised" else [{"type": "DiagnosticsHook", "log_interval": ANCHORS}]
    cfg.custom_hooks = [*diagnostics, {"type": "SayStartedHook"}]
    cfg.dump(config)
    return config


def soak(
    method: str, workers: int, kills: int, folder: Path, seed: int, iterations: int = ITERATIONS, accumulate: int = 1
) -> dict:
    """One run without and one with kills; what differs between them, and what happened."""
    config = write_config(method, workers, folder, iterations, accumulate)
    whole, killed = folder / f"{config.stem}-whole", folder / f"{config.stem}-killed"
    duration = run(config, whole)
    rng = random.Random(f"{seed} {config.stem}")
    events = []
    for number in range(kills):
        end = ENDS[number % len(ENDS)]
        if end == FULL_DISK:
            run(config, killed, end=end, flushes=rng.randrange(2 * iterations // CHECKPOINTS // kills + 1))
        else:
            run(config, killed, rng.uniform(0, duration / kills), end)
        saved = [int(path.stem.removeprefix("iter_")) for path in killed.glob("iter_*.pth")]
        events.append(f"{end} (then at {max(saved, default=0)})")
    run(config, killed)

    last = f"iter_{iterations}.pth"
    one, other = hashes(whole / last), hashes(killed / last)
    differing = [name for name in one if one[name] != other[name]]
    log, resumed_log = logged(whole), logged(killed)
    keys = sorted(log.keys() | resumed_log.keys())
    differing += [f"{name} at {step}" for step, name in keys if log.get((step, name)) != resumed_log.get((step, name))]
    about = {"method": method, "workers": workers, "accumulate": accumulate}
    return {**about, "kills": events, "values": len(log), "differing": differing} | one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5, help="of each run")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", type=Path, default=Path("work_dirs/bench/soak.json"))
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    results = []
    for method, (workers, accumulate) in itertools.product(METHODS, ((0, 1), (2, 2))):
        found = soak(method, workers, args.kills, folder, args.seed, accumulate=accumulate)
        results.append(found)
        verdict = f"DIFFERS in {', '.join(found['differing'][:5])}" if found["differing"] else "the same"
        print(
            f"{method}, {workers} workers, {accumulate} batches a step: {', '.join(found['kills'])}: {verdict}",
            flush=True,
        )
    write_json(args.json, results)
    different = any(found["differing"] for found in results)
    if different:
        sys.exit(f"runs that were killed ended otherwise; they are left in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
