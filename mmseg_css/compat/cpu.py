"""Machines without an accelerator: mixed precision, several processes and SyncBN, for ``tools/``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mmengine.device.utils
import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device, is_mps_available
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS

from mmseg_css.config_parts import mappings


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


def leave_mps() -> None:
    """Let MMEngine take the CPU where it would take Apple's GPU.

    Why: MPS has no float64, in which pixels are drawn and counted, so that every method failed at its first step.
    """
    if mmengine.device.utils.DEVICE == "mps":
        mmengine.device.utils.DEVICE = "cpu"


def enable_amp(cfg: Config) -> None:
    """What ``--amp`` means: the mixed-precision wrapper in place of the plain one (on the CPU see ``prepare_cfg``)."""
    if not cfg.get("optim_wrapper"):
        raise ValueError(f"--amp: {cfg.filename or 'the config'} has no optim_wrapper, so that it trains nothing")
    kind = cfg.optim_wrapper.get("type", "OptimWrapper")
    if kind not in ("OptimWrapper", "AmpOptimWrapper", "CpuAmpOptimWrapper"):
        raise ValueError(
            f"--amp works with optim_wrapper.type = 'OptimWrapper', and the config has {kind!r}: leave --amp out"
        )
    if kind == "OptimWrapper":
        _use_amp(cfg.optim_wrapper)


def _use_amp(wrapper: ConfigDict) -> None:
    wrapper.type = "AmpOptimWrapper"
    wrapper.setdefault("loss_scale", "dynamic")
    # A fused optimiser hides which steps the scaler skips (OptimizerStepHook).
    wrapper.optimizer.pop("fused", None)


def prepare_cfg(cfg: Config, *, distributed: bool) -> list[str]:
    """Make a config run on this machine, in place. Returns for the log what was changed, and what is slow here."""
    if not on_cpu():
        return _use_accelerator(cfg)
    notes = [told] if (told := busy()) else []
    if is_mps_available():
        notes.append("Apple's GPU (MPS) has no float64, which the methods need: all is computed on the CPU")
    if use_cpu_amp(cfg):
        notes.append("no accelerator: mixed precision is bfloat16 autocast on the CPU (CpuAmpOptimWrapper)")
    if _is_cpu_amp(cfg) and lacks_bfloat16():
        notes.append(
            "this processor has no bfloat16, so that mixed precision makes a step slower (docs/performance.md): leave "
            "it out"
        )
    if distributed:
        wrap_for_cpu(cfg)
        if reverted := revert_sync_bn(cfg):
            notes.append(
                f"no accelerator: SyncBN became BN in {', '.join(reverted)}; each process has its own batch statistics"
            )
    return notes


def _use_accelerator(cfg: Config) -> list[str]:
    """Turn back what `use_cpu_amp` did to a config that was dumped on another machine."""
    if not _is_cpu_amp(cfg):
        return []
    wrapper = cfg.optim_wrapper
    _use_amp(wrapper)
    return [
        "the config's CpuAmpOptimWrapper is for machines without an accelerator: mixed precision is AmpOptimWrapper's "
        f"here, with loss_scale={wrapper.loss_scale!r}; set optim_wrapper.dtype='bfloat16' for that of the CPU"
    ]


def _is_cpu_amp(cfg: Config) -> bool:
    wrapper = cfg.get("optim_wrapper") or {}
    return wrapper.get("type") in ("CpuAmpOptimWrapper", CpuAmpOptimWrapper)


def lacks_bfloat16(processor: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor says what it has, and bfloat16 (avx512_bf16, amx_bf16, Arm's bf16) is not among it."""
    try:
        said = processor.read_text(encoding="utf-8")
    except OSError:  # no Linux
        return False
    return any(word in said for word in ("flags", "Features")) and "bf16" not in said


def busy() -> str:
    """What to say where other work uses the cores, and there is no accelerator.

    Why: torch's threads wait for each other at every operator, and the one that another process has put off is waited
    for by all; steps that took ten times as long were seen.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # which Windows has not
    threads = torch.get_num_threads()
    if threads == 1 or load < 1 or not on_cpu():
        return ""
    return (
        f"other work uses the cores (load {load:.1f}), and {threads} threads that wait for each other can make a step "
        "ten times slower: OMP_NUM_THREADS=1 may be faster"
    )


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
    for place, part in mappings(cfg.model, "model"):
        if part.get("type") == "SyncBN":
            part["type"] = "BN"
            reverted.append(place)
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
