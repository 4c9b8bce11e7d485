"""What is odd, and not refused."""

import logging

from mmengine.logging import print_log


def warn(message: str) -> None:
    """Say it in the log of the run, if there is one."""
    print_log(message, logger="current", level=logging.WARNING)
