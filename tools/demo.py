"""The same as before, from mmseg_css/evaluation/pictures.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a clone works without being installed

from mmseg_css.evaluation.pictures import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
