"""How many processors there are for us, which may be fewer than the machine has."""

import os


def cores() -> int:
    """Processors that this process may use: under Slurm or `taskset` not all; where the system does not say, all."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
