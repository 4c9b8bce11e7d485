"""Imported to check the installed stack and to register everything into MMSeg's registries."""

# First, because it says in one sentence what to install where the stack is missing or unsupported.
from mmseg_css import compat  # isort: skip

# Then this, because it applies the work-arounds before more of the stack is imported.
from mmseg_css import registry  # isort: skip
from mmseg_css import datasets, engine, evaluation, functional, models

__all__ = ["compat", "datasets", "engine", "evaluation", "functional", "models", "registry"]
