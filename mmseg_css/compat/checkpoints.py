"""The one place that knows versions: which stacks are supported, and the work-arounds that they still need.

Importing this module checks the stack (one clear sentence if it will not do). ``apply_workarounds`` is called once, by
``import mmseg_css``; ``prepare_cfg`` and ``init_cpu_distributed`` are called by ``tools/``. Each work-around says why
it is there; ``tests/compat/`` shows the fault without it, and so fails on the day when it can go (but for memory
that is overwritten, `overruns_memory`, which no test would survive).
"""

import importlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from pickle import UnpicklingError
from types import ModuleType
from typing import Any, NamedTuple

INSTALL_HINT = (
    "run `make install` in a clone of mmseg_css, or `pip install -e '.[onedl]'` "
    "(the upstream packages: `pip install -e '.[openmmlab]'`) in a fresh environment"
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
        optional={"mmcv": ">=2.0.0,<2.2", "mmcv-lite": ">=2.0.0,<2.2", "mmpretrain": ">=1.2.0,<1.3"},
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

# Only now is it known that these exist.
import mmengine.config.utils  # noqa: E402
import mmengine.runner.checkpoint  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from mmengine.config import Config, ConfigDict  # noqa: E402
from mmengine.device import get_device  # noqa: E402
from mmengine.logging import HistoryBuffer  # noqa: E402
from mmengine.optim import OptimWrapper  # noqa: E402
from mmseg.registry import OPTIM_WRAPPERS  # noqa: E402

# ---------------------------------------------------------------------------------------------------------------------
# Work-arounds applied on import
# ---------------------------------------------------------------------------------------------------------------------


def apply_workarounds() -> None:
    """Everything that must be in place before the first model, config or checkpoint. Idempotent."""
    allow_checkpoint_types()
    load_checkpoints_safely()
    find_mmseg_bases()
    if installed_version("mmcv-lite") is not None:
        stub_compiled_ops()


def allow_checkpoint_types() -> None:
    """Let ``torch.load(weights_only=True)`` read what MMEngine's checkpoints hold beside tensors.

    Why: since torch 2.6 that is the default, and it refuses the history of the logged scalars and MMSeg's metrics
    (numpy scalars and arrays), so upstream MMEngine can neither resume nor test its own checkpoints.
    """
    multiarray = importlib.import_module("numpy._core.multiarray")
    dtype_codes = np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            (_history_statistic, "builtins.getattr"),
            np.ndarray,
            np.dtype,
            *{type(np.dtype(code)) for code in dtype_codes},
            (multiarray.scalar, "numpy._core.multiarray.scalar"),
            (multiarray._reconstruct, "numpy._core.multiarray._reconstruct"),
            # Published checkpoints were written before numpy 2.0.
            (multiarray.scalar, "numpy.core.multiarray.scalar"),
            (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
        ]
    )


def _history_statistic(owner: type, name: str) -> Callable[..., Any]:
    """Stands in for ``getattr``, with which HistoryBuffer pickles its statistics, and a crafted file could do more."""
    if owner is not HistoryBuffer or name not in ("mean", "max", "min", "current"):
        raise UnpicklingError(f"getattr of {name!r} on {owner!r}")
    return getattr(owner, name)


def load_checkpoints_safely() -> None:
    """Put our loader wherever MMEngine loads a checkpoint: local files, and URLs of every kind.

    Why: onedl-mmengine, on any type that is not on its own list (MMSeg's float32 metrics, say), logs a warning and
    reloads the file with ``weights_only=False``; its list includes a bare ``getattr``; and leaving its context manager
    takes the types that it shares with our list off that list again. Files from the net go through ``torch.hub`` in
    both families, whose default is ``weights_only=False``.
    """
    checkpoint = mmengine.runner.checkpoint
    checkpoint._safe_torch_load = load_weights_only  # used by onedl-mmengine only
    checkpoint.load_url = _load_url
    checkpoint.CheckpointLoader.register_scheme(prefixes="", loader=load_from_local, force=True)


