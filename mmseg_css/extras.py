"""What only some commands need, and an installation may lack."""

from importlib.util import find_spec


def check_extra(extra: str, purpose: str, *modules: str) -> None:
    """Say what to install where modules are missing.

    Args:
        extra: The extra of this package that brings them.
        purpose: What needs them, in words.
        modules: Their names.

    Raises:
        ModuleNotFoundError: Some of them are not installed.
    """
    if missing := [name for name in modules if find_spec(name) is None]:
        raise ModuleNotFoundError(f"{purpose} needs {', '.join(missing)}: {how_to_install(extra)}")


def how_to_install(extra: str) -> str:
    """The command; pip adds to what is installed, from a wheel or a clone."""
    return f'pip install "mmseg-css[{extra}]"'
