"""The one place that knows versions: which stacks are supported, and the work-arounds that they still need."""

from mmseg_css.compat.checkpoints import *  # noqa: F403
