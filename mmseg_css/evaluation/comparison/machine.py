"""What a run was made with."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from mmseg_css.cores import cores
from mmseg_css.locations import CLONE
from mmseg_css.version import __version__

#: What of a clone a training depends on.
COMPUTES: Final = ("mmseg_css", "configs", "tools", "requirements")


def made_with(jobs: int) -> dict[str, Any]:
    """Version, commit and machine, and the threads of each training."""
    return {
        "version": __version__,
        "commit": None if CLONE is None else commit_of(CLONE),  # or an environment's own repository would answer
        "torch": torch.__version__,
        "processor": _processor(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),  # the machine's, whatever part of it was ours: records of one machine stay alike
        "threads": 1 if jobs > 1 else torch.get_num_threads(),
        "side_by_side": jobs,
    }


def together(noted: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all runs, or all parts of one, were made with; a list where they differ, as far as they noted it."""
    found: dict[str, list[Any]] = {}
    for one in noted:
        for key, value in one.items():
            own = found.setdefault(key, [])
            own += [each for each in (value if isinstance(value, list) else [value]) if each not in own]
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def at_a_time(jobs: int) -> int:
    """How many of so many trainings side by side, of one thread each, this machine works on for us."""
    return jobs if torch.cuda.is_available() else min(jobs, cores())


def devices() -> list[str]:
    """The GPUs that trainings may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    there = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (named.split(",") if named else [str(number) for number in range(there)])[:there]


def commit_of(clone: Path, computes: Sequence[str] = COMPUTES) -> str | None:
    """The commit of a clone, and whether what computes there was changed since; records that are written into it do
    not count."""
    try:
        commit = _git(clone, "describe", "--always")
        changed = _git(clone, "status", "--porcelain", "--untracked-files=no", "--", *computes)
    except OSError:
        return None
    return f"{commit}-dirty" if commit and changed else commit or None


def _git(clone: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
