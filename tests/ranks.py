"""Tests whose processes are ranks of one group."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
from torch import multiprocessing as mp


def as_two_ranks(function: Callable[[int, Path], None], folder: Path) -> None:
    """Call ``function(rank, folder)`` in two processes, which meet and may leave files in ``folder``."""
    # A forked process has everything imported, but cannot use the CUDA of the one that it is forked from.
    method = "spawn" if torch.cuda.is_available() else "fork"
    mp.start_processes(_as_rank, args=(function, folder), nprocs=2, start_method=method)


def _as_rank(rank: int, function: Callable[[int, Path], None], folder: Path) -> None:
    torch.set_num_threads(1)
    init_group(folder, rank, 2)
    function(rank, folder)
    destroy_group()  # not of a rank that failed: the other may wait for it in a collective


def init_group(folder: Path, rank: int, ranks: int) -> None:
    """Begin a group of gloo, which meets in ``folder``."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=ranks, timeout=timedelta(minutes=1)
    )


def destroy_group() -> None:
    """End it, after a moment.

    Before torch 2.8 that is done with Python's lock held, and waits for gloo's threads, one of which may wait for the
    lock to let go of the last tensor (pytorch/pytorch#154976). On busy cores one group of some hundred hung; with a
    fiftieth of a second none of nearly 1400 did.
    """
    time.sleep(0.05)
    torch.distributed.destroy_process_group()