def trust_checkpoints() -> None:
    """From now on load local checkpoints whatever they hold, also code that runs: what ``--trust-checkpoint`` means."""
    global _trusted
    _trusted = True


_trusted = False


def load_from_local(filename: str, map_location: Any) -> Any:  # MMEngine logs the end of this name
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no checkpoint {path}")
    return load_weights_only(path, map_location)


def _load_url(url: str, **kwargs: Any) -> Any:
    try:
        return without_config(torch.hub.load_state_dict_from_url(url, **kwargs, weights_only=True))
    except UnpicklingError as error:
        raise UnpicklingError(f"{url}: {REFUSED.format(error)}; for files only, so download it first") from None


REFUSED = (
    "the checkpoint holds something that could run code when loaded, so it was not loaded. If you trust its source, "
    "give the option --trust-checkpoint (in Python: mmseg_css.compat.trust_checkpoints()), or allow the type with "
    "torch.serialization.add_safe_globals (torch says: {})"
)


def load_weights_only(file: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
    """``torch.load`` without code execution; what is refused is refused in words (signature: onedl-mmengine's).

    Raises:
        UnpicklingError: The file holds more than weights and what MMEngine keeps beside them.
        ValueError: The file is not whole.
    """
    if isinstance(file, str | os.PathLike) and (fault := damage(file)):
        raise ValueError(
            f"the checkpoint {file} is truncated or corrupt ({fault}); take an earlier one: `--resume` without a path "
            "finds the last that is whole"
        )
    if _trusted or weights_only is False:
        return torch.load(file, map_location=map_location, weights_only=False)
    try:
        return without_config(torch.load(file, map_location=map_location, weights_only=True))
    except UnpicklingError as error:
        raise UnpicklingError(f"{file}: {REFUSED.format(error)}") from None


def damage(file: str | os.PathLike) -> str | None:
    """What is wrong with the bytes of a checkpoint, or None; torch itself does not look at the checksums.

    Files of torch before 1.6 are no archives and have no checksums.
    """
    if not zipfile.is_zipfile(file):
        with open(file, "rb") as content:
            start = content.read(4)
        # An archive's last bytes are its directory.
        return "it is empty" if not start else "its end is missing" if start == b"PK\x03\x04" else None
    try:
        with zipfile.ZipFile(file) as archive:
            faulty = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        return str(error)
    return faulty and f"the checksum of {faulty} is wrong"


def without_config(checkpoint: Any) -> Any:
    """The checkpoint without ``meta['config']``, in place.

    Why: ``Runner.resume`` takes that for a config of MMEngine's first versions and executes it as Python. Its own
    checkpoints keep their config elsewhere.
    """
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("meta"), dict):
        checkpoint["meta"].pop("config", None)
    return checkpoint


def find_mmseg_bases() -> None:
    """Make ``_base_ = 'mmseg::...'`` work with the onedl family.

    Why: its MMEngine looks for a distribution called mmsegmentation, which is onedl-mmsegmentation there. An unknown
    distribution is looked up as a module, so the module's own name always works. It must happen before
    ``Config.fromfile``, hence not through ``custom_imports``; the configs of this repository do without ``mmseg::``.
    """
    if FAMILY.name == "onedl":
        mmengine.config.utils.MODULE2PACKAGE["mmseg"] = "mmseg"


class _CompiledOpsStub(ModuleType):
    """Has every compiled operator that is asked for; each says how to get the real one when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(
                f"the operator {name} needs the compiled mmcv (2.0.0 or later, below 2.2), and this environment has "
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


# ---------------------------------------------------------------------------------------------------------------------
# Work-arounds for machines without an accelerator, applied by tools/
# ---------------------------------------------------------------------------------------------------------------------


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """Mixed precision on the CPU: bfloat16 autocast, no loss scaling (bfloat16 has the range of float32).

    Why: MMEngine's ``AmpOptimWrapper`` refuses to be built without an accelerator.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield


