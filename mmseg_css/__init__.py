"""Semi-supervised semantic segmentation for MMSegmentation.

``import mmseg_css`` (or ``custom_imports = dict(imports=['mmseg_css'])`` in a config) checks the installed stack,
applies the work-arounds that it needs, and registers everything into MMSeg's registries.
"""

# First, because it says in one sentence what to install where the stack is missing or unsupported.
from mmseg_css import compat
from mmseg_css.version import __version__

compat.apply_workarounds()

# Imported to register what they hold.
from mmseg_css import datasets, engine, evaluation, functional, models  # noqa: E402

__all__ = ["__version__", "compat", "datasets", "engine", "evaluation", "functional", "models"]
