"""What is installed, and what the repository promises around the code."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import mmseg_css
from mmseg_css import compat

ROOT = Path(__file__).resolve().parents[1]


NAMES = [
    "core",
    "onedl",
    "openmmlab",
    "compare",
    "demo",
    "cluster",
    "data",
    "mobilenetv2",
    "onnx",
    "tests",
    "wheel",
    "lint",
    "docs",
]


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins(machine: str = "x86_64") -> dict[str, str]:
    """The version of each distribution in constraints.txt."""
    chosen = {}
    for pin in requirements("constraints"):
        if pin.marker is None or pin.marker.evaluate({"platform_machine": machine}):
            chosen[pin.name] = re.fullmatch(r"==([\w.]+)", str(pin.specifier))[1]
    return chosen


def make(*arguments: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "MAKEFLAGS")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_version_is_the_installed_one():
    try:
        installed = version("mmseg-css")
    except PackageNotFoundError:
        pytest.skip("mmseg-css is not installed here, only on the path")
    assert installed == mmseg_css.__version__
    assert metadata("mmseg-css")["Requires-Python"] == ">=3.11"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_requirements_are_ranges_with_a_pin_inside(name, machine):
    for wanted in requirements(name):
        if wanted.name != "setuptools":
            assert wanted.specifier.contains(pins(machine)[wanted.name]), wanted


@pytest.mark.parametrize("family", ["onedl", "openmmlab"])
def test_the_lowest_versions_are_the_lower_ends(family):
    """What `make test-lowest` gives to pip."""
    names = ["core", "demo", "compare", "cluster", "data", "mobilenetv2", "onnx", family]
    script = [sys.executable, str(ROOT / "requirements" / "lowest.py"), *names]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    lowest = {pin.name: re.fullmatch(r"==([\w.]+)", str(pin.specifier))[1] for pin in map(Requirement, printed)}
    wanted = [each for name in names for each in requirements(name) if each.name != "setuptools"]
    assert set(lowest) == {each.name for each in wanted}
    for each in wanted:
        assert each.specifier.contains(lowest[each.name]), each


def test_nothing_is_in_two_files_with_different_ranges():
    ranges = {}
    for name in NAMES:
        for wanted in requirements(name):
            ranges.setdefault(wanted.name, set()).add(str(wanted.specifier))
    assert [name for name, found in ranges.items() if len(found) > 1] == ["numpy"]  # onedl wants a later one


def test_families_are_extras_only():
    families = [{*family.required, *family.optional} for family in compat.FAMILIES]
    for name in {*NAMES} - {"onedl", "openmmlab"}:
        assert not {wanted.name for wanted in requirements(name)} & families[0].union(families[1])
    assert not {wanted.name for wanted in requirements("onedl")} & families[1]
    assert not {wanted.name for wanted in requirements("openmmlab")} & families[0]


@pytest.mark.parametrize("family", compat.FAMILIES, ids=lambda family: family.name)
def test_what_is_installed_is_in_the_supported_ranges(family):
    """What pip may choose, by its ends, is what compat accepts."""
    supported = {**family.required, **family.optional, **family.companions}
    wanted = [each for each in (*requirements("core"), *requirements(family.name)) if each.name in supported]
    assert set(family.required) <= {each.name for each in wanted}
    for each in wanted:
        for bound in each.specifier:
            if bound.operator == ">=":
                assert SpecifierSet(supported[each.name]).contains(bound.version), each
        if each.name in family.required:
            assert all(str(bound) in str(each.specifier) for bound in SpecifierSet(supported[each.name])), each


def test_pins_name_torch_for_either_architecture():
    for machine, torch, torchvision in (("x86_64", "2.14.1", "0.29.1"), ("aarch64", "2.9.1", "0.24.1")):
        assert (pins(machine)["torch"], pins(machine)["torchvision"]) == (torch, torchvision)


def test_license_is_apache():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Copyright 2026 The mmseg_css founders" in text
    assert "[name of copyright owner]" not in text


@pytest.mark.parametrize(
    "script",
    [
        ".ci/run",
        "tools/dist_train.sh",
        "tools/dist_test.sh",
        "tools/slurm_train.sh",
        "tools/slurm_test.sh",
        "tools/_slurm.sh",
    ],
)
def test_scripts_are_executable_and_parse(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True)


def test_launch_scripts_say_how_they_are_called():
    result = subprocess.run([str(ROOT / "tools/dist_train.sh")], capture_output=True, text=True)
    assert result.returncode == 2
    assert "CONFIG PROCESSES" in result.stderr


@pytest.mark.parametrize(
    "target", ["install", "demo", "test", "test-upstream", "test-lowest", "test-wheel", "lint", "docs"]
)
def test_make_targets_resolve(target):
    result = make(
        "--dry-run", target, *(f"{name}=.venv-none" for name in ("VENV", "VENV_UPSTREAM", "VENV_LOWEST", "VENV_DOCS"))
    )
    assert result.returncode == 0, result.stderr
    assert "-m venv .venv-none" in result.stdout


def test_make_without_a_python_says_so(tmp_path):
    result = make("install", f"VENV={tmp_path}/venv", "SHELL=/bin/bash", "PATH=/nonexistent")
    assert result.returncode != 0
    assert "needs Python 3.11 or later" in result.stderr


def test_make_refuses_a_python_that_is_none():
    result = make("test", "PYTHON=/nonexistent/python")
    assert result.returncode != 0
    assert "PYTHON=/nonexistent/python is not a Python of version 3.11 or later." in result.stderr
