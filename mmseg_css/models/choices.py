"""Settings that take one of a few names, or numbers within bounds."""

from collections.abc import Collection
from math import inf


def check_choice(key: str, value: object, choices: Collection[str]) -> None:
    """Check a setting that config files write as a string.

    Raises:
        ValueError: ``value`` is none of ``choices``. ``key`` says where in the config it stands.
    """
    if value not in choices:
        raise ValueError(f"{key} must be one of {', '.join(choices)}; got {value!r}")


def check_within(place: str, low: float, high: float, **settings: float) -> None:
    """Check settings that stand at one ``place`` of the config.

    Raises:
        ValueError: One lies outside [low, high].
    """
    for key, value in settings.items():
        if not low <= value <= high:
            raise ValueError(f"{place}.{key} must lie in [{low:g}, {high:g}], got {value!r}")


def check_weights(place: str, **settings: float) -> None:
    """Check factors of losses, of which a negative one would make the loss larger.

    Raises:
        ValueError: One is negative.
    """
    for key, value in settings.items():
        if not value >= 0:
            raise ValueError(f"{place}.{key} must not be negative, got {value!r}")


def check_range(key: str, value: object) -> None:
    """Check a range of positive numbers.

    Raises:
        ValueError: ``value`` is not two numbers, or they are not in order.
    """
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    numbers = len(pair) == 2 and all(isinstance(number, int | float) for number in pair)
    if not numbers or not 0 < pair[0] <= pair[1] < inf:
        raise ValueError(f"{key} must be a range (low, high) with 0 < low <= high, got {value!r}")


def check_size(key: str, value: object) -> None:
    """Check the size of an image, which may be left open.

    Raises:
        ValueError: ``value`` is neither None nor a height and a width.
    """
    size = tuple(value) if isinstance(value, list | tuple) else ()
    if value is not None and not (len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        raise ValueError(f"{key} must be (height, width), two positive whole numbers, or None; got {value!r}")
