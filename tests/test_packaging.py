"""What is installed, and what the repository promises around the code."""

import os
import re
import subprocess
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import mmseg_css
from mmseg_css import compat

ROOT = Path(__file__).resolve().parents[1]


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def make(*arguments: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "MAKEFLAGS")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.smoke
def test_version_is_the_installed_one():
    try:
        installed = version("mmseg-css")
    except PackageNotFoundError:
        pytest.skip("mmseg-css is not installed here, only on the path")
    assert installed == mmseg_css.__version__
    assert metadata("mmseg-css")["Requires-Python"] == ">=3.11"


@pytest.mark.parametrize("name", ["core", "onedl", "openmmlab", "demo", "data", "onnx", "tests", "lint"])
def test_requirements_are_pinned(name):
    loose = [str(wanted) for wanted in requirements(name) if not re.fullmatch(r"==[\w.]+", str(wanted.specifier))]
    assert loose == (["setuptools<81"] if name == "openmmlab" else [])


def test_families_are_extras_only():
    families = [{*family.required, *family.optional} for family in compat.FAMILIES]
    for name in ("core", "demo", "data", "onnx", "tests", "lint"):
        assert not {wanted.name for wanted in requirements(name)} & families[0].union(families[1])
    assert not {wanted.name for wanted in requirements("onedl")} & families[1]
    assert not {wanted.name for wanted in requirements("openmmlab")} & families[0]


@pytest.mark.parametrize("family", compat.FAMILIES, ids=lambda family: family.name)
def test_pins_are_in_the_supported_ranges(family):
    supported = {**family.required, **family.optional, **family.companions}
    pins = [wanted for wanted in (*requirements("core"), *requirements(family.name)) if wanted.name in supported]
    assert set(family.required) <= {pin.name for pin in pins}
    for pin in pins:
        [bound] = pin.specifier
        if bound.operator == "==":
            assert SpecifierSet(supported[pin.name]).contains(bound.version), pin


def test_pins_name_torch_for_either_architecture():
    for machine, torch, torchvision in (("x86_64", "2.14.1", "0.29.1"), ("aarch64", "2.9.1", "0.24.1")):
        chosen = {
            wanted.name: str(wanted.specifier)
            for wanted in requirements("core")
            if wanted.marker is None or wanted.marker.evaluate({"platform_machine": machine})
        }
        assert (chosen["torch"], chosen["torchvision"]) == (f"=={torch}", f"=={torchvision}")


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


@pytest.mark.parametrize("target", ["install", "demo", "test", "test-upstream", "lint"])
def test_make_targets_resolve(target):
    result = make("--dry-run", target, "VENV=.venv-none", "VENV_UPSTREAM=.venv-none")
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
