"""Settings that take one of a few names."""

from collections.abc import Collection


def check_choice(key: str, value: object, choices: Collection[str]) -> None:
    """Check a setting that config files write as a string.

    Raises:
        ValueError: ``value`` is none of ``choices``. ``key`` says where in the config it stands.
    """
    if value not in choices:
        raise ValueError(f"{key} must be one of {', '.join(choices)}; got {value!r}")
