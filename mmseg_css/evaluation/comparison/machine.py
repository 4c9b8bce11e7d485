"""What a run was made with."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

import torch

from mmseg_css.version import __version__

PACKAGE: Final = Path(__file__).resolve().parents[2]


def made_with(jobs: int) -> dict[str, Any]:
    """Version, commit and machine, and the threads of each training."""
    asked = ["git", "-C", str(PACKAGE.parent), "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    except OSError:
        commit = ""
    return {
        "version": __version__,
        "commit": commit or None,
        "torch": torch.__version__,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": 1 if jobs > 1 else torch.get_num_threads(),
        "side_by_side": jobs,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
