"""What a run was made with."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

import torch

from mmseg_css.locations import CLONE
from mmseg_css.version import __version__

#: What of a clone a training depends on.
COMPUTES: Final = ("mmseg_css", "configs", "tools", "requirements")


def made_with(jobs: int) -> dict[str, Any]:
    """Version, commit and machine, and the threads of each training."""
    return {
        "version": __version__,
        "commit": _commit(),
        "torch": torch.__version__,
        "processor": _processor(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "threads": 1 if jobs > 1 else torch.get_num_threads(),
        "side_by_side": jobs,
    }


def at_a_time(jobs: int) -> int:
    """How many of so many trainings side by side, of one thread each, this machine works on."""
    return jobs if torch.cuda.is_available() else min(jobs, os.cpu_count() or 1)


def _commit() -> str | None:
    if CLONE is None:  # or the repository that somebody's environment lies in would answer
        return None
    try:
        commit = _git("describe", "--always")
        # Records that a comparison writes into the clone change no training.
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *COMPUTES)
    except OSError:
        return None
    return f"{commit}-dirty" if commit and changed else commit or None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(CLONE), *arguments], capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
