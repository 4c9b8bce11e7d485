"""Shapes are types: under test every call into ``mmseg_css.functional`` is checked against its annotations."""

import importlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import hypothesis
import pytest
import torch
from jaxtyping import install_import_hook
from mmengine.config import Config
from mmengine.dataset import base_dataset
from mmengine.visualization import Visualizer
from mmseg.visualization import SegLocalVisualizer

import tests.typechecker  # noqa: F401  (the hook finds it by name)

# Before anything imports the package, or the modules would be loaded unchecked.
install_import_hook("mmseg_css.functional", "tests.typechecker.checked")

#: Whose fixtures are made once in a process, whichever folders use them.
pytest_plugins = ["tests.trained"]

#: Files that take minutes with a few tests. Processes that run side by side begin with them: else one is left alone
#: with the last of them.
LONG = (
    "compat/test_compile.py",
    "documentation/test_notebook.py",
    "e2e/test_comparison.py",
    "e2e/test_new_method.py",
    "e2e/test_soak.py",
    "e2e/test_soak_methods.py",
    "e2e/test_soak_supervised.py",
    "e2e/test_training.py",
    "evaluation/test_cluster.py",
)

torch.set_num_threads(1)

hypothesis.settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
hypothesis.settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONG))


@pytest.fixture
def import_benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """The scripts of ``benchmarks/``, which import each other from their own folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    return importlib.import_module


@pytest.fixture(autouse=True)
def _default_handlers() -> Iterator[None]:
    """What a test leaves reaches none of the same process; MMEngine's own loop takes no handler away when it fails."""
    defaults = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    for number, handler in defaults.items():
        signal.signal(number, handler)
    yield
    for number, handler in defaults.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _no_visualizer_of_a_folder_that_is_gone() -> None:
    """MMEngine keeps visualisers by name, and gives a Runner that of an earlier test, whose folder pytest removed."""
    for kind in (Visualizer, SegLocalVisualizer):
        for name, visualizer in [*kind._instance_dict.items()]:
            folders = [backend._save_dir for backend in visualizer._vis_backends.values()]
            if not all(Path(folder).exists() for folder in folders):
                del kind._instance_dict[name]


@pytest.fixture(autouse=True, scope="session")
def _unformatted_configs() -> Iterator[None]:
    """MMEngine lays a config out anew for every Runner and file, a second each time; commands of their own still do."""

    def text(config: Config) -> str:
        return "\n".join(f"{key} = {value!r}" for key, value in config.to_dict().items())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, "pretty_text", property(text))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_collection_for_every_data_set() -> Iterator[None]:
    """MMEngine collects garbage in each that it builds, up to half a second once torch is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_dataset, "gc", SimpleNamespace(collect=lambda: 0))
        yield
