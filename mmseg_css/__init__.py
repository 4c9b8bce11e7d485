"""Semi-supervised semantic segmentation for MMSegmentation.

``import mmseg_css`` (or ``custom_imports = dict(imports=['mmseg_css'])`` in a config) checks the installed stack,
applies the work-arounds that it needs, and registers everything into MMSeg's registries.
"""

import sys
from itertools import pairwise
from pathlib import Path

from mmseg_css.version import __version__

__all__ = ["__version__"]


def _is_command() -> bool:
    """Whether this process is ``mmseg-css``, which must answer ``--help`` before torch and MMSeg are imported.

    It registers everything itself when its work starts (:mod:`mmseg_css.register`).
    """
    called_as = Path(sys.argv[0]).stem if sys.argv else ""
    return called_as == "mmseg-css" or ("-m", "mmseg_css") in pairwise(sys.orig_argv)


if not _is_command():
    import mmseg_css.register  # noqa: F401
