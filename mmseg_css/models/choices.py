"""Settings that take one of a few names, or a number within bounds."""

from collections.abc import Collection


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
