"""What the files in this folder share: the command ``mmseg-css``, also in a clone that is not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.argv[0] = "mmseg-css"  # and so `--help` does not wait for torch

from mmseg_css.cli.main import run  # noqa: E402


def enter(*command: str) -> None:
    """Run a subcommand with the arguments of this process, and exit with its status."""
    sys.exit(run([*command, *sys.argv[1:]]))
