"""docs/notebook.ipynb, from its first cell to its last, in a process of its own and without Jupyter."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.documentation.pages import ROOT

CELLS: Final = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
CODE: Final = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_every_cell_runs(tmp_path: Path) -> None:
    (tmp_path / "notebook.py").write_text("\n".join(CODE))
    environment = {**os.environ, "MPLBACKEND": "Agg", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "notebook.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "both agree: " in done.stdout
    assert len(list(tmp_path.glob("*/predicted/masks/*.png"))) == 6


def test_it_was_run_before_it_was_committed() -> None:
    """With its pictures, each described for those who do not see it, and without errors and warnings."""
    code = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [(cell, output) for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for _, output in outputs} <= {"stream", "display_data"}
    assert all(output.get("name") != "stderr" for _, output in outputs)
    described = [cell["metadata"].get("alt") for cell, output in outputs if output["output_type"] == "display_data"]
    assert len(described) == 3 and all(described)
