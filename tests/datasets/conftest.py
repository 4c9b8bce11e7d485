from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

import mmseg_css  # noqa: F401  (registers)
from tests.datasets.helpers import write_list, write_pairs

CAMVID = Path(__file__).resolve().parents[3] / "shared" / "data" / "camvid"


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ten images with masks, and ``labeled.txt`` with three of them; names with spaces, in folders with spaces."""
    root = tmp_path / "my data"
    ids = [f"town {n % 2}/frame {n:02d}" for n in range(10)]
    write_pairs(root, ids)
    write_list(root / "labeled.txt", ids[:3])
    return root


@pytest.fixture
def camvid() -> Path:
    if not CAMVID.is_dir():
        pytest.skip(f"{CAMVID} missing")
    return CAMVID
