"""How dataloaders are built, for training, validation and test alike: MMEngine's way, with what it leaves to the user.

MMEngine's loops and its Runner know one builder only, so ours takes its place.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_css.datasets import checks
from mmseg_css.registry import DATASETS

#: Settings of worker processes, which torch refuses where there are none.
OF_WORKERS: Final = ("persistent_workers", "prefetch_factor")

_original = Runner.build_dataloader


def build_dataloader(dataloader: DataLoader | dict, *args: Any, **kwargs: Any) -> DataLoader:
    """A dataloader whose folders and lists were looked for before, and whose errors name the image.

    ``num_workers=0`` loads in the process itself, whatever else is set for worker processes.

    Raises:
        FileNotFoundError: A folder or list of its data set is missing.
        ValueError: A list is empty, or a folder has no image with the suffix that is looked for.
    """
    dataset: Any = None
    if isinstance(dataloader, Mapping):
        dataset = dataloader["dataset"]
        checks.check_training_paths(dataset)
        if not dataloader.get("num_workers"):
            dataloader = {key: value for key, value in dataloader.items() if key not in OF_WORKERS}
    try:
        loader = _original(dataloader, *args, **kwargs)
    except ValueError as error:
        if "at least one array" in str(error):  # numpy's, of a data set without images
            for config in checks.dataset_configs(dataset):
                checks.check_not_empty(DATASETS.build({**config, "lazy_init": True}), "dataloader's")
        raise
    checks.watch(loader.dataset)
    return loader


@contextmanager
def workers_explained() -> Iterator[None]:
    """Say what to do where workers were ended from outside, as by a scheduler that signals all processes.

    Raises:
        RuntimeError: They were.
    """
    try:
        yield
    except (RuntimeError, ConnectionResetError, EOFError) as error:  # the others in the middle of a batch
        ended = str(error).startswith("DataLoader worker") or not isinstance(error, RuntimeError)
        if not ended:
            raise
        raise RuntimeError(
            f"a loading worker was ended from outside ({error}), and no step can be finished without it: --resume goes "
            "on from the last checkpoint"
        ) from error


def use_everywhere() -> None:
    """Let every Runner build its dataloaders with `build_dataloader`. Idempotent."""
    Runner.build_dataloader = staticmethod(build_dataloader)
