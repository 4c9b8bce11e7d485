import pytest

from mmseg_css.engine import estimate
from tests.datasets.conftest import _mmseg_scope  # noqa: F401  (a fixture)


@pytest.fixture(autouse=True)
def _known_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast this machine trains is measured in tests/engine/test_estimate.py."""
    monkeypatch.setattr(estimate, "seconds_a_step", lambda cfg: 0.45)
