"""Time and peak memory of a call, each case in a process of its own, on the GPU where there is one; and their file."""

import ctypes
import gc
import json
import multiprocessing
import platform
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests/reference, and a clone that is not installed

import torch

from mmseg_css.evaluation.comparison.machine import COMPUTES, commit_of, made_with
from mmseg_css.files import write_text

#: A case's arguments make the call that is measured.
Case = Callable[..., Callable[[], object]]
MIB = 2**20
LINUX_STATUS = Path("/proc/self/status")


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def machine(*, threads: int | None = None, side_by_side: int = 1) -> dict[str, Any]:
    """What the figures were measured with: versions, commit, processor, and threads of each process, unless ours."""
    clone = Path(__file__).resolve().parents[1]
    return made_with(jobs=1) | {
        "commit": commit_of(clone, (*COMPUTES, "benchmarks")),
        "threads": threads or torch.get_num_threads(),
        "side_by_side": side_by_side,
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def write_json(path: Path, figures: Any) -> None:
    """A benchmark's file."""
    write_text(path, json.dumps(figures, indent=2) + "\n")


def peak_mib() -> float:
    """The most memory so far, or since `forget_peak`."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / MIB
    if LINUX_STATUS.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", LINUX_STATUS.read_text())[1]) / 1024
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / 1024 if sys.platform != "darwin" else kib / MIB


def forget_peak() -> None:
    """Let the peak be what is in use now. (On Linux a process even starts with its parent's.)"""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    elif LINUX_STATUS.exists():
        LINUX_STATUS.with_name("clear_refs").write_text("5")


def give_back() -> None:
    """Let memory that nothing uses any more count as free."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another libc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def timed(call: Callable[[], object]) -> float:
    """Seconds until the result is there, of nothing but this call."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _measure(case: Case, arguments: tuple[Any, ...], repeats: int) -> tuple[float, float]:
    call = case(*arguments)
    forget_peak()
    before = peak_mib()
    seconds = [timed(call) for _ in range(repeats + 1)]
    return statistics.median(seconds[1:]), peak_mib() - before  # without the first, which warms up


def measure_alone(case: Case, *arguments: Any, repeats: int = 3, limit_s: float = 1200) -> tuple[float, float] | None:
    """Median seconds, and peak MiB above what was there before; None where memory or the time limit falls short."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            return pool.apply_async(_measure, (case, arguments, repeats)).get(timeout=limit_s)
        except (RuntimeError, MemoryError, multiprocessing.TimeoutError):
            return None
