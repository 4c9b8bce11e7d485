"""Packaging. What is needed lies in requirements/*.txt, as ranges; tool settings in pyproject.toml."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


def read_requirements(*names: str) -> list[str]:
    """The lines of requirements/<name>.txt that name a distribution."""
    texts = [(ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in names]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


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


class BuildWithConfigs(build_py):
    """Puts configs, tools and the model index into a wheel, as ``mmseg_css/.mim``, where mim and MMEngine look.

    An editable installation has them in its clone (mmseg_css/locations.py).
    """

    def run(self) -> None:
        if self.editable_mode:
            super().run()
            return
        package = Path(self.build_lib) / "mmseg_css"
        shutil.rmtree(package, ignore_errors=True)  # of an earlier build, with files that may be gone
        super().run()
        target = package / ".mim"
        for folder in ("configs", "tools"):
            shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / "model-index.yml", target)


ALONE = ("onedl", "openmmlab", "compare", "cluster", "data", "mobilenetv2", "onnx", "tests", "wheel", "lint", "docs")

setup(
    name="mmseg-css",
    version=read_version(),
    description="Semi-supervised semantic segmentation (CSS) for MMSegmentation",
    long_description=read_long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["mmseg_css", "mmseg_css.*"]),
    package_data={"mmseg_css": ["py.typed"]},
    cmdclass={"build_py": BuildWithConfigs},
    entry_points={"console_scripts": ["mmseg-css = mmseg_css.cli.main:run"]},
    install_requires=read_requirements("core"),
    # Neither family of the OpenMMLab packages is a core dependency: an environment can hold one of them only.
    extras_require={
        **{name: read_requirements(name) for name in ALONE},
        "demo": read_requirements("demo", "compare"),  # which ends with a comparison
    },
)
