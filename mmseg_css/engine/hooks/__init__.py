"""When things happen."""

from mmseg_css.engine.hooks.channels_last import ChannelsLastHook
from mmseg_css.engine.hooks.checkpoint import DurableCheckpointHook
from mmseg_css.engine.hooks.curve import CurveHook
from mmseg_css.engine.hooks.data_check import DataCheckHook, use_data_checks
from mmseg_css.engine.hooks.depthwise import DilatedDepthwiseHook
from mmseg_css.engine.hooks.diagnostics import DiagnosticsHook
from mmseg_css.engine.hooks.finite_step import FiniteStepHook
from mmseg_css.engine.hooks.method import MethodHook
from mmseg_css.engine.hooks.optimizer_step import OptimizerStepHook, PrototypeCommitHook, TeacherUpdateHook
from mmseg_css.engine.hooks.progress import ProgressHook
from mmseg_css.engine.hooks.pseudo_label_quality import PseudoLabelQualityHook
from mmseg_css.engine.hooks.splits import SplitHook

__all__ = [
    "ChannelsLastHook",
    "CurveHook",
    "DataCheckHook",
    "DiagnosticsHook",
    "DilatedDepthwiseHook",
    "DurableCheckpointHook",
    "FiniteStepHook",
    "MethodHook",
    "OptimizerStepHook",
    "ProgressHook",
    "PrototypeCommitHook",
    "PseudoLabelQualityHook",
    "SplitHook",
    "TeacherUpdateHook",
    "use_data_checks",
]
