"""Where the package finds its own files."""

from pathlib import Path
from typing import Final

#: The folder of the configs: of the clone that this package lies in.
CONFIGS: Final = Path(__file__).resolve().parents[1] / "configs"
