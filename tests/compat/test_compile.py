"""MMEngine's ``compile``, which takes minutes: in a file of its own, so that it begins early."""

import subprocess
import sys
from pathlib import Path

import torch
from packaging.version import Version

from tests.compat.runs import assert_equal, state
from tests.configs.helpers import ROOT
from tests.engine.tiny import config, train, write_data

COMPILED = """
import sys
from pathlib import Path
import torch
from tests.compat.runs import state
from tests.engine.tiny import config, train, write_data
torch.set_num_threads(1)
torch.save(state(train(config(Path(sys.argv[1]), "css", 2, compile={"backend": "eager"}))), sys.argv[2])
"""


def test_compile(tmp_path: Path) -> None:
    """MMEngine's, of the whole step: teacher and prototypes move in it as without, bit by bit (torch 2.6 rounds).

    In a process of its own, since the type checker of the tests takes the compiler a minute more.
    """
    root = write_data(tmp_path)
    plain = train(config(root, "css", 2))
    command = [sys.executable, "-c", COMPILED, str(root), str(root / "compiled.pth")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = torch.load(root / "compiled.pth", weights_only=True)
    if Version(torch.__version__) >= Version("2.7"):
        assert_equal(found, state(plain))
    torch.testing.assert_close(found, state(plain), rtol=1e-5, atol=1e-6)
