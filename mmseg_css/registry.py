"""The one place that names OpenMMLab's registries. We register into MMSeg's own, under the class's own name."""

from mmengine.registry import FUNCTIONS
from mmseg.registry import DATA_SAMPLERS, DATASETS, HOOKS, LOG_PROCESSORS, LOOPS, METRICS, MODELS, TRANSFORMS

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
