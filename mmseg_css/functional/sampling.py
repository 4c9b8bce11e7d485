"""Drawing pixels group by group, for all groups at once.

Pixels are sorted by group, so that a group is a run ``[start, start + size)`` of one index vector and a draw with
replacement is one uniform number scaled to the run's length.
"""

import hashlib
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Groups(NamedTuple):
    """Indices sorted by group: group g owns ``order[start[g] : start[g] + size[g]]``."""

    order: Int[Tensor, " p"]
    start: Int[Tensor, " k"]
    size: Int[Tensor, " k"]


def group_indices(group: Int[Tensor, " p"], num_groups: int) -> Groups:
    """Sort indices by their group; values outside ``[0, num_groups)`` belong to none.

    >>> groups = group_indices(torch.tensor([1, 0, 255, 1]), num_groups=2)
    >>> groups.order.tolist(), groups.start.tolist(), groups.size.tolist()
    ([1, 0, 3, 2], [0, 1], [1, 2])
    """
    bounded = torch.where((group >= 0) & (group < num_groups), group, num_groups)
    size = group_sizes(bounded, num_groups)
    return Groups(bounded.argsort(stable=True), size.cumsum(0) - size, size)


def group_sizes(group: Int[Tensor, " p"], num_groups: int) -> Int[Tensor, " k"]:
    """How many there are of each group; values outside ``[0, num_groups)`` belong to none.

    >>> group_sizes(torch.tensor([1, 0, 255, 1]), num_groups=2).tolist()
    [1, 2]
    """
    # Not bincount, which reads its largest value and makes a GPU wait.
    bounded = torch.where((group >= 0) & (group < num_groups), group, num_groups)
    size = torch.zeros(num_groups + 1, dtype=torch.long, device=group.device)
    return size.index_add(0, bounded, torch.ones_like(bounded))[:num_groups]


def draw_members(
    groups: Groups, chosen: Int[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Int[Tensor, "*shape"]:
    """One member of each chosen group, uniformly and with replacement; of an empty group any index at all.

    >>> groups = group_indices(torch.tensor([1, 0, 1]), num_groups=2)
    >>> draw_members(groups, torch.tensor([0, 0])).tolist()
    [1, 1]
    """
    drawn = groups.start[chosen] + draw_below(groups.size[chosen], generator)
    return groups.order[drawn.clamp(max=len(groups.order) - 1)]


def draw_below(limit: Int[Tensor, "*shape"], generator: torch.Generator | None = None) -> Int[Tensor, "*shape"]:
    """One integer for each limit, uniform in ``[0, limit)``; 0 where the limit is 0.

    >>> draw_below(torch.tensor([1, 0])).tolist()
    [0, 0]
    """
    # float64: a float32 uniform has 2^24 values, too few to reach every pixel of a large batch equally often.
    uniform = torch.rand(limit.shape, generator=generator, device=limit.device, dtype=torch.float64)
    return torch.minimum((uniform * limit).long(), (limit - 1).clamp(min=0))


def draw_categories(
    probabilities: Float[Tensor, "a k"], num_draws: int, generator: torch.Generator | None = None
) -> Int[Tensor, "a {num_draws}"]:
    """Category indices, each row drawn independently from its own distribution, by inverse transform.

    >>> draw_categories(torch.tensor([[0.0, 1.0, 0.0]]), num_draws=3).tolist()
    [[1, 1, 1]]
    """
    cumulative = probabilities.double().cumsum(dim=1)
    # Rounding leaves the total slightly off 1; drawing below the total itself keeps the last empty category out.
    total = cumulative[:, -1:]
    shape = (len(probabilities), num_draws)
    uniform = torch.rand(shape, generator=generator, device=probabilities.device, dtype=torch.float64)
    drawn = torch.searchsorted(cumulative, uniform * total, right=True)
    last = (probabilities > 0).long().cumsum(dim=1).argmax(dim=1, keepdim=True)
    return torch.minimum(drawn, last)


def read_pixels(maps: Float[Tensor, "b d h w"], index: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape d"]:
    """The pixels with these indices into ``(b h w)``, without copying the others.

    >>> read_pixels(torch.arange(8.0).reshape(2, 2, 1, 2), torch.tensor([1, 2])).tolist()
    [[1.0, 3.0], [4.0, 6.0]]
    """
    flat = maps.flatten(2)
    per_image = flat.shape[2]
    return flat[index // per_image, :, index % per_image]


def host_generator(generator: torch.Generator | None) -> torch.Generator | None:
    """Randomness for what the host must read, because reading what a GPU drew makes it wait for the GPU.

    A CPU generator serves itself; one on another device is stood in for by a new one on the host, whose seed is all of
    the other's state: what is drawn after something else has been drawn is independent of what was drawn before.

    >>> source = torch.Generator()
    >>> host_generator(source) is source
    True
    """
    if generator is None or generator.device.type == "cpu":
        return generator
    state = generator.get_state().numpy().tobytes()  # lies on the host
    return torch.Generator().manual_seed(int.from_bytes(hashlib.blake2b(state, digest_size=8).digest()))
