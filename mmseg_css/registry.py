"""The registries that we register into: MMSeg's own, under the class's own name."""

from mmseg_css import compat

# Whatever is registered may be used, also where nothing but its own module is imported (a spawned worker).
compat.apply_workarounds()

from mmengine.registry import FUNCTIONS  # noqa: E402
from mmseg.registry import (  # noqa: E402
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    TRANSFORMS,
)

__all__ = [
    "DATASETS",
    "DATA_SAMPLERS",
    "FUNCTIONS",
    "HOOKS",
    "LOG_PROCESSORS",
    "LOOPS",
    "METRICS",
    "MODELS",
    "TRANSFORMS",
]
