from tests.datasets.conftest import _mmseg_scope, _quick_garbage_collection  # noqa: F401  (fixtures)