def on_cpu() -> bool:
    return get_device() == "cpu"


def enable_amp(cfg: Config) -> None:
    """What ``--amp`` means: the mixed-precision wrapper in place of the plain one (on the CPU see ``prepare_cfg``)."""
    kind = cfg.optim_wrapper.get("type", "OptimWrapper")
    if kind not in ("OptimWrapper", "AmpOptimWrapper", "CpuAmpOptimWrapper"):
        raise ValueError(f"--amp works with optim_wrapper.type = 'OptimWrapper', and the config has {kind!r}")
    if kind == "OptimWrapper":
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def prepare_cfg(cfg: Config, *, distributed: bool) -> list[str]:
    """Make a config run on this machine, in place. Returns what was changed, in words, for the log."""
    if not on_cpu():
        return []
    notes = []
    if use_cpu_amp(cfg):
        notes.append("no accelerator: mixed precision is bfloat16 autocast on the CPU (CpuAmpOptimWrapper)")
    if distributed:
        wrap_for_cpu(cfg)
        if reverted := revert_sync_bn(cfg):
            notes.append(
                f"no accelerator: SyncBN became BN in {', '.join(reverted)}; each process has its own batch statistics"
            )
    return notes


def use_cpu_amp(cfg: Config) -> bool:
    """Replace ``AmpOptimWrapper``, which refuses the CPU, by ``CpuAmpOptimWrapper``. True if there was one."""
    wrapper = cfg.get("optim_wrapper")
    if wrapper is None or wrapper.get("type") != "AmpOptimWrapper":
        return False
    wrapper.type = "CpuAmpOptimWrapper"
    for key in ("loss_scale", "dtype", "use_fsdp"):
        wrapper.pop(key, None)
    return True


def wrap_for_cpu(cfg: Config) -> None:
    """Tell DistributedDataParallel that there are no devices.

    Why: the Runner passes ``device_ids=[LOCAL_RANK]``, which torch refuses for a model on the CPU. The other two
    settings are the Runner's own.
    """
    wrapper = cfg.setdefault("model_wrapper_cfg", ConfigDict(type="MMDistributedDataParallel"))
    wrapper.setdefault("broadcast_buffers", False)
    wrapper.setdefault("find_unused_parameters", cfg.get("find_unused_parameters", False))
    wrapper.device_ids = None


def revert_sync_bn(cfg: Config) -> list[str]:
    """Turn ``type='SyncBN'`` into ``'BN'`` all over ``cfg.model``; returns where.

    Why: torch's SyncBatchNorm refuses tensors on the CPU. In a single process the Runner reverts it by itself; in a
    distributed run it does not.
    """
    cfg.pop("sync_bn", None)  # the Runner would convert every BN of the built model back
    reverted = []

    def visit(node: Any, path: str) -> None:
        if isinstance(node, dict):
            if node.get("type") == "SyncBN":
                node["type"] = "BN"
                reverted.append(path)
            for key, child in node.items():
                visit(child, f"{path}.{key}")
        elif isinstance(node, list | tuple):
            for index, child in enumerate(node):
                visit(child, f"{path}[{index}]")

    visit(cfg.model, "model")
    return reverted


def init_cpu_distributed(launcher: str) -> None:
    """Start the process group with gloo where there is no accelerator; elsewhere the Runner starts its own.

    Why: MMEngine's ``init_dist`` calls ``torch.cuda.set_device`` whatever the backend. The Runner leaves alone a
    process group that exists when it is built.
    """
    if launcher == "none" or not on_cpu() or torch.distributed.is_initialized():
        return
    if launcher != "pytorch":
        raise ValueError(f"--launcher {launcher} needs accelerators; without them use torchrun and --launcher pytorch")
    missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise ValueError(f"--launcher pytorch must be started by torchrun: {', '.join(missing)} not set")
    torch.distributed.init_process_group("gloo")


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
