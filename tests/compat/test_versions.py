"""Which stacks are supported, and in which words the others are refused."""

import inspect
import re

import pytest

from mmseg_css import compat
from tests.compat.helpers import only_upstream, run_python

ONEDL = {
    "onedl-mmengine": "0.10.12",
    "onedl-mmcv": "2.3.6",
    "onedl-mmsegmentation": "1.4.2",
    "onedl-mmpretrain": "1.3.6",
    "torch": "2.14.1+cpu",
}
OPENMMLAB = {
    "mmengine": "0.10.7",
    "mmcv-lite": "2.1.0",
    "mmsegmentation": "1.2.2",
    "torch": "2.14.1",
    "setuptools": "80.9.0",
    "ftfy": "6.3.1",
    "regex": "2026.1.1",
}


def assert_one_sentence(message: str) -> None:
    assert message.startswith("mmseg_css")
    assert re.findall(r"\.(?=\s|$)", message) == ["."], message
    assert "make install" in message


@pytest.mark.parametrize(("installed", "family"), [(ONEDL, "onedl"), (OPENMMLAB, "openmmlab")])
def test_measured_stacks_are_supported(installed, family):
    assert compat.find_family(installed.get).name == family


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({}, "none is installed"),
        ({**ONEDL, **OPENMMLAB}, "two families"),
        ({**ONEDL, "mmcv-lite": "2.1.0"}, "two families"),
        ({**OPENMMLAB, "onedl-mmpretrain": "1.3.6"}, "two families"),
        ({**ONEDL, "onedl-mmcv": "2.4.0"}, "onedl-mmcv is 2.4.0, supported is >=2.3.6,<2.4"),
        ({**ONEDL, "onedl-mmcv": None}, "onedl-mmcv>=2.3.6,<2.4 is not installed"),
        ({**ONEDL, "torch": "2.5.1"}, "torch is 2.5.1"),
        ({**OPENMMLAB, "mmcv-lite": None}, "neither mmcv nor mmcv-lite is installed"),
        ({**OPENMMLAB, "mmcv": "2.1.0"}, "mmcv and mmcv-lite are both installed"),
        ({**OPENMMLAB, "mmcv-lite": None, "mmcv": "2.2.0"}, "mmcv is 2.2.0"),
        ({**OPENMMLAB, "setuptools": "82.0.0"}, "setuptools is 82.0.0"),
    ],
)
def test_other_stacks_are_refused_in_one_sentence(installed, said):
    with pytest.raises(ImportError) as caught:
        compat.find_family(installed.get)
    assert said in str(caught.value)
    assert_one_sentence(str(caught.value))


@pytest.mark.parametrize("module", ["mmengine", "mmseg", "torch"])
def test_import_without_the_stack_says_one_sentence(module):
    result = run_python(f"import sys; sys.modules[{module!r}] = None; import mmseg_css")
    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert last_line.startswith(f"ImportError: mmseg_css cannot import {module} ")
    assert_one_sentence(last_line.removeprefix("ImportError: "))


@only_upstream
def test_setuptools_bound_fault():
    """The bound on setuptools goes when upstream MMEngine no longer needs pkg_resources."""
    import mmengine.utils.package_utils

    assert "pkg_resources" in inspect.getsource(mmengine.utils.package_utils)
