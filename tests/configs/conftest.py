import pytest
from mmengine.registry import init_default_scope

import mmseg_css  # noqa: F401  (registers)


@pytest.fixture(autouse=True)
def _mmseg_scope() -> None:
    init_default_scope("mmseg")
