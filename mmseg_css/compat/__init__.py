"""The one place that knows versions: which stacks are supported, and the work-arounds that they still need.

Importing this package checks the stack (one clear sentence if it will not do). ``apply_workarounds`` is called by
``registry``, and so wherever something of ours is registered; ``prepare_cfg`` and ``init_cpu_distributed`` are called
by the engine. Each work-around says why it is there; ``tests/compat/`` shows the fault without it, and so fails on the
day when it can go (but for memory that is overwritten, `overruns_memory`, which no test would survive).
"""

from mmseg_css.compat.versions import (
    FAMILIES,
    FAMILY,
    INSTALL_HINT,
    Family,
    check_stack,
    find_family,
    installed_version,
)

# isort: split
# Only now is it known that what these import exists.
from mmseg_css.compat import layer_decay, mlflow  # noqa: F401  (registers)
from mmseg_css.compat.autocast import without_gradients
from mmseg_css.compat.checkpoints import (
    REFUSED,
    allow_checkpoint_types,
    damage,
    load_checkpoints_safely,
    load_from_local,
    load_weights_only,
    trust_checkpoints,
    without_config,
)
from mmseg_css.compat.cpu import (
    CpuAmpOptimWrapper,
    enable_amp,
    init_cpu_distributed,
    leave_mps,
    on_cpu,
    prepare_cfg,
    revert_sync_bn,
    use_cpu_amp,
    wrap_for_cpu,
)
from mmseg_css.compat.noise import quieten
from mmseg_css.compat.upstream import (
    count_deterministically,
    find_mmseg_bases,
    find_own_bases,
    number_pictures,
    overruns_memory,
    stub_compiled_ops,
)

__all__ = [
    "FAMILIES",
    "FAMILY",
    "Family",
    "INSTALL_HINT",
    "REFUSED",
    "CpuAmpOptimWrapper",
    "allow_checkpoint_types",
    "apply_workarounds",
    "check_stack",
    "count_deterministically",
    "damage",
    "enable_amp",
    "find_family",
    "find_mmseg_bases",
    "find_own_bases",
    "init_cpu_distributed",
    "installed_version",
    "leave_mps",
    "load_checkpoints_safely",
    "load_from_local",
    "load_weights_only",
    "number_pictures",
    "on_cpu",
    "overruns_memory",
    "prepare_cfg",
    "quieten",
    "revert_sync_bn",
    "stub_compiled_ops",
    "trust_checkpoints",
    "use_cpu_amp",
    "without_config",
    "without_gradients",
    "wrap_for_cpu",
]


def apply_workarounds() -> None:
    """Everything that must be in place before the first model, config or checkpoint. Idempotent."""
    quieten()
    allow_checkpoint_types()
    load_checkpoints_safely()
    find_mmseg_bases()
    find_own_bases()
    count_deterministically()
    number_pictures()
    leave_mps()
    if installed_version("mmcv-lite") is not None:
        stub_compiled_ops()
