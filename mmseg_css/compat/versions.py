"""Families of OpenMMLab packages and the versions of them that are supported; importing this checks the installed ones.

Nothing of the stack is imported at the top, so that an empty environment hears what to install.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from mmseg_css.locations import CLONE

INSTALL_HINT = (
    "install its wheel with a family, `pip install 'mmseg_css-VERSION-py3-none-any.whl[onedl]'` (the upstream "
    "packages: [openmmlab]), in a fresh environment"
    if CLONE is None
    else "run `make install` in a clone of mmseg_css, or `pip install -e '.[onedl]'` (the upstream packages: "
    "`pip install -e '.[openmmlab]'`) in a fresh environment"
)


class Family(NamedTuple):
    """Distributions that together provide mmengine, mmcv and mmseg, and the versions of them that are supported."""

    name: str
    required: Mapping[str, str]
    optional: Mapping[str, str]
    """May be absent; where present, they must be in range. They too mark their family."""
    companions: Mapping[str, str]
    """Needed by this family, but say nothing about which family is installed."""


FAMILIES = (
    Family(
        name="onedl",
        required={
            "onedl-mmengine": ">=0.10.12,<0.11",
            "onedl-mmcv": ">=2.3.6,<2.4",
            "onedl-mmsegmentation": ">=1.4.2,<1.5",
        },
        optional={"onedl-mmpretrain": ">=1.3.6,<1.4"},
        companions={"torch": ">=2.6"},
    ),
    Family(
        name="openmmlab",
        required={"mmengine": ">=0.10.7,<0.11", "mmsegmentation": ">=1.2.2,<1.3"},
        optional={"mmcv": ">=2.1.0,<2.2", "mmcv-lite": ">=2.1.0,<2.2", "mmpretrain": ">=1.2.0,<1.3"},
        companions={"torch": ">=2.6", "setuptools": "<82", "ftfy": "", "regex": ""},
    ),
)


def installed_version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def find_family(installed: Callable[[str], str | None] = installed_version) -> Family:
    """The family in this environment, or an ImportError that says in one sentence what is wrong and what to run."""
    present = {
        family.name: [name for name in (*family.required, *family.optional) if installed(name) is not None]
        for family in FAMILIES
    }
    families = [family for family in FAMILIES if present[family.name]]
    if not families:
        raise ImportError(f"mmseg_css needs MMSegmentation, and none is installed: {INSTALL_HINT}.")
    if len(families) > 1:
        both = " and ".join(", ".join(present[family.name]) for family in families)
        raise ImportError(
            f"mmseg_css found two families of OpenMMLab packages in one environment ({both}), which provide the same "
            f"modules and overwrite each other's files: {INSTALL_HINT}."
        )
    [family] = families
    problems = list(_version_problems(family, installed))
    if family.name == "openmmlab" and installed("mmcv") is None and installed("mmcv-lite") is None:
        problems.append("neither mmcv nor mmcv-lite is installed")
    if installed("mmcv") is not None and installed("mmcv-lite") is not None:
        problems.append("mmcv and mmcv-lite are both installed, and overwrite each other's files")
    if problems:
        raise ImportError(f"mmseg_css cannot use this environment ({'; '.join(problems)}): {INSTALL_HINT}.")
    return family


def _version_problems(family: Family, installed: Callable[[str], str | None]) -> Iterator[str]:
    from packaging.specifiers import SpecifierSet  # late: both families bring it, an empty environment does not

    for name, supported in {**family.required, **family.optional, **family.companions}.items():
        found = installed(name)
        if found is None:
            if name not in family.optional:
                yield f"{name}{supported} is not installed"
        elif not SpecifierSet(supported).contains(found, prereleases=True):
            yield f"{name} is {found}, supported is {supported}"


def check_stack() -> Family:
    """The family in use, or an ImportError of one sentence that says what is wrong and what to install."""
    family = find_family()
    for module in ("torch", "numpy", "mmengine", "mmcv", "mmseg"):
        try:
            importlib.import_module(module)
        except (ImportError, AssertionError) as error:  # upstream mmseg asserts the version of mmcv
            raise ImportError(f"mmseg_css cannot import {module} ({error}): {INSTALL_HINT}.") from None
    return family


FAMILY = check_stack()
