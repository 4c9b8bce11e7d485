"""Normalisation over the batches of all processes.

Gradients are averaged over processes. So a loss that is a sum divided by *the mean over processes* of how many terms it
has, averages to the sum of all terms divided by their number, however the batch is split; a mean within each process
would not.
"""

from typing import Final, Literal

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor

#: Where negatives come from: the rank's own batch, or the batches of all ranks, which must be of one size.
Candidates = Literal["rank", "all_ranks"]
CANDIDATES: Final = ("rank", "all_ranks")


def mean_over_ranks(count: Tensor) -> Tensor:
    """The mean over processes; in a single one the count itself."""
    if get_world_size() == 1:
        return count
    mean = count.detach().to(torch.float32, copy=True)
    all_reduce(mean, "mean")
    return mean


def of_all_ranks(values: Tensor) -> Tensor:
    """The values of all processes, one after the other; all must have as many. Only the own stay in the graph."""
    if get_world_size() == 1:
        return values
    parts = all_gather(values.detach().contiguous())
    parts[get_rank()] = values
    return torch.cat(parts)
