"""Packaging. The pins live in requirements/*.txt; tool settings in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def read_pins(name: str) -> list[str]:
    """The lines of requirements/<name>.txt that name a distribution."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def read_version() -> str:
    """Read, not imported: importing mmseg_css needs the very packages that are about to be installed."""
    text = (ROOT / "mmseg_css" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, flags=re.MULTILINE)
    if found is None:
        raise ValueError('mmseg_css/version.py must hold a line of the form __version__ = "X.Y.Z"')
    return found.group(1)


def read_long_description() -> str:
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setup(
    name="mmseg-css",
    version=read_version(),
    description="Semi-supervised semantic segmentation (CSS) for MMSegmentation",
    long_description=read_long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["mmseg_css", "mmseg_css.*"]),
    entry_points={"console_scripts": ["mmseg-css = mmseg_css.cli.main:run"]},
    install_requires=read_pins("core"),
    # Neither family of the OpenMMLab packages is a core dependency: an environment can hold one of them only.
    extras_require={name: read_pins(name) for name in ("onedl", "openmmlab", "demo", "data", "onnx", "tests", "lint")},
)
