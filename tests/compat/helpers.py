"""What the tests of the stack and of the work-arounds share.

Each work-around has a test named ``..._fault``, which shows what happens without it. When such a test fails on a newer
stack, the fault is gone, and so may the work-around.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mmseg_css import compat

ROOT = Path(__file__).resolve().parents[2]

only_onedl = pytest.mark.skipif(compat.FAMILY.name != "onedl", reason="concerns the onedl family only")
only_upstream = pytest.mark.skipif(compat.FAMILY.name != "openmmlab", reason="concerns the upstream family only")
only_mmcv_lite = pytest.mark.skipif(compat.installed_version("mmcv-lite") is None, reason="concerns mmcv-lite only")
only_cpu = pytest.mark.skipif(not compat.on_cpu(), reason="concerns machines without an accelerator only")


def pristine(module: ModuleType) -> ModuleType:
    """A second copy of a module as it was installed, without what we changed in it."""
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_pristine", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)


class RunsCode:
    """Pickles into a call of ``os.mkdir``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)
