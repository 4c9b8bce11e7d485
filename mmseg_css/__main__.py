"""``python -m mmseg_css``, the same as ``mmseg-css``."""

import sys

from mmseg_css.cli.main import run

if __name__ == "__main__":
    sys.exit(run())
