"""Images that are far larger than what a network learns from, and the windows through which it sees these."""

from collections.abc import Sequence
from typing import Final

#: Images whose sides are more than so many times as long show the network much more at once than it has learnt with.
FAR_LARGER: Final = 2


def needs_windows(size: Sequence[int], crop: Sequence[int]) -> bool:
    """Whether a side of an image is more than twice as long as that of the training crop.

    >>> needs_windows((64, 96), (32, 48)), needs_windows((65, 20), (32, 48))
    (False, True)
    """
    return any(side > FAR_LARGER * own for side, own in zip(size, crop, strict=True))


def stride_of(crop: Sequence[int]) -> tuple[int, ...]:
    """By how many pixels windows of the training crop move: two thirds of it.

    >>> stride_of((32, 48))
    (21, 32)
    """
    return tuple(max(1, 2 * side // 3) for side in crop)
