"""What the packages below say, and nobody needs to hear: so that each warning that is left is seen.

A line is dropped only if it is known, harmless and matched by its own words; what is long but may be wanted later goes
to the log file alone.
"""

import logging
import re
import warnings
from typing import Any, Final

import mmengine
from mmengine.logging import MMLogger

#: Python warnings, from their beginning, and why nobody needs them.
WARNINGS: Final = {
    r"Fail to import ``MultiScaleDeformableAttention``": "a layer of the compiled mmcv; no network here has it",
    r"The draw is False, it means that the hook for visualization": "it draws when asked for",
    r"When align_corners=True, the output would more aligned": "a fine point of sizes, decided in the configs",
}
#: Lines of MMEngine's log.
LINES: Final = {
    r'"(FileClient|HardDiskBackend)" (will be deprecated|is the alias)': "MMEngine's own use of its old interface",
    r"The prefix is not set in metric class": "MMSeg's metrics have none",
}
#: Lines that only the log file gets: hundreds each, or of use for a report of a fault.
LONG: Final = (
    r"\n-+\nSystem environment:",
    r"Config:\n",
    r"Hooks will be executed in the following order:",
    r"paramwise_options -- ",
    r".* is skipped since its requires_grad=False",
)


class _Without(logging.Filter):
    """Lets through what begins with none of the patterns."""

    def __init__(self, *patterns: str) -> None:
        super().__init__()
        self._pattern = re.compile("|".join(patterns))

    def filter(self, record: logging.LogRecord) -> bool:
        return self._pattern.match(str(record.msg)) is None


def quieten() -> None:
    """Drop what is named above. Idempotent."""
    for beginning in WARNINGS:
        warnings.filterwarnings("ignore", message=beginning)
    mmengine.print_log = mmengine.logging.print_log = _print_log
    MMLogger.__init__ = _init


_original_print_log = mmengine.logging.print_log
_original_init = MMLogger.__init__


def _print_log(msg: Any, logger: Any = None, level: int = logging.INFO) -> None:
    """Why: without a logger MMEngine prints whatever the level is: "Could not import OneDL", of level DEBUG, twice."""
    if logger is not None or level >= logging.INFO:
        _original_print_log(msg, logger, level)


def _init(self: MMLogger, *args: Any, **kwargs: Any) -> None:
    """Why: the Runner makes its logger and fills it with the config at once; there is no other place for a filter."""
    _original_init(self, *args, **kwargs)
    for handler in self.handlers:
        to_file = isinstance(handler, logging.FileHandler)
        handler.addFilter(_Without(*LINES, *(() if to_file else LONG)))
