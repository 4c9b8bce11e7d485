"""Faults of the packages below: names that MMEngine does not find, operators that mmcv-lite or CUDA lack, pictures that
overwrite each other, oneDNN's."""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import mmengine.config.utils
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_css.compat.versions import FAMILY
from mmseg_css.locations import CONFIGS

MMSEG_COUNTS: Final = IoUMetric.intersect_and_union
MMENGINES_PATH: Final = Config._get_cfg_path


def find_mmseg_bases() -> None:
    """Make ``_base_ = 'mmseg::...'`` work with the onedl family.

    Why: its MMEngine looks for a distribution called mmsegmentation, which is onedl-mmsegmentation there. An unknown
    distribution is looked up as a module, so the module's own name always works. It must happen before
    ``Config.fromfile``, hence not through ``custom_imports``; the configs of this repository do without ``mmseg::``.
    """
    if FAMILY.name == "onedl":
        mmengine.config.utils.MODULE2PACKAGE["mmseg"] = "mmseg"


def find_own_bases() -> None:
    """Make ``_base_ = 'mmseg_css::css/css_lite0_demo.py'`` work, in a clone, too.

    Why: MMEngine has a list of the packages whose configs it finds, wants ``.mim`` in them, and gives what a config of
    theirs holds the scope of the package. Ours is in MMSeg's registries.
    """
    mmengine.config.utils.MODULE2PACKAGE["mmseg_css"] = "mmseg_css"  # for mmengine.hub.get_config
    Config._get_cfg_path = staticmethod(_config_path)


def _config_path(path: str, filename: str) -> tuple[str, str | None]:
    package, separator, name = path.partition("::")
    return (
        (str(CONFIGS / name), None) if (package, separator) == ("mmseg_css", "::") else MMENGINES_PATH(path, filename)
    )


class _CompiledOpsStub(ModuleType):
    """Has every compiled operator that is asked for; each says how to get the real one when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(
                f"the operator {name} needs the compiled mmcv (2.1.0 or later, below 2.2), and this environment has "
                "mmcv-lite: `pip uninstall mmcv-lite`, then install mmcv for your torch and CUDA"
            )

        return missing


def stub_compiled_ops() -> None:
    """Give mmcv-lite an empty ``mmcv._ext``.

    Why: upstream ``mmseg.utils`` imports ``mmcv.ops``, which loads the compiled extension when it is imported, although
    none of the usual networks call it. ``__spec__`` is set because ``revert_sync_batchnorm`` looks for it.
    """
    if "mmcv._ext" not in sys.modules:
        stub = _CompiledOpsStub("mmcv._ext")
        stub.__spec__ = ModuleSpec("mmcv._ext", loader=None)
        sys.modules["mmcv._ext"] = stub


def count_deterministically() -> None:
    """Let MMSeg's `IoUMetric` count on the CPU where only deterministic operators are allowed.

    Why: it counts with ``torch.histc``, which CUDA has no deterministic form of, so that a training with
    ``randomness.deterministic=True`` ended in a RuntimeError at its first validation on a GPU.
    """
    IoUMetric.intersect_and_union = staticmethod(_counted)


def _counted(pred_label: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
    if torch.are_deterministic_algorithms_enabled():
        pred_label, label = pred_label.cpu(), label.cpu()
    return MMSEG_COUNTS(pred_label, label, *args, **kwargs)


def number_pictures() -> None:
    """Let each picture that upstream's `SegVisualizationHook` draws in a test have a number of its own.

    Why: it names them after the file of the image and the iteration of the training, which is 0 in a test, so that
    of images called alike in several folders the last one's picture remained.
    """
    if FAMILY.name == "openmmlab":
        SegVisualizationHook.after_test_iter = _draw_numbered


def _draw_numbered(
    hook: Any, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence[SegDataSample] = ()
) -> None:
    for output in outputs:
        hook.drawn = getattr(hook, "drawn", 0) + 1
        hook._after_iter(SimpleNamespace(iter=hook.drawn), batch_idx, data_batch, [output], mode="test")


def overruns_memory(module: torch.nn.Module) -> bool:
    """Whether oneDNN writes past its memory in this layer, channels-last, on a processor with AVX2 and no AVX-512.

    Why: seen with torch 2.14.1, whose backward pass of ``conv2d`` with 2 or 4 input channels, a 1 x 1 kernel and a
    stride of 2 corrupts the heap; with 8 and more it does not, nor in the ordinary layout. No report of it is known to
    us. The bound is a cautious one: other strides and channels below 8 were not tried one by one, nor other processors.
    """
    return (
        isinstance(module, torch.nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels < 8
    )
