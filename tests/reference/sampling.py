"""The members of each group, one group after the other."""

import numpy as np
from numpy.typing import NDArray


def group_indices(group: NDArray[np.int64], num_groups: int) -> list[list[int]]:
    """For every group the positions that belong to it, in ascending order."""
    return [[i for i in range(len(group)) if group[i] == g] for g in range(num_groups)]
