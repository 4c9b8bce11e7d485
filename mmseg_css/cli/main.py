"""The command itself: its subcommands, how errors are told, and the exit status."""

import io
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

from mmseg_css.cli import (
    balance,
    compare,
    data,
    demo,
    diagnose,
    export,
    init,
    predict,
    split,
    study,
    suggest,
    test,
    train,
)
from mmseg_css.locations import PACKAGE, import_from_here
from mmseg_css.version import __version__

app = App(
    name="mmseg-css",
    help="Semi-supervised semantic segmentation for MMSegmentation.",
    help_epilogue="Exit status: 0 done, 1 refused or failed (the reason comes last), 2 wrong usage.",
    version=__version__,
    default_parameter=Parameter(negative=()),
    help_format="plaintext",  # Markdown takes the underscores of paths for italics
    result_action="return_value",
    error_formatter=lambda error: f"error: {error}",
)
for _module in (demo, init, train, test, predict, balance, diagnose, suggest, compare, study, export):
    app.command(_module.command, name=_module.__name__.rpartition(".")[2])
app.command(data.command)
app.command(split.command)
app.register_install_completion_command()


def call(arguments: Sequence[str]) -> Any:
    """A subcommand in this process: its result, or its exception."""
    return app(_with_value_of_resume(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a subcommand. Errors go to stderr in words; a traceback comes with those that are not ours.

    Modules in the folder that it is started from can be imported (``custom_imports``), as with ``python -m``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no name of a file ends a call that has done its work
    import_from_here()
    try:
        return call(sys.argv[1:] if arguments is None else arguments) or 0
    except Exception as error:
        if not _is_ours(error):
            traceback.print_exc()
        message = error.args[0] if isinstance(error, KeyError) and error.args else error  # str() would quote it
        print(f"error: {message}", file=sys.stderr, flush=True)
        return 1


def _with_value_of_resume(arguments: Sequence[str]) -> list[str]:
    """``--resume`` may stand alone, as in MMSegmentation, before an option or the config; it then means ``auto``."""
    following = [*arguments, "-"][1:]
    return [
        part
        for argument, after in zip(arguments, following, strict=True)
        for part in (
            [argument, "auto"]
            if argument == "--resume" and after.startswith("-") | after.endswith(".py")
            else [argument]
        )
    ]


def _is_ours(error: BaseException | None) -> bool:
    """Whether this package refused something, or the system a file, so that the message says all there is to know.

    An error of which one of these is the declared cause says the same; what went on when a fault happened is none.
    """
    while error is not None:
        if isinstance(error, OSError) or any(map(_refuses, traceback.extract_tb(error.__traceback__)[-1:])):
            return True
        error = error.__cause__
    return False


def _refuses(frame: traceback.FrameSummary) -> bool:
    """Whether an error was raised on purpose in a line of this package; a fault of ours is no refusal."""
    return Path(frame.filename).is_relative_to(PACKAGE) and (frame.line or "").startswith("raise")
